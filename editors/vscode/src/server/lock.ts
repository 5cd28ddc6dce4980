/** One window at a time: others wait until the one that holds the lock lets go, or is gone. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { GivenUp } from "../problems";

const LOOK = 300;

/** Runs `work` while this process alone holds the lock. */
export async function alone<T>(file: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  while (!(await take(file))) {
    if (signal.aborted) {
      throw new GivenUp();
    }
    await pause(LOOK);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    const holder = Number(await readFile(file, "utf8").catch(() => ""));
    if (holder > 0 && !lives(holder)) {
      await rm(file, { force: true });
    }
    return false;
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
