/** Runs a program to its end, and tells what it wrote. */
import { spawn } from "node:child_process";
import { homedir } from "node:os";

export interface Ran {
  /** Undefined where it could not be started, or was ended. */
  readonly code: number | undefined;
  /** Both of its outputs. */
  readonly text: string;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Called with each line as it comes. */
  readonly onLine?: (line: string) => void;
}

/** Never rejects. It runs in the user's own folder, so that Python imports nothing of a workspace. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve) => {
    let text = "";
    let begun = "";
    const child = spawn(command, args, {
      cwd: homedir(),
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const take = (piece: string): void => {
      text += piece;
      const lines = (begun + piece).split(/\r?\n/);
      begun = lines.pop() ?? "";
      for (const line of lines) {
        options.onLine?.(line);
      }
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", take);
    }
    child.on("error", (error) => {
      resolve({ code: undefined, text: text || error.message });
    });
    child.on("close", (code) => {
      resolve({ code: code ?? undefined, text });
    });
  });
}
