// The client of the language server: starts it, tells it the settings, and shows how it is. All else is LSP.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

/** @type {LanguageClient | undefined} */
let client;

/** @param {vscode.ExtensionContext} context */
exports.activate = async function activate(context) {
  const keys = machineKeys(context.extension.packageJSON);
  const [command, ...args] = vscode.workspace.getConfiguration("pennyproofServer").get("command", ["pennyproof", "serve"]);
  client = new LanguageClient(
    "pennyproof",
    "Pennyproof",
    { command, args },
    {
      documentSelector: [{ scheme: "file", language: "python" }],
      initializationOptions: () => machineSettings(keys),
      middleware: {
        executeCommand: async (name, given, next) => {
          // Without an argument the command comes from the palette.
          const told = given.length ? given[0] : await argument(name);
          return told && next(name, [told]);
        },
      },
    },
  );
  const item = vscode.window.createStatusBarItem("pennyproof", vscode.StatusBarAlignment.Right);
  item.name = "Pennyproof";
  item.command = "pennyproof.showSpend";
  context.subscriptions.push(
    item,
    client.onNotification("pennyproof/status", (status) => show(item, status)),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (["pennyproofServer", ...keys].some((key) => event.affectsConfiguration(key))) {
        await client?.restart();
      }
    }),
  );
  try {
    await client.start();
  } catch (error) {
    const choice = await vscode.window.showErrorMessage(
      `Pennyproof's server does not start: ${error.message}. Install it with "pip install pennyproof", or say where it is.`,
      "Open Settings",
    );
    if (choice) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "pennyproofServer.command");
    }
  }
};

exports.deactivate = () => client?.stop();

/**
 * The settings that a workspace cannot change: editors fill the others from files of the repository, so that the server
 * takes these from nowhere but its start.
 */
function machineKeys(manifest) {
  const properties = manifest.contributes.configuration.properties;
  return Object.keys(properties).filter((key) => key.startsWith("pennyproof.") && properties[key].scope === "machine");
}

/** @param {string[]} keys */
function machineSettings(keys) {
  const settings = {};
  for (const key of keys) {
    const value = vscode.workspace.getConfiguration().get(key);
    if (value !== null && value !== undefined) {
      const [, ...path] = key.split(".");
      const name = path.pop();
      const section = path.reduce((at, part) => (at[part] ??= {}), settings);
      section[name] = value;
    }
  }
  return settings;
}

/** What a command is about: the file that is being edited, and what is selected there. Undefined: the user gave up. */
async function argument(name) {
  const editor = vscode.window.activeTextEditor;
  if (!editor || editor.document.languageId !== "python") {
    return {};
  }
  const uri = client.code2ProtocolConverter.asUri(editor.document.uri);
  const range = client.code2ProtocolConverter.asRange(editor.selection);
  switch (name) {
    case "pennyproof.edit": {
      const prompt = "What should be done? With nothing said, the function at the cursor is written as its docstring describes.";
      const instruction = await vscode.window.showInputBox({ title: "Pennyproof: Edit the Selection", prompt });
      return instruction === undefined ? undefined : { uri, range, instruction };
    }
    case "pennyproof.explain":
      return { uri, range };
    case "pennyproof.debug":
      return editor.selection.isEmpty ? { uri } : { uri, range };
    default:
      return { uri };
  }
}

/** @param {vscode.StatusBarItem} item */
function show(item, status) {
  const icons = { busy: "$(sync~spin)", warning: "$(warning)", error: "$(error)", inactive: "$(circle-slash)" };
  item.text = `${icons[status.kind] ?? "$(verified)"} Pennyproof`;
  const model = status.model ? `${status.model}, ${status.spentTodayUsd.toFixed(4)} USD today` : "no key: free tier only";
  item.tooltip = [status.message, model].filter(Boolean).join("\n");
  item.show();
}
