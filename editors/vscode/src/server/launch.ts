/** How a server is started, and where that was found. */

export type Source = "setting" | "workspace" | "path" | "own";

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly source: Source;
  /** The folder that it is started in; by default the user's own, from which nothing is imported or read. */
  readonly cwd?: string;
}

/** For a person: where the server was found. */
export function describe(launch: Launch): string {
  switch (launch.source) {
    case "setting":
      return `${launch.command}, named by the setting pennyproofServer.command`;
    case "workspace":
      return `${launch.command}, in the project's environment`;
    case "path":
      return `${launch.command}, in the PATH`;
    case "own":
      return "the extension's own environment";
  }
}
