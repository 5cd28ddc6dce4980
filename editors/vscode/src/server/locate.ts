/** Which server is started: that of the settings, else the project's own, else the extension's. */
import { homedir } from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";
import { Problem } from "../problems";
import type { Environment } from "./environment";
import type { Launch } from "./launch";
import { inPath, isProgram } from "./programs";

const PROGRAM = process.platform === "win32" ? ["Scripts", "pennyproof.exe"] : ["bin", "pennyproof"];

/** Finds the server, or makes the extension's own, which takes a while the first time. */
export async function locate(environment: Environment): Promise<Launch> {
  const settings = vscode.workspace.getConfiguration("pennyproofServer");
  const given = settings.get<readonly string[] | null>("command") ?? [];
  const [command, ...args] = given;
  if (command !== undefined) {
    return { command: await named(command), args, source: "setting", ...(await folderOfTrusted()) };
  }
  const found = settings.get<boolean>("useOwn") ? undefined : ((await inWorkspace()) ?? (await onMachine()));
  return found ?? { ...(await environment.ready()), source: "own" };
}

/** The program that the user's setting names. */
async function named(command: string): Promise<string> {
  const expanded = command.replace(/^~(?=\/|$)/, homedir());
  const file = path.isAbsolute(expanded) ? expanded : await inPath(expanded, roots());
  if (file === undefined || !(await isProgram(file))) {
    throw new Problem(
      `the setting pennyproofServer.command names ${command}, which is not there. Correct the setting, or remove it.`,
      ["settings", "again", "log"],
    );
  }
  return file;
}

async function inWorkspace(): Promise<Launch | undefined> {
  // Whatever lies in a workspace is started only once the user trusts that.
  for (const root of vscode.workspace.isTrusted ? roots() : []) {
    const file = path.join(root, ".venv", ...PROGRAM);
    if (await isProgram(file)) {
      return { command: file, args: ["serve"], source: "workspace" };
    }
  }
  return undefined;
}

async function onMachine(): Promise<Launch | undefined> {
  const file = await inPath("pennyproof", roots());
  return file === undefined ? undefined : { command: file, args: ["serve"], source: "path" };
}

/** Commands such as `uv run pennyproof serve` mean the project's folder. */
async function folderOfTrusted(): Promise<{ cwd?: string }> {
  const [first] = roots();
  if (first === undefined || !vscode.workspace.isTrusted) {
    return {};
  }
  const is = await vscode.workspace.fs.stat(vscode.Uri.file(first)).then(
    () => true,
    () => false,
  );
  return is ? { cwd: first } : {};
}

/** The paths of the workspace's folders. */
export function roots(): string[] {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders.filter((folder) => folder.uri.scheme === "file").map((folder) => folder.uri.fsPath);
}
