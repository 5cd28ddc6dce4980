/** Asks the server for the work of its commands. */
import { ErrorCodes, ExecuteCommandRequest, ResponseError } from "vscode-languageclient/node";
import { GivenUp, Problem } from "../problems";
import type { Session } from "./session";

export interface Server {
  /** Runs one of the server's commands and returns what it returns. */
  ask<T>(command: string, argument: object): Promise<T>;
}

const GONE: readonly number[] = [ErrorCodes.PendingResponseRejected, ErrorCodes.ConnectionInactive];

export class Requests implements Server {
  constructor(private readonly session: Session) {}

  async ask<T>(command: string, argument: object): Promise<T> {
    const client = await this.session.ready();
    if (!client) {
      throw new GivenUp(); // The user knows why already.
    }
    try {
      return (await client.sendRequest(ExecuteCommandRequest.type, { command, arguments: [argument] })) as T;
    } catch (error) {
      if (error instanceof ResponseError && GONE.includes(error.code)) {
        throw new Problem("its server ended while it was at work. It is started again: ask once more.", ["log"]);
      }
      throw error;
    }
  }
}
