import type { Clock } from "../../runtime/clock.ts";
import type { Output } from "../report/reporter.ts";
import type { ParsedArgs } from "./args.ts";
import type { CommandContext } from "./command.ts";

/** A server to run recipes against. */
export interface Server {
  /** Its address. */
  url: string;
  /** The token that the runner authenticates with. */
  token: string;
  /** Its name in run events. */
  name: string;
  /** Opens a connection inside the process; absent for a remote server. */
  webSocket?: (url: string) => WebSocket;
  /** Stops an embedded server; does nothing for a remote one. */
  close(): Promise<void>;
}

/** Reads the address and token of the server from the command line or the environment. */
export function serverOptions(
  { values }: ParsedArgs,
  env: CommandContext["env"],
): { url: string | undefined; token: string } {
  return {
    url: values.url ?? env("DISPATCH_URL"),
    token: values.token ?? env("DISPATCH_TOKEN") ?? "demo-token",
  };
}

/** A server that runs elsewhere. */
export function remoteServer(url: string, token: string): Server {
  return { url, token, name: publicUrl(url), close: () => Promise.resolve() };
}

/** An address without its user, password, query and fragment, which may contain secrets. */
export function publicUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  // Without `ws://` the user would be taken for the scheme.
  if (!parsed?.host) return url.replace(/.*@|[?#].*/gs, "");
  const { protocol, host, pathname, username, password, search, hash } = parsed;
  return username + password + search + hash === "" ? url : `${protocol}//${host}${pathname}`;
}

/**
 * Starts the embedded server. It does not listen on a port: the handshake of a socket would be a
 * tenth of a recipe's cold start, and a connection inside the process needs none.
 */
export async function embeddedServer(clock: Clock): Promise<Server> {
  // Not from `dev/mod.ts`, which would load much more.
  const [{ createDevServer }, { referenceWorkload }] = await Promise.all([
    import("../../dev/server.ts"),
    import("../../dev/reference_workload.ts"),
  ]);
  const server = await createDevServer({ ...referenceWorkload(), listen: false, clock });
  return {
    url: server.url,
    token: "demo-token",
    name: "embedded",
    webSocket: server.webSocket,
    close: () => server.close(),
  };
}

/** Prints a line if the server is the embedded one, so that nobody takes it for a real one. */
export function announceServer(server: Pick<Server, "name">, output: Output): void {
  if (server.name !== "embedded") return;
  output.write("Using the embedded server; set --url or DISPATCH_URL to use a real one\n");
}
