/** The failing tests in the Testing view, taken from the server's diagnostics. */
import * as vscode from "vscode";
import type { Outcome } from "./commands";
import { messageOf } from "./problems";
import type { Server } from "./server/requests";

/** A diagnostic as the language client makes it: with the server's data. */
type Diagnostic = vscode.Diagnostic & { readonly data?: unknown };

export class TestingView implements vscode.Disposable {
  private readonly controller = vscode.tests.createTestController("pennyproof", "Pennyproof");
  /** Runs that are under way: what they run stays in the view. */
  private running = 0;

  constructor(private readonly server: Server) {
    this.controller.createRunProfile("Run", vscode.TestRunProfileKind.Run, (request) => this.run(request), true);
  }

  /** Takes in what fails in a file. */
  take(uri: vscode.Uri, diagnostics: readonly Diagnostic[]): void {
    const failing = new Map<string, Diagnostic>();
    for (const diagnostic of diagnostics) {
      const id = testIdOf(diagnostic);
      if (id !== undefined) {
        failing.set(id, diagnostic);
      }
    }
    const file = this.fileItem(uri, failing.size > 0);
    if (!file) {
      return;
    }
    const news: [vscode.TestItem, Diagnostic][] = [];
    for (const [id, diagnostic] of failing) {
      const known = file.children.get(id);
      const item = known ?? this.controller.createTestItem(id, nameOf(id), uri);
      const isNew = known?.description !== diagnostic.message;
      item.range = diagnostic.range;
      item.description = diagnostic.message;
      file.children.add(item);
      if (isNew) {
        news.push([item, diagnostic]);
      }
    }
    if (this.running === 0) {
      this.dropOthers(file, failing);
    }
    this.showFailed(news);
  }

  /** The server is gone: what is shown is no longer known. */
  clear(): void {
    this.controller.items.replace([]);
  }

  /** Runs tests that are in the view again, such as those that a fix has mended. */
  async again(ids: readonly string[]): Promise<void> {
    const items = this.all().filter((item) => ids.includes(item.id));
    if (items.length > 0) {
      await this.run(new vscode.TestRunRequest(items));
    }
  }

  dispose(): void {
    this.controller.dispose();
  }

  private async run(request: vscode.TestRunRequest): Promise<void> {
    const chosen = request.include ?? this.all();
    const items = chosen.flatMap((item) => (item.children.size > 0 ? childrenOf(item) : [item]));
    const run = this.controller.createTestRun(request);
    this.running += 1;
    try {
      for (const [uri, group] of byFolder(items)) {
        group.forEach((item) => {
          run.started(item);
        });
        const outcome = await this.server.ask<Outcome>("pennyproof.runTests", {
          uri,
          testIds: group.map((item) => item.id),
        });
        report(run, group, outcome);
      }
    } catch (error) {
      for (const item of items) {
        run.errored(item, new vscode.TestMessage(messageOf(error)));
      }
    } finally {
      run.end();
      this.running -= 1;
    }
  }

  /** Shows tests as failed which nobody has run from the view. */
  private showFailed(news: readonly (readonly [vscode.TestItem, Diagnostic])[]): void {
    if (news.length === 0 || this.running > 0) {
      return;
    }
    const items = news.map(([item]) => item);
    const run = this.controller.createTestRun(new vscode.TestRunRequest(items), undefined, false);
    for (const [item, diagnostic] of news) {
      run.failed(item, messageFor(item, diagnostic.message));
    }
    run.end();
  }

  private dropOthers(file: vscode.TestItem, failing: ReadonlyMap<string, Diagnostic>): void {
    for (const item of childrenOf(file)) {
      if (!failing.has(item.id)) {
        file.children.delete(item.id);
      }
    }
    if (file.children.size === 0) {
      this.controller.items.delete(file.id);
    }
  }

  private fileItem(uri: vscode.Uri, make: boolean): vscode.TestItem | undefined {
    const known = this.controller.items.get(uri.toString());
    if (known || !make) {
      return known;
    }
    const item = this.controller.createTestItem(uri.toString(), vscode.workspace.asRelativePath(uri), uri);
    this.controller.items.add(item);
    return item;
  }

  private all(): vscode.TestItem[] {
    const files: vscode.TestItem[] = [];
    this.controller.items.forEach((item) => files.push(item));
    return files.flatMap(childrenOf);
  }
}

function report(run: vscode.TestRun, items: readonly vscode.TestItem[], outcome: Outcome): void {
  const failed = new Map(outcome.failed.map(({ id, message }) => [id, message]));
  for (const item of items) {
    const message = failed.get(item.id);
    if (message === undefined) {
      run.passed(item);
    } else {
      run.failed(item, messageFor(item, message));
    }
  }
}

function messageFor(item: vscode.TestItem, text: string): vscode.TestMessage {
  const message = new vscode.TestMessage(text);
  if (item.uri && item.range) {
    message.location = new vscode.Location(item.uri, item.range);
  }
  return message;
}

/** The server runs the tests of one workspace folder at a time. */
function byFolder(items: readonly vscode.TestItem[]): Map<string, vscode.TestItem[]> {
  const groups = new Map<string, [string, vscode.TestItem[]]>();
  for (const item of items) {
    if (item.uri) {
      const folder = vscode.workspace.getWorkspaceFolder(item.uri)?.uri.toString() ?? item.uri.toString();
      const [uri, group] = groups.get(folder) ?? [item.uri.toString(), []];
      groups.set(folder, [uri, [...group, item]]);
    }
  }
  return new Map(groups.values());
}

function childrenOf(item: vscode.TestItem): vscode.TestItem[] {
  const children: vscode.TestItem[] = [];
  item.children.forEach((child) => children.push(child));
  return children;
}

function testIdOf({ source, data }: Diagnostic): string | undefined {
  const isNamed = source === "pennyproof" && typeof data === "object" && data !== null && "testId" in data;
  return isNamed && typeof data.testId === "string" ? data.testId : undefined;
}

/** A test's id without its file. */
function nameOf(id: string): string {
  return id.slice(id.indexOf("::") + 2).replaceAll("::", " › ");
}
