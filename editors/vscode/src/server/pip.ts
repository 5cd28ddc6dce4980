/** Reads in what pip wrote why it failed. */

const NO_NETWORK =
  /Failed to establish a new connection|Temporary failure in name resolution|Name or service not known|getaddrinfo failed|Network is unreachable|Connection refused|ConnectTimeoutError|ProxyError|Max retries exceeded/i;

/** One sentence for a person. */
export function whyPipFailed(text: string): string {
  if (NO_NETWORK.test(text)) {
    return "the packages that its server needs could not be downloaded: the package index cannot be reached. Check the network (and the proxy), then try again.";
  }
  const errors = text.split(/\r?\n/).filter((line) => line.startsWith("ERROR: "));
  const last = errors.at(-1)?.slice("ERROR: ".length);
  return `pip could not install its server${last === undefined ? "" : `: ${last}`}. The log has all that it said.`;
}
