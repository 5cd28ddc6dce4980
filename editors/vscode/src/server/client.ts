/** The language client of one run of the server. It logs what goes wrong, and leaves to others what the user is told. */
import type { ChildProcess } from "node:child_process";
import {
  CloseAction,
  ErrorAction,
  ExecuteCommandRequest,
  LanguageClient,
  type DynamicFeature,
  type LanguageClientOptions,
  type StaticFeature,
} from "vscode-languageclient/node";

export class Client extends LanguageClient {
  constructor(spawned: ChildProcess, options: LanguageClientOptions, closed: () => void) {
    super("pennyproof", "Pennyproof", () => Promise.resolve(spawned), {
      ...options,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          closed();
          return { action: CloseAction.DoNotRestart, handled: true };
        },
      },
    });
  }

  /** The extension has its commands from the beginning, whether a server runs or not. */
  override registerFeature(feature: StaticFeature | DynamicFeature<unknown>): void {
    if (!("registrationType" in feature && feature.registrationType.method === ExecuteCommandRequest.method)) {
      super.registerFeature(feature);
    }
  }

  // Editors ask at every key stroke, so a failed request is for the log. The base class shows a popup for each.

  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }

  override warn(message: string, data?: unknown): void {
    super.warn(message, data, false);
  }

  override info(message: string, data?: unknown): void {
    super.info(message, data, false);
  }
}
