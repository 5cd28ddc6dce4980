/** The key of the model: kept by the editor, handed to the server in its environment, and nowhere else. */
import * as vscode from "vscode";

const NAME = "apiKey";

export class Secrets {
  constructor(private readonly store: vscode.SecretStorage) {}

  /** What the server gets: where the user has given a key here, it goes before the one of the environment. */
  async environment(): Promise<Record<string, string | undefined>> {
    const key = await this.store.get(NAME);
    return key === undefined ? {} : { PENNYPROOF_API_KEY: key, DEEPSEEK_API_KEY: undefined };
  }

  /** Asks for a key and keeps it; whether there is a new one. */
  async set(): Promise<boolean> {
    const given = await vscode.window.showInputBox({
      title: "Pennyproof: Set API Key",
      prompt: "The key of the model's provider. It is kept in the editor's secret storage.",
      password: true,
      ignoreFocusOut: true,
      validateInput: (text) =>
        /^\S+$/.test(text.trim()) ? undefined : "A key is one word, as the provider shows it.",
    });
    if (given === undefined) {
      return false;
    }
    await this.store.store(NAME, given.trim());
    return true;
  }

  /** Forgets it; whether there was one. */
  async remove(): Promise<boolean> {
    const had = (await this.store.get(NAME)) !== undefined;
    await this.store.delete(NAME);
    return had;
  }
}
