/** What the server's commands are about. */
import * as vscode from "vscode";
import type { Range } from "vscode-languageclient/node";
import { GivenUp, Problem } from "./problems";

/** A command's one argument, as the server reads it. */
export interface Argument {
  readonly uri?: string;
  readonly range?: Range;
  readonly testId?: string;
  readonly testIds?: readonly string[];
  readonly instruction?: string;
  readonly preview?: boolean;
  readonly show?: boolean;
}

/** What came with the command: the server's own argument from light bulbs and lenses; menus pass things of the editor. */
export function given(first: unknown): Argument | undefined {
  const isPlain = typeof first === "object" && first !== null && Object.getPrototypeOf(first) === Object.prototype;
  return isPlain && "uri" in first && typeof first.uri === "string" ? (first as Argument) : undefined;
}

/** The file that is being edited, and what is selected there. */
export function here(): Required<Pick<Argument, "uri" | "range">> {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.languageId !== "python") {
    throw new Problem("open the Python file that this is about first.", []);
  }
  if (editor.document.isUntitled || editor.document.uri.scheme !== "file") {
    throw new Problem("save this file first: tests can only run what is a file.", []);
  }
  const { start, end } = editor.selection;
  return { uri: editor.document.uri.toString(), range: { start: plain(start), end: plain(end) } };
}

/** A file of the workspace folder that is meant: that of the current file, the only one, or the one that is picked. */
export async function someFolder(): Promise<Required<Pick<Argument, "uri">>> {
  const uri = vscode.window.activeTextEditor?.document.uri;
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (uri?.scheme === "file" && (folders.length === 0 || vscode.workspace.getWorkspaceFolder(uri))) {
    return { uri: uri.toString() };
  }
  const folder = folders.length > 1 ? await vscode.window.showWorkspaceFolderPick() : folders[0];
  if (!folder && folders.length > 1) {
    throw new GivenUp();
  }
  if (!folder) {
    throw new Problem("open a folder, or a Python file, first.", []);
  }
  return { uri: vscode.Uri.joinPath(folder.uri, "pyproject.toml").toString() };
}

function plain(position: vscode.Position): Range["start"] {
  return { line: position.line, character: position.character };
}
