/** An offer as a side-by-side diff that is titled with its evidence, and what becomes of it: accepted or rejected. */
import * as vscode from "vscode";
import { changesOf, detailOf, stillHold, titleOf, type Change, type Found, type Offer } from "./offers";
import { Problem } from "./problems";

const SCHEME = "pennyproof-offer";
/** For menus and keys: an offer is in front of the user. */
const CONTEXT = "pennyproof.offerShown";

interface Shown {
  readonly offer: Offer;
  readonly title: string;
  readonly changes: readonly Change[];
}

/** Puts an offer into the files; false where the editor did not. */
export type Apply = (offer: Offer) => Promise<boolean>;

export class Preview implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private readonly registrations: vscode.Disposable[];
  private shown: Shown | undefined;
  private count = 0;

  constructor(private readonly apply: Apply) {
    this.registrations = [
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.window.tabGroups.onDidChangeTabs(() => {
        this.tabsChanged();
      }),
      vscode.window.tabGroups.onDidChangeTabGroups(() => {
        this.tabsChanged();
      }),
    ];
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? "";
  }

  /** Shows an offer; where there are several, the one that the user picks by its evidence. */
  async show(found: Found): Promise<void> {
    const offer = await pick(found.offers);
    if (!offer) {
      return;
    }
    await this.close();
    this.texts.clear();
    this.count += 1;
    const changes = await changesOf(offer);
    const title = titleOf(offer);
    const resources = changes.map((change): [vscode.Uri, vscode.Uri, vscode.Uri] => [
      change.uri,
      change.before === undefined ? this.virtual(change, "before", "") : change.uri,
      this.virtual(change, "after", change.after ?? ""),
    ]);
    this.shown = { offer, title, changes };
    const [only, ...more] = resources;
    if (only && more.length === 0) {
      await vscode.commands.executeCommand("vscode.diff", only[1], only[2], title, { preview: false });
    } else {
      await vscode.commands.executeCommand("vscode.changes", title, resources);
    }
    this.tabsChanged();
  }

  /** Puts the offer that is shown into the files. */
  async accept(): Promise<void> {
    const { shown } = this;
    if (!shown) {
      return;
    }
    if (!(await stillHold(shown.changes))) {
      await this.close();
      throw new Problem("the file has changed since this fix was proved, so it was not applied.", ["search"]);
    }
    const unsaved = new Set(
      vscode.workspace.textDocuments.filter((document) => document.isDirty).map((document) => document.uri.toString()),
    );
    if (!(await this.apply(shown.offer))) {
      throw new Problem("the editor did not apply the fix; the log says more.", ["log"]);
    }
    await this.close();
    await settle(shown.changes, unsaved);
  }

  /** Drops the offer that is shown; no file has changed. */
  async reject(): Promise<void> {
    await this.close();
  }

  dispose(): void {
    vscode.Disposable.from(...this.registrations).dispose();
  }

  private virtual(change: Change, side: string, text: string): vscode.Uri {
    // The count makes a new document of it: the editor keeps the texts of those that it has seen.
    const uri = vscode.Uri.from({ scheme: SCHEME, path: change.uri.path, query: `${side}-${this.count}` });
    this.texts.set(uri.toString(), text);
    return uri;
  }

  private tabs(): vscode.Tab[] {
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    return tabs.filter((tab) => tab.label === this.shown?.title);
  }

  private async close(): Promise<void> {
    const tabs = this.tabs();
    this.shown = undefined;
    await vscode.window.tabGroups.close(tabs);
    this.tabsChanged();
  }

  private tabsChanged(): void {
    const active = vscode.window.tabGroups.activeTabGroup.activeTab;
    const isActive = this.shown !== undefined && active?.label === this.shown.title;
    void vscode.commands.executeCommand("setContext", CONTEXT, isActive);
  }
}

async function pick(offers: readonly Offer[]): Promise<Offer | undefined> {
  if (offers.length < 2) {
    return offers[0];
  }
  const items = offers.map((offer) => ({
    label: titleOf(offer),
    description: [offer.alternative ? "or" : "", offer.origin.model ?? offer.origin.tier ?? ""].join(" ").trim(),
    detail: detailOf(offer),
    offer,
  }));
  const picked = await vscode.window.showQuickPick(items, {
    title: "Pennyproof: Verified Fixes",
    placeHolder: "Which one do you want to look at?",
    matchOnDetail: true,
  });
  return picked?.offer;
}

/** Files that had nothing unsaved have nothing unsaved afterwards; the first one is shown. */
async function settle(changes: readonly Change[], unsaved: ReadonlySet<string>): Promise<void> {
  for (const { uri, after } of changes) {
    if (after !== undefined && !unsaved.has(uri.toString())) {
      await (await vscode.workspace.openTextDocument(uri)).save();
    }
  }
  const first = changes.find((change) => change.after !== undefined);
  if (first) {
    const line = firstDifference(first);
    await vscode.window.showTextDocument(first.uri, {
      preview: false,
      selection: new vscode.Range(line, 0, line, 0),
    });
  }
}

/** The first line that is another one afterwards. */
function firstDifference({ before = "", after = "" }: Change): number {
  const [old, now] = [before.split("\n"), after.split("\n")];
  return Math.max(
    0,
    now.findIndex((line, at) => line !== old[at]),
  );
}

