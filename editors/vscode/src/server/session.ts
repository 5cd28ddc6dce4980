/** The server as the rest of the extension sees it: it is there when it is needed, and comes back when it is gone. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { homedir } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import * as vscode from "vscode";
import { State, type LanguageClientOptions } from "vscode-languageclient/node";
import { GivenUp, Problem, messageOf, tell } from "../problems";
import { Client } from "./client";
import { Crashes } from "./crashes";
import { describe, type Launch } from "./launch";
import { isOlder } from "./versions";

/** What a session needs of the others. */
export interface Surroundings {
  locate(): Promise<Launch>;
  /** What the server gets in its environment, beside what the editor has; undefined takes a variable away. */
  environment(): Promise<Record<string, string | undefined>>;
  readonly options: LanguageClientOptions;
  readonly log: vscode.LogOutputChannel;
  /** The oldest server that this extension understands. */
  readonly oldest: string;
}

/** Milliseconds that a server gets to end all that it has started. */
const ENDING = 12_000;

export type Condition = "starting" | "running" | "stopped";

/** Waits until a server that has ended has said all it had to say, but not for long. */
async function silence(child: ChildProcess): Promise<void> {
  const { stderr } = child;
  if (stderr && !stderr.closed) {
    await Promise.race([once(stderr, "close"), pause(500)]).catch(() => undefined);
  }
}

export class Session implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<Condition>();
  /** The server comes and goes. */
  readonly onDidChange = this.changed.event;
  private readonly begun = new vscode.EventEmitter<Client>();
  /** A new client is about to be started. */
  readonly onWillStart = this.begun.event;

  private client: Client | undefined;
  private child: ChildProcess | undefined;
  private starting: Promise<Client | undefined> | undefined;
  private readonly crashes = new Crashes();
  /** The last lines that the server wrote to its standard error. */
  private lastWords: string[] = [];

  constructor(private readonly around: Surroundings) {}

  /** The client of the running server, which is started where it is not; undefined where the user was told why not. */
  async ready(): Promise<Client | undefined> {
    return this.client?.state === State.Running ? this.client : this.start();
  }

  /** Starts the server at the user's wish, or goes on with the start that is under way. */
  start(): Promise<Client | undefined> {
    this.starting ??= this.startUntilItRuns().finally(() => (this.starting = undefined));
    return this.starting;
  }

  async restart(): Promise<void> {
    await this.starting;
    await this.stop();
    this.crashes.forget();
    await this.start();
  }

  async stop(): Promise<void> {
    const { client, child } = this;
    this.client = undefined;
    await client?.dispose().catch((error: unknown) => {
      this.around.log.warn(`the server did not end as asked: ${messageOf(error)}`);
    });
    setTimeout(() => child?.kill("SIGKILL"), ENDING).unref();
  }

  dispose(): void {
    this.changed.dispose();
    this.begun.dispose();
  }

  private async startUntilItRuns(): Promise<Client | undefined> {
    this.changed.fire("starting");
    for (;;) {
      try {
        const client = await this.startOnce();
        this.changed.fire("running");
        return client;
      } catch (error) {
        this.around.log.error(`the server was not started: ${messageOf(error)}`);
        if (error instanceof Problem) {
          this.leave(error);
          return undefined;
        }
        if (error instanceof GivenUp) {
          this.changed.fire("stopped");
          return undefined;
        }
        if (!this.crashes.add()) {
          this.leave(this.crashed("does not start"));
          return undefined;
        }
      }
    }
  }

  private async startOnce(): Promise<Client> {
    const launch = await this.around.locate();
    this.around.log.info(`starting ${describe(launch)}`);
    const child = await this.spawn(launch);
    const client: Client = new Client(child, this.options(), () => {
      this.closed(client);
    });
    this.begun.fire(client);
    try {
      await client.start();
      this.check(client, launch);
    } catch (error) {
      await client.dispose().catch(() => undefined);
      child.kill();
      await silence(child);
      throw error;
    }
    this.client = client;
    this.child = child;
    return client;
  }

  private async spawn(launch: Launch): Promise<ChildProcess> {
    const environment = { ...process.env, ...(await this.around.environment()) };
    const child = spawn(launch.command, launch.args, {
      cwd: launch.cwd ?? homedir(),
      env: environment,
      windowsHide: true,
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (error) => {
        reject(new Problem(`its server cannot be started: ${error.message}.`, ["settings", "again", "log"]));
      });
    });
    // What the server had started may outlive it for a while, and hold the other ends of its pipes.
    child.once("exit", () => {
      void silence(child).then(() => {
        child.stdout.destroy();
      });
    });
    return child;
  }

  private options(): LanguageClientOptions {
    this.lastWords = [];
    const stderr = (input: NodeJS.ReadableStream): void => {
      input.setEncoding("utf8");
      input.on("data", (text: string) => {
        const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
        this.lastWords = [...this.lastWords, ...lines].slice(-3);
        for (const line of lines) {
          this.around.log.info(line);
        }
      });
    };
    return { ...this.around.options, ...{ stdioOptions: { stdout: () => undefined, stderr } } };
  }

  private check(client: Client, launch: Launch): void {
    const about = client.initializeResult?.serverInfo;
    if (about?.name !== "pennyproof") {
      throw new Problem(`what was started is no Pennyproof server (${describe(launch)}).`, ["settings", "own", "log"]);
    }
    if (isOlder(about.version ?? "0", this.around.oldest)) {
      throw new Problem(
        `the server is version ${about.version ?? "0"} (${describe(launch)}), and the extension needs ${this.around.oldest} or newer. Upgrade it, or use the extension's own.`,
        ["own", "settings", "log"],
      );
    }
  }

  /** The connection ended, and nobody here had asked for it. */
  private closed(client: Client): void {
    if (client !== this.client) {
      return;
    }
    this.client = undefined;
    this.around.log.error("the server has ended by itself");
    void client.dispose().catch(() => undefined);
    if (this.crashes.add()) {
      void this.start();
    } else {
      this.leave(this.crashed("ends again and again"));
    }
  }

  private leave(problem: Problem): void {
    this.changed.fire("stopped");
    tell(problem);
  }

  private crashed(what: string): Problem {
    const last = this.lastWords.at(-1);
    return new Problem(
      `its server ${what}, so it was left alone.${last === undefined ? "" : ` Its last words: ${last}.`} The log has more.`,
      ["restart", "log", "settings"],
    );
  }
}
