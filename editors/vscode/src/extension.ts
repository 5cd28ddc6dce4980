/** The client of the language server: starts it, tells it the settings, and shows what it finds. All else is LSP. */
import * as vscode from "vscode";
import { Commands, guarded } from "./commands";
import { Pages } from "./pages";
import { Preview } from "./preview";
import { Problem, warnOnce } from "./problems";
import { Secrets } from "./secrets";
import { Environment } from "./server/environment";
import { locate } from "./server/locate";
import { machineKeys, machineSettings } from "./server/options";
import { Requests } from "./server/requests";
import { Session } from "./server/session";
import { StatusItem, type ServerStatus } from "./status";
import { TestingView } from "./testing";

interface Manifest {
  readonly oldestServer: string;
}

let session: Session | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const manifest = context.extension.packageJSON as Manifest;
  const keys = machineKeys(manifest);
  const log = vscode.window.createOutputChannel("Pennyproof", { log: true });
  const secrets = new Secrets(context.secrets);
  const environment = new Environment(context.extensionPath, context.globalStorageUri.fsPath, log);
  const server = new Session({
    log,
    oldest: manifest.oldestServer,
    locate: () => locate(environment),
    environment: async () => ({
      ...(await secrets.environment()),
      // Whatever the user has settled with the server itself: here the editor's word comes first.
      ...(vscode.workspace.isTrusted ? {} : { PENNYPROOF_TRUST: "never" }),
    }),
    options: {
      documentSelector: [{ scheme: "file", language: "python" }],
      outputChannel: log,
      initializationOptions: () => machineSettings(keys),
      middleware: {
        handleDiagnostics: (uri, diagnostics, next) => {
          testing.take(uri, diagnostics);
          next(uri, diagnostics);
        },
      },
    },
  });
  session = server;
  const requests = new Requests(server);
  const status = new StatusItem();
  const pages = new Pages();
  const testing = new TestingView(requests);
  const preview = new Preview(async (offer) => {
    const client = await server.ready();
    const edit = await client?.protocol2CodeConverter.asWorkspaceEdit(offer.edit);
    const applied = edit !== undefined && (await vscode.workspace.applyEdit(edit));
    if (applied) {
      await requests.ask("pennyproof.accepted", { offerId: offer.id });
      void testing.again(offer.verdict.fixed);
    }
    return applied;
  });
  const commands = new Commands(requests, pages, preview);
  const handlers: Record<string, (first: unknown) => Thenable<unknown>> = {
    debug: (first) => commands.debug(first),
    debugTest: (first) => commands.debug(argumentOf(first)),
    edit: (first) => commands.edit(first),
    explain: (first) => commands.explain(first),
    explainTest: (first) => commands.explain(argumentOf(first)),
    runTests: (first) => commands.runTests(first),
    showSpend: () => commands.showSpend(),
    showLastRejections: () => commands.showLastRejections(),
    restartWorkers: () => commands.restartWorkers(),
    trustWorkspace: (first) => commands.trustWorkspace(first),
    accepted: (first) => requests.ask("pennyproof.accepted", first as object),
    prove: (first) => requests.ask("pennyproof.prove", first as object),
    acceptOffer: () => preview.accept(),
    rejectOffer: () => preview.reject(),
    restartServer: () => server.restart(),
    useOwnServer: async () => {
      const settings = vscode.workspace.getConfiguration("pennyproofServer");
      await settings.update("command", undefined, vscode.ConfigurationTarget.Global);
      await settings.update("useOwn", true, vscode.ConfigurationTarget.Global);
    },
    setApiKey: async () => {
      if (await secrets.set()) {
        await server.restart();
      }
    },
    removeApiKey: async () => {
      if (await secrets.remove()) {
        await server.restart();
      }
    },
    showLog: () => {
      log.show();
      return Promise.resolve();
    },
    getStarted: () =>
      vscode.commands.executeCommand("workbench.action.openWalkthrough", `${context.extension.id}#start`),
  };

  context.subscriptions.push(
    log,
    server,
    status,
    pages,
    testing,
    preview,
    server.onWillStart((client) => {
      client.onNotification("pennyproof/status", (told: ServerStatus) => {
        status.told(told);
        // The status bar keeps it in sight, but not what to do about it.
        if (told.kind === "warning" && told.message !== "") {
          warnOnce(new Problem(`${told.message}.`, ["key", "log"]));
        }
      });
    }),
    server.onDidChange((condition) => {
      status.changed(condition);
      void vscode.commands.executeCommand("setContext", "pennyproof.running", condition === "running");
      if (condition !== "running") {
        testing.clear();
      }
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (["pennyproofServer", ...keys].some((key) => event.affectsConfiguration(key))) {
        void server.restart();
      }
    }),
    // The server asks its own question before the first test runs; it knows whether there is a sandbox.
    vscode.workspace.onDidGrantWorkspaceTrust(() => server.restart()),
    ...Object.entries(handlers).map(([name, work]) => vscode.commands.registerCommand(`pennyproof.${name}`, guarded(work))),
  );
  await server.start();
}

export async function deactivate(): Promise<void> {
  await session?.stop();
}

/** A test of the Testing view as the server's commands want it. */
function argumentOf(item: unknown): object | undefined {
  const { id, uri } = item as vscode.TestItem;
  return uri && { uri: uri.toString(), testId: id };
}
