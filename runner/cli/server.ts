import type { Clock } from "../../runtime/clock.ts";
import type { Diagnostic } from "../language/diagnostic.ts";
import type { Recipe } from "../language/model.ts";
import type { Output } from "../report/reporter.ts";
import { DevFileError, type ParsedArgs, UsageError } from "./args.ts";
import type { KnownServer } from "./check_server_names.ts";
import type { CommandContext } from "./command.ts";
import { virtualOption } from "./options.ts";
import type { VirtualRun } from "./virtual_run.ts";

type Workload = import("../../dev/mod.ts").Workload;

/** A server to run recipes against. */
export interface Server {
  /** Its address. */
  url: string;
  /** The token that the runner authenticates with. */
  token: string;
  /** Its name in run events. */
  name: string;
  /** The file of jobs and workflows that an embedded server runs, if it is not the reference one. */
  dev?: string;
  /** The virtual time that the server has; absent if its time is real. */
  virtual?: VirtualRun | undefined;
  /** Opens a connection inside the process; absent for a remote server. */
  webSocket?: (url: string) => WebSocket;
  /** Stops an embedded server; does nothing for a remote one. */
  close(): Promise<void>;
}

/** Which server a command line names. */
export interface ServerOptions {
  /** The address; absent for the embedded server. */
  url: string | undefined;
  /** The token for a server that runs elsewhere. */
  token: string;
  /** The file of jobs and workflows for the embedded server; absent for the reference workload. */
  dev: string | undefined;
  /** Whether the time is virtual. */
  isVirtual: boolean;
}

/**
 * Reads the server from the command line or the environment.
 * @throws {UsageError} When the command line names two.
 */
export function serverOptions({ values }: ParsedArgs, env: CommandContext["env"]): ServerOptions {
  const { url, token, dev, clock } = values;
  if (dev !== undefined && url !== undefined) {
    throw new UsageError("--dev runs a server inside the runner, so it cannot be used with --url");
  }
  // What the command line says wins over the environment.
  const address = dev === undefined ? url ?? env("DISPATCH_URL") : undefined;
  const isVirtual = virtualOption(clock);
  if (isVirtual && address !== undefined) {
    const why = url === undefined ? "DISPATCH_URL is set" : "it cannot be used with --url";
    throw new UsageError(`--clock virtual needs a server inside the runner, but ${why}`);
  }
  return {
    url: address,
    token: token ?? env("DISPATCH_TOKEN") ?? "demo-token",
    dev,
    isVirtual,
  };
}

/**
 * A server that runs elsewhere.
 * @throws {UsageError} If the token is empty, as that of a variable without a value is.
 */
export function remoteServer(url: string, token: string): Server {
  if (token === "") throw new UsageError("The access token of --token or DISPATCH_TOKEN is empty");
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

/** Loads the file that `--dev` names, if the command line has that option. */
export async function loadDev(
  file: string | undefined,
  context: Pick<CommandContext, "guard" | "signal">,
): Promise<Workload | undefined> {
  if (file === undefined) return undefined;
  const { loadDevFile } = await import("./dev_file.ts");
  return await loadDevFile(file, context);
}

/**
 * Describes the embedded server, for checks of names.
 *
 * @param isAssumed Whether the command line names no server.
 */
export async function knownServer(
  dev: string | undefined,
  workload: Workload | undefined,
  isAssumed = false,
): Promise<KnownServer> {
  const [{ WorkloadDescription }, found] = await Promise.all([
    import("../../dev/describe_workload.ts"),
    workload ?? referenceWorkload(),
  ]);
  return { workload: new WorkloadDescription(found), dev, isAssumed };
}

/**
 * Finds names that the embedded server does not know. Without `dev`, recipes may be meant for another
 * server; then it looks only at those that the embedded one could run.
 */
export async function unknownNames(
  recipes: readonly Recipe[],
  dev: string | undefined,
  workload: Workload | undefined,
): Promise<Diagnostic[]> {
  const { checkNames } = await import("./check_server_names.ts");
  return await checkNames(recipes, await knownServer(dev, workload, dev === undefined));
}

/** Settings of {@linkcode embeddedServer}. */
export interface EmbeddedServerOptions {
  /** The clock of the server, if its time is real. */
  clock: Clock;
  /** Virtual time. */
  virtual?: VirtualRun | undefined;
  /**
   * The jobs and workflows.
   * @default {the reference workload}
   */
  workload?: Workload | undefined;
  /** The file that the workload is from. */
  dev?: string | undefined;
  /** Receives the lines that handlers log. */
  log?: (line: string) => void;
  /** Returns a random number in the range [0, 1). */
  random?: () => number;
  /** Called around each piece of work of the server. */
  aroundWork?: import("../../dev/mod.ts").AroundWork;
  /** Callbacks for what happens in the server. */
  observer?: import("../../dev/mod.ts").Observer;
}

/**
 * Starts the embedded server. It does not listen on a port: the handshake of a socket would be a
 * tenth of a recipe's cold start, and a connection inside the process needs none.
 *
 * @throws {UsageError} When the server refuses the workload.
 */
export async function embeddedServer(options: EmbeddedServerOptions): Promise<Server> {
  const { dev, virtual, log, random, aroundWork, observer } = options;
  // Not from `dev/mod.ts`, which would load much more.
  const [{ createDevServer }, workload] = await Promise.all([
    import("../../dev/server.ts"),
    options.workload ?? referenceWorkload(),
  ]);
  const server = await createDevServer({
    ...workload,
    listen: false,
    clock: virtual?.clock ?? options.clock,
    ...(log ? { log } : {}),
    ...(random ? { random } : {}),
    ...(aroundWork ? { aroundWork } : {}),
  }).catch((error) => {
    throw dev === undefined ? error : refusedWorkload(dev, error);
  });
  if (observer) server.observe(observer);
  const tokens = Object.keys(workload.tokens ?? {});
  return {
    url: server.url,
    token: tokens[0] ?? "demo-token",
    name: "embedded",
    ...(dev === undefined ? {} : { dev }),
    virtual,
    webSocket: server.webSocket,
    close: () => server.close(),
  };
}

/** The jobs and workflows of the embedded server when the command line names none. */
export async function referenceWorkload(): Promise<Workload> {
  return (await import("../../dev/reference_workload.ts")).referenceWorkload();
}

/** Returns the error for a file whose exports the server refuses, such as wrong queues. */
function refusedWorkload(file: string, error: Error & { code?: string }): Error {
  if (error.code !== "bad_options" && error.code !== "bad_schedule") return error;
  return new DevFileError(`Cannot use workload '${file}': ${error.message}`);
}

/** Prints a line if the server is the embedded one, so that nobody takes it for a real one. */
export function announceServer(
  { name, dev, virtual }: Pick<Server, "name" | "dev" | "virtual">,
  output: Output,
): void {
  if (name !== "embedded") return;
  const what = dev === undefined ? "the embedded server" : `${dev} on the embedded server`;
  const time = virtual ? " in virtual time" : "";
  const hint = dev === undefined && !virtual ? "; set --url or DISPATCH_URL to use a real one" : "";
  output.write(`Using ${what}${time}${hint}\n`);
}
