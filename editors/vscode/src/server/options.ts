/** The settings that the server takes from its start alone: editors fill all others from files of the workspace. */
import * as vscode from "vscode";

interface Manifest {
  contributes: { configuration: { properties: Record<string, { scope?: string }> } };
}

/** The keys of settings that belong to the machine. */
export function machineKeys(manifest: unknown): string[] {
  const { properties } = (manifest as Manifest).contributes.configuration;
  return Object.keys(properties).filter(
    (key) => key.startsWith("pennyproof.") && properties[key]?.scope === "machine",
  );
}

/** Those of them that are set, nested as the server reads them. */
export function machineSettings(keys: readonly string[]): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  const configuration = vscode.workspace.getConfiguration();
  for (const key of keys) {
    const value = configuration.get<unknown>(key);
    if (value === null || value === undefined) {
      continue;
    }
    const path = key.split(".").slice(1);
    const name = path.pop() ?? "";
    let section = settings;
    for (const part of path) {
      section = (section[part] ??= {}) as Record<string, unknown>;
    }
    section[name] = value;
  }
  return settings;
}
