/** What the server offers, as its commands return it; and the texts that an offer makes of the files. */
import * as vscode from "vscode";
import type { TextDocumentEdit, TextEdit, WorkspaceEdit } from "vscode-languageclient/node";

export interface Offer {
  readonly id: string;
  /** Its evidence, on one line. */
  readonly title?: string;
  readonly summary: string;
  readonly diff: string;
  /** Another way to mend what an earlier offer mends. */
  readonly alternative: boolean;
  readonly edit: WorkspaceEdit;
  readonly origin: { readonly tier: string | null; readonly model: string | null };
  readonly verdict: { readonly level: string; readonly fixed: readonly string[] };
}

export interface Found {
  readonly offers: readonly Offer[];
  /** Where there is no offer: why. */
  readonly reason?: string | null;
}

/** A file before and after an offer; undefined where it is not there. */
export interface Change {
  readonly uri: vscode.Uri;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** What it changes, and which tests that mends, on one line. */
export function detailOf(offer: Offer): string {
  const files = [...offer.diff.matchAll(/^\+\+\+ b\/(.+)$/gm)].map((match) => match[1] ?? "");
  const tests = offer.verdict.fixed.map((id) => id.slice(id.lastIndexOf("::") + 2));
  return [files.join(", "), tests.length > 0 ? `mends ${tests.join(", ")}` : ""].filter(Boolean).join(" · ");
}

export function titleOf(offer: Offer): string {
  return offer.title ?? offer.summary;
}

/** The files that an offer changes, with the texts that are in the editor now. */
export async function changesOf(offer: Offer): Promise<Change[]> {
  const changes = new Map<string, Change>();
  const start = async (written: string): Promise<Change> => {
    const known = changes.get(written);
    if (known) {
      return known;
    }
    const uri = vscode.Uri.parse(written, true);
    const text = await textOf(uri);
    return { uri, before: text, after: text };
  };
  for (const operation of operationsOf(offer.edit)) {
    if ("kind" in operation) {
      const uri = operation.kind === "rename" ? operation.oldUri : operation.uri;
      changes.set(uri, { ...(await start(uri)), after: operation.kind === "create" ? "" : undefined });
    } else {
      const change = await start(operation.textDocument.uri);
      const edits = operation.edits.filter((edit): edit is TextEdit => "newText" in edit);
      changes.set(operation.textDocument.uri, { ...change, after: await edited(change, edits) });
    }
  }
  return [...changes.values()];
}

/** Whether the files still have the texts that the changes begin with. */
export async function stillHold(changes: readonly Change[]): Promise<boolean> {
  const now = await Promise.all(changes.map(({ uri }) => textOf(uri)));
  return changes.every((change, at) => change.before === now[at]);
}

function operationsOf(edit: WorkspaceEdit): NonNullable<WorkspaceEdit["documentChanges"]> {
  const plain = Object.entries(edit.changes ?? {});
  return (
    edit.documentChanges ??
    plain.map(([uri, edits]): TextDocumentEdit => ({ textDocument: { uri, version: null }, edits }))
  );
}

async function textOf(uri: vscode.Uri): Promise<string | undefined> {
  try {
    return (await vscode.workspace.openTextDocument(uri)).getText();
  } catch {
    return undefined;
  }
}

async function edited(change: Change, edits: readonly TextEdit[]): Promise<string> {
  if (!change.after) {
    return edits.map((edit) => edit.newText).join("");
  }
  const document = await vscode.workspace.openTextDocument(change.uri);
  const offsetOf = (at: TextEdit["range"]["start"]): number =>
    document.offsetAt(new vscode.Position(at.line, at.character));
  let text = change.after;
  for (const edit of [...edits].sort((one, other) => offsetOf(other.range.start) - offsetOf(one.range.start))) {
    text = text.slice(0, offsetOf(edit.range.start)) + edit.newText + text.slice(offsetOf(edit.range.end));
  }
  return text;
}
