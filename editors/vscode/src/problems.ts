/** What went wrong, told in one message with what to do about it. */
import * as vscode from "vscode";

interface Choice {
  readonly title: string;
  readonly command: string;
  readonly argument?: unknown;
}

/** The buttons that messages may have. */
const CHOICES = {
  settings: { title: "Open Settings", command: "workbench.action.openSettings", argument: "pennyproofServer" },
  again: { title: "Try Again", command: "pennyproof.restartServer" },
  restart: { title: "Restart", command: "pennyproof.restartServer" },
  own: { title: "Use the Extension's Own", command: "pennyproof.useOwnServer" },
  log: { title: "Show Log", command: "pennyproof.showLog" },
  key: { title: "Set API Key", command: "pennyproof.setApiKey" },
  trust: { title: "Manage Workspace Trust", command: "workbench.trust.manage" },
  search: { title: "Search Again", command: "pennyproof.debug" },
} as const satisfies Record<string, Choice>;

export type ChoiceName = keyof typeof CHOICES;

/** Something that the user has to know, and can do something about. */
export class Problem extends Error {
  constructor(
    message: string,
    readonly choices: readonly ChoiceName[],
  ) {
    super(message);
  }
}

/** The user gave up what was under way: nothing has to be said. */
export class GivenUp extends Error {}

const shown = new Set<string>();

/** What was told already, by the messages that are told once. */
const told = new Set<string>();

/** Says, once in a session, what does not keep anyone from working on. */
export function warnOnce(problem: Problem): void {
  if (!told.has(problem.message)) {
    told.add(problem.message);
    tell(problem, vscode.window.showWarningMessage);
  }
}

/** Says it, unless the same message is still to be seen. Returns at once; the buttons work as long as it is shown. */
export function tell(
  problem: Problem,
  show: (message: string, ...titles: string[]) => Thenable<string | undefined> = vscode.window.showErrorMessage,
): void {
  if (shown.has(problem.message)) {
    return;
  }
  shown.add(problem.message);
  const choices = problem.choices.map((name) => CHOICES[name]);
  const titles = choices.map((choice) => choice.title);
  void show(`Pennyproof: ${problem.message}`, ...titles).then(async (title) => {
    shown.delete(problem.message);
    const choice: Choice | undefined = choices.find((candidate) => candidate.title === title);
    if (choice) {
      await vscode.commands.executeCommand(choice.command, ...(choice.argument === undefined ? [] : [choice.argument]));
    }
  });
}

/** A message for a person out of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
