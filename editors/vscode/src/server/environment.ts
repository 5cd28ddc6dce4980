/**
 * The extension's own environment: a virtual one in the extension's storage, with the server from inside the extension
 * and its dependencies at the versions that it was packaged with.
 *
 * Its mark is written last. An environment without one, or with that of another version, is begun anew.
 */
import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import * as vscode from "vscode";
import { GivenUp, Problem } from "../problems";
import { alone } from "./lock";
import { whyPipFailed } from "./pip";
import { isProgram } from "./programs";
import { findPython } from "./python";
import { run, type RunOptions } from "./run";

const PYTHON = process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"];
const MARK = "ready";

/** Knows where the environment is, and makes it. */
export class Environment {
  private making: Promise<void> | undefined;

  constructor(
    /** The extension's folder. */
    private readonly extension: string,
    /** The extension's folder for what it keeps. */
    private readonly storage: string,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** How the server in it is started, once it is made. */
  async ready(): Promise<{ command: string; args: string[] }> {
    if (!(await this.isWhole())) {
      this.making ??= this.make().finally(() => (this.making = undefined));
      await this.making;
    }
    return { command: this.python, args: ["-I", "-m", "pennyproof", "serve"] };
  }

  /** Throws it away, so that it is made anew. */
  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  private get folder(): string {
    return path.join(this.storage, "environment");
  }

  private get python(): string {
    return path.join(this.folder, ...PYTHON);
  }

  /** What the environment has to hold: all that it is made from. */
  private get wanted(): string {
    return `${this.wheel}\n${readFileSync(this.bundled("constraints.txt"), "utf8")}`;
  }

  private get wheel(): string {
    return readFileSync(this.bundled("wheel"), "utf8").trim();
  }

  private bundled(name: string): string {
    return path.join(this.extension, "server", name);
  }

  private async isWhole(): Promise<boolean> {
    const mark = await readFile(path.join(this.folder, MARK), "utf8").catch(() => undefined);
    return mark === this.wanted && (await isProgram(this.python));
  }

  private async make(): Promise<void> {
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: "Pennyproof: installing its server",
      cancellable: true,
    };
    await vscode.window.withProgress(options, async (progress, token) => {
      const abort = new AbortController();
      token.onCancellationRequested(() => {
        abort.abort();
      });
      await mkdir(this.storage, { recursive: true });
      await alone(path.join(this.storage, "environment.lock"), abort.signal, async () => {
        // Another window may have made it while this one waited.
        if (!(await this.isWhole())) {
          await this.build(abort.signal, (message) => {
            progress.report({ message });
          });
        }
      });
    });
  }

  private async build(signal: AbortSignal, report: (message: string) => void): Promise<void> {
    report("looking for Python");
    const base = await findPython();
    this.log.info(`making the server's environment with ${base}`);
    await this.removeOld();
    const onLine = (line: string): void => {
      this.log.info(line);
      const [, name] = /^(?:Collecting|Downloading|Installing) (\S+)/.exec(line) ?? [];
      if (name !== undefined) {
        report(name.replace(/[=<>].*/, ""));
      }
    };
    report("making an environment");
    const made = await this.step(base, ["-I", "-m", "venv", this.folder], { signal, onLine });
    if (made.code !== 0) {
      throw new Problem(
        `${base} cannot make virtual environments; on Debian and Ubuntu, install python3-venv.`,
        ["again", "settings", "log"],
      );
    }
    const pip = ["-I", "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-color"];
    const pinned = ["--constraint", this.bundled("constraints.txt"), this.bundled(this.wheel)];
    report("downloading");
    const installed = await this.step(this.python, [...pip, ...pinned], { signal, onLine });
    if (installed.code !== 0) {
      throw new Problem(whyPipFailed(installed.text), ["again", "settings", "log"]);
    }
    const draft = path.join(this.folder, `${MARK}.draft`);
    await writeFile(draft, this.wanted);
    await rename(draft, path.join(this.folder, MARK));
  }

  private async step(command: string, args: string[], options: RunOptions): ReturnType<typeof run> {
    this.log.info([command, ...args].join(" "));
    const ran = await run(command, args, options);
    if (options.signal?.aborted) {
      throw new GivenUp();
    }
    return ran;
  }

  /** Half-made environments, and those of other versions. */
  private async removeOld(): Promise<void> {
    for (const name of await readdir(this.storage)) {
      if (name.startsWith("environment") && !name.endsWith(".lock")) {
        await rm(path.join(this.storage, name), { recursive: true, force: true });
      }
    }
  }
}
