import type { Output } from "../report/reporter.ts";
import type { ParsedArgs } from "./args.ts";
import type { CommandContext } from "./command.ts";

/** A server to run against. */
export interface Server {
  /** Its address. */
  url: string;
  /** What it knows the runner by. */
  token: string;
  /** What the run's events call it. */
  name: string;
  /** Opens a connection to it, where no socket is needed for that. */
  webSocket?: (url: string) => WebSocket;
  /** Stops it, where it is our own. */
  close(): Promise<void>;
}

/** Where the command line or the environment sends a run, and as whom. */
export function serverOptions(
  { values }: ParsedArgs,
  env: CommandContext["env"],
): { url: string | undefined; token: string } {
  return {
    url: values.url ?? env("DISPATCH_URL"),
    token: values.token ?? env("DISPATCH_TOKEN") ?? "demo-token",
  };
}

/** A server somewhere else. */
export function remoteServer(url: string, token: string): Server {
  return { url, token, name: nameOf(url), close: () => Promise.resolve() };
}

/** An address as everybody may read it: what stands before its host or behind its path is secret. */
export function nameOf(url: string): string {
  // A password stands before the host, a key behind the path.
  if (!URL.canParse(url)) return url.replace(/.*@|[?#].*/gs, "");
  const { protocol, host, pathname, username, password, search, hash } = new URL(url);
  return username + password + search + hash === "" ? url : `${protocol}//${host}${pathname}`;
}

/**
 * Starts the embedded server. It listens on no port: a connection inside the process is there at
 * once, and a socket's handshake would be a tenth of a recipe's cold start.
 */
export async function embeddedServer(): Promise<Server> {
  // The whole of its room is more than it takes.
  const [{ createDevServer }, { referenceWorkload }] = await Promise.all([
    import("../../dev/server.ts"),
    import("../../dev/reference_workload.ts"),
  ]);
  const server = await createDevServer({ ...referenceWorkload(), listen: false });
  return {
    url: server.url,
    token: "demo-token",
    name: "embedded",
    webSocket: server.webSocket,
    close: () => server.close(),
  };
}

/** One line that says where a run happens, so that nobody takes the embedded server for a real one. */
export function announce(server: Pick<Server, "name">, output: Output): void {
  if (server.name !== "embedded") return;
  output.write("Using the embedded server inside this process; --url names a real one\n");
}
