/** Long work that the user has asked for: a notification that tells how far it is, with a button to give it up. */
import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import {
  WorkDoneProgress,
  type WorkDoneProgressBegin,
  type WorkDoneProgressEnd,
  type WorkDoneProgressReport,
} from "vscode-languageclient/node";
import type { Client } from "./client";

type Report = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;

/** Sends a request by `send`, and shows what the server tells of its work from the time on when it says that it is long. */
export async function withProgress<T>(
  client: Client,
  send: (workDoneToken: string, cancel: vscode.CancellationToken) => Promise<T>,
): Promise<T> {
  const token = randomUUID();
  const cancel = new vscode.CancellationTokenSource();
  let progress: vscode.Progress<{ message?: string; increment?: number }> | undefined;
  let done = 0;
  const report = (value: WorkDoneProgressBegin | WorkDoneProgressReport): void => {
    const increment = Math.max(0, (value.percentage ?? 0) - done);
    done += increment;
    progress?.report({ increment, ...(value.message === undefined ? {} : { message: value.message }) });
  };
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const listening = client.onProgress(WorkDoneProgress.type, token, (value: Report) => {
    if (value.kind === "begin") {
      const title = `Pennyproof: ${value.title}`;
      const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
      void vscode.window.withProgress(options, (shown, given) => {
        given.onCancellationRequested(() => {
          cancel.cancel();
        });
        progress = shown;
        report(value);
        return ended;
      });
    } else if (value.kind === "report") {
      report(value);
    }
  });
  try {
    return await send(token, cancel.token);
  } finally {
    end();
    listening.dispose();
    cancel.dispose();
  }
}
