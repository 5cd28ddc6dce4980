/** What the user can ask for: each command gets its argument, asks the server, and shows what comes of it. */
import * as vscode from "vscode";
import { LSPErrorCodes, ResponseError } from "vscode-languageclient/node";
import { given, here, someFolder, type Argument } from "./arguments";
import type { Found } from "./offers";
import type { Pages } from "./pages";
import type { Preview } from "./preview";
import { GivenUp, Problem, messageOf, tell } from "./problems";
import type { Server } from "./server/requests";

interface Page {
  readonly markdown: string;
}

/** How many passed, and which did not. */
export interface Outcome {
  readonly passed: number;
  readonly failed: readonly { readonly id: string; readonly message: string }[];
}

export class Commands {
  constructor(
    private readonly server: Server,
    private readonly pages: Pages,
    private readonly preview: Preview,
  ) {}

  /** Looks for a verified fix, and shows it before anything changes. */
  async debug(first?: unknown): Promise<void> {
    needTrust();
    await this.offer("pennyproof.debug", given(first) ?? placeToDebug(await fileHere()));
  }

  async edit(first?: unknown): Promise<void> {
    needTrust();
    const argument = given(first) ?? { ...here(), instruction: await instruction() };
    await this.offer("pennyproof.edit", argument);
  }

  async explain(first?: unknown): Promise<void> {
    const argument: Argument = given(first) ?? here();
    if (argument.testId !== undefined) {
      needTrust();
    }
    await this.page("pennyproof.explain", "Explanation", argument);
  }

  async runTests(first?: unknown): Promise<void> {
    needTrust();
    const { passed, failed } = await this.server.ask<Outcome>("pennyproof.runTests", given(first) ?? (await someFolder()));
    const text = failed.length === 0 ? `$(pass) ${passed} passed` : `$(error) ${failed.length} failed, ${passed} passed`;
    vscode.window.setStatusBarMessage(text, 10_000);
  }

  async showSpend(): Promise<void> {
    await this.page("pennyproof.showSpend", "Spending", {});
  }

  async showLastRejections(): Promise<void> {
    await this.page("pennyproof.showLastRejections", "Rejected Candidates", await someFolder());
  }

  async restartWorkers(): Promise<void> {
    await this.server.ask("pennyproof.restartWorkers", {});
  }

  /** Takes or takes back the server's own trust in a folder. */
  async trustWorkspace(first?: unknown): Promise<void> {
    needTrust();
    const { uri } = given(first) ?? (await someFolder());
    const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.parse(uri ?? "", true));
    const root = folder?.uri ?? vscode.Uri.joinPath(vscode.Uri.parse(uri ?? "", true), "..");
    const picked = await vscode.window.showQuickPick(
      [
        { label: "Trust", detail: "Its tests run, which runs its code, to check what is suggested.", trusted: true },
        { label: "Do not trust", detail: "None of its code runs.", trusted: false },
      ],
      { title: `Pennyproof: ${root.fsPath}`, placeHolder: "May the tests of this folder run?" },
    );
    if (picked) {
      await this.server.ask("pennyproof.trustWorkspace", { root: root.fsPath, trusted: picked.trusted });
    }
  }

  private async offer(command: string, argument: Argument): Promise<void> {
    const found = await this.server.ask<Found>(command, { ...argument, preview: true });
    if (found.offers.length > 0) {
      await this.preview.show(found);
    } else {
      void vscode.window.showInformationMessage(`Pennyproof: ${found.reason ?? "nothing that holds was found"}.`);
    }
  }

  private async page(command: string, name: string, argument: Argument): Promise<void> {
    const { markdown } = await this.server.ask<Page>(command, { ...argument, show: false });
    await this.pages.show(name, markdown);
  }
}

/** Wraps what a command does, so that whatever goes wrong ends in one message, and what was given up in none. */
export function guarded(work: (first: unknown) => Thenable<unknown>): (first: unknown) => Promise<unknown> {
  return async (first) => {
    try {
      return await work(first);
    } catch (error) {
      const isCancelled = error instanceof ResponseError && error.code === LSPErrorCodes.RequestCancelled;
      if (!isCancelled && !(error instanceof GivenUp)) {
        tell(error instanceof Problem ? error : new Problem(messageOf(error), ["log"]));
      }
      return undefined;
    }
  };
}

function needTrust(): void {
  if (!vscode.workspace.isTrusted) {
    throw new Problem("this workspace is not trusted, so none of its code is run or sent to a model.", ["trust"]);
  }
}

/** The current file and what is selected there; without one, the folder that is meant. */
async function fileHere(): Promise<Argument> {
  return vscode.window.activeTextEditor?.document.languageId === "python" ? here() : someFolder();
}

/** A selection means the tests that run it; without one, all that fail. */
function placeToDebug({ uri, range }: Argument): Argument {
  const isEmpty = range?.start.line === range?.end.line && range?.start.character === range?.end.character;
  return { ...(uri === undefined ? {} : { uri }), ...(range && !isEmpty ? { range } : {}) };
}

async function instruction(): Promise<string> {
  const text = await vscode.window.showInputBox({
    title: "Pennyproof: Edit the Selection",
    prompt: "What should be done? With nothing said, the function at the cursor is written as its docstring describes.",
    ignoreFocusOut: true,
  });
  if (text === undefined) {
    throw new GivenUp();
  }
  return text;
}
