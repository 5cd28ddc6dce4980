/** The item of the status bar: which model and tier are at work, what was spent today; a click shows the spending. */
import * as vscode from "vscode";
import type { Condition } from "./server/session";

/** What the server tells by `pennyproof/status`. */
export interface ServerStatus {
  readonly kind: "normal" | "busy" | "warning" | "error" | "inactive";
  readonly message: string;
  readonly spentTodayUsd: number;
  readonly model: string | null;
  readonly tier?: string | null;
}

const ICONS = {
  normal: "$(verified)",
  busy: "$(sync~spin)",
  warning: "$(warning)",
  error: "$(error)",
  inactive: "$(circle-slash)",
};

export class StatusItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("pennyproof", vscode.StatusBarAlignment.Right);
  private condition: Condition = "starting";
  private status: ServerStatus | undefined;

  constructor() {
    this.item.name = "Pennyproof";
  }

  /** The server came or went. */
  changed(condition: Condition): void {
    this.condition = condition;
    if (condition !== "running") {
      this.status = undefined;
    }
    this.show();
  }

  /** The server says how it is. */
  told(status: ServerStatus): void {
    this.status = status;
    this.show();
  }

  dispose(): void {
    this.item.dispose();
  }

  private show(): void {
    const { item, status } = this;
    item.backgroundColor = undefined;
    if (this.condition !== "running") {
      const stopped = this.condition === "stopped";
      item.text = stopped ? "$(error) Pennyproof: stopped" : "$(loading~spin) Pennyproof";
      item.tooltip = stopped ? "The server does not run. A click starts it." : "The server is being started.";
      item.command = stopped ? "pennyproof.restartServer" : "pennyproof.showLog";
    } else if (!vscode.workspace.isTrusted) {
      item.text = "$(shield) Pennyproof: restricted";
      item.tooltip = tooltip(status);
      item.command = "workbench.trust.manage";
    } else {
      item.text = status ? `${ICONS[status.kind]} ${summary(status)}` : "$(verified) Pennyproof";
      item.tooltip = tooltip(status);
      item.command = "pennyproof.showSpend";
      if (status?.kind === "warning" || status?.kind === "error") {
        item.backgroundColor = new vscode.ThemeColor(`statusBarItem.${status.kind}Background`);
      }
    }
    item.show();
  }
}

function summary(status: ServerStatus): string {
  const model = status.model ?? "Pennyproof: no key";
  const tier = status.tier == null ? "" : ` (${status.tier})`;
  return status.model === null && status.spentTodayUsd === 0
    ? `${model}${tier}`
    : `${model}${tier} $${status.spentTodayUsd.toFixed(4)}`;
}

function tooltip(status: ServerStatus | undefined): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  text.isTrusted = { enabledCommands: ["pennyproof.setApiKey", "pennyproof.showSpend", "pennyproof.showLog"] };
  text.appendMarkdown("**Pennyproof**\n\n");
  if (status?.message) {
    text.appendText(`${status.message}\n\n`);
  }
  if (!vscode.workspace.isTrusted) {
    text.appendMarkdown("The workspace is not trusted: no test runs, and nothing is sent to a model.\n\n");
  } else if (!status) {
    text.appendText("The server is ready.\n\n");
  } else if (status.model === null) {
    text.appendMarkdown("No model can be asked: the free tier is at work. [Set API Key](command:pennyproof.setApiKey)\n\n");
  } else {
    text.appendText(`${status.model} is asked first; ${status.spentTodayUsd.toFixed(4)} USD were spent today.\n\n`);
  }
  text.appendMarkdown("[Spending](command:pennyproof.showSpend) · [Log](command:pennyproof.showLog)");
  return text;
}
