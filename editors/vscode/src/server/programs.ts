/** Looks for programs as a shell would, but never in the folders of a workspace. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import * as path from "node:path";

const SUFFIXES = process.platform === "win32" ? [".exe", ".cmd", ".bat"] : [""];

/** Whether a file is there and may be started. */
export async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/**
 * The program of a name in the PATH.
 *
 * @param outside folders from which nothing is started: a PATH may name those of a workspace
 */
export async function inPath(
  name: string,
  outside: readonly string[],
  searched = process.env.PATH ?? "",
): Promise<string | undefined> {
  const folders = searched
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder) && !outside.some((root) => isWithin(folder, root)));
  for (const folder of folders) {
    for (const suffix of SUFFIXES) {
      const file = path.join(folder, name + suffix);
      if (await isProgram(file)) {
        return file;
      }
    }
  }
  return undefined;
}

function isWithin(folder: string, root: string): boolean {
  const relative = path.relative(root, folder);
  return relative === "" || (!relative.startsWith("..") && !path.isAbsolute(relative));
}
