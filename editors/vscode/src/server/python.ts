/** Finds a Python that the server can run with. */
import * as vscode from "vscode";
import { Problem } from "../problems";
import { roots } from "./locate";
import { inPath } from "./programs";
import { run } from "./run";

export const OLDEST = [3, 11] as const;

const NAMES = ["python3.14", "python3.13", "python3.12", "python3.11", "python3", "python", "py"];
const ASK = "import sys; print(sys.version_info[0], sys.version_info[1], sys.executable)";

interface Python {
  readonly path: string;
  readonly version: readonly [number, number];
}

/** The path of a Python that is new enough; that of the settings, where they name one. */
export async function findPython(): Promise<string> {
  const setting = vscode.workspace.getConfiguration("pennyproofServer").get<string | null>("python");
  const tooOld: Python[] = [];
  for (const file of setting ? [setting] : await candidates()) {
    const python = await ask(file);
    if (python && isNewEnough(python)) {
      return python.path;
    }
    if (python) {
      tooOld.push(python);
    }
  }
  throw new Problem(complaint(setting ?? undefined, tooOld[0]), ["settings", "again", "log"]);
}

/** What is said where there is none. */
export function complaint(setting: string | undefined, tooOld: Python | undefined): string {
  const needed = `Python ${OLDEST.join(".")} or newer`;
  const old = tooOld && `Python ${tooOld.version.join(".")} (${tooOld.path})`;
  if (setting !== undefined) {
    return `the setting pennyproofServer.python names ${old ?? `${setting}, which is no Python`}, and the server needs ${needed}.`;
  }
  return `the server needs ${needed}, and ${old ? `only ${old} was found` : "no Python was found"}. Install a newer one, or name one in the settings.`;
}

async function candidates(): Promise<string[]> {
  const found = await Promise.all(NAMES.map((name) => inPath(name, roots())));
  return [...new Set(found.filter((file) => file !== undefined))];
}

async function ask(file: string): Promise<Python | undefined> {
  const { code, text } = await run(file, ["-I", "-c", ASK]);
  const match = /^(\d+) (\d+) (.+)$/m.exec(text);
  return code === 0 && match?.[3]
    ? { path: match[3].trim(), version: [Number(match[1]), Number(match[2])] }
    : undefined;
}

function isNewEnough({ version: [major, minor] }: Python): boolean {
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
