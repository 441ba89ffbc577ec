import type { Dispatch } from "../../../client/dispatch.ts";
import type { DispatchOptions } from "../../../client/options.ts";
import { monotonicNow } from "../../../runtime/clock.ts";
import { type OptionSpecs, type ParsedArgs, UsageError } from "../args.ts";
import type { CommandContext } from "../command.ts";
import { durationOption } from "../options.ts";
import { serverOptions } from "../server.ts";
import { printCallError } from "./call_error.ts";

/** The options that all single calls have. */
export const CALL_OPTIONS: OptionSpecs = {
  url: { value: "URL", description: "URL of the server. Default: DISPATCH_URL." },
  token: { value: "TOKEN", description: "Token for the server. Default: DISPATCH_TOKEN." },
  timeout: {
    value: "DURATION",
    description: "How long all of it may take. Default: 30s for a call, no limit for a wait.",
  },
  json: { description: "Print JSON, one line for each result." },
};

/** The option of calls that create a job or a run. */
export const WAIT_OPTION: OptionSpecs = {
  wait: { description: "Wait until it has ended, and print its record." },
};

/** The exit codes of single calls, for their help. */
export const CALL_EXIT_CODES = `
Exit codes: 0 done; 1 the server refused, or what was waited for failed;
2 invalid command line, nothing was sent; 3 no answer or no permission;
130 interrupted.
`;

/** How long a call may take if the command line does not say it, in milliseconds. */
const DEFAULT_TIMEOUT = 30_000;

/** How long a client takes at most to connect, in milliseconds. */
const CONNECT_TIMEOUT = 10_000;

/** A connected client and the limits of its calls. */
export interface CallSession {
  client: Dispatch;
  /** The limits of the next call: what is left of `--timeout`, or the usual time. */
  limits(): { signal: AbortSignal; timeout: number };
  /** The limits of a wait: what is left of `--timeout`, or none. */
  waitLimits(): { signal: AbortSignal; timeout: number };
}

/** Settings of {@linkcode withClient}. */
export interface CallSettings {
  /** Whether the call changes something on the server. */
  writes?: boolean;
  /** Whether the command has the option `--dev`. */
  hasDev?: boolean;
  /** More options of the client. */
  client?: Partial<DispatchOptions>;
}

/**
 * Connects a client and calls a function with it. Returns the exit code, also if the server cannot
 * be reached or refuses the call.
 * @throws {UsageError} If the options are wrong; nothing was sent then.
 */
export async function withClient(
  args: ParsedArgs,
  context: CommandContext,
  settings: CallSettings,
  use: (session: CallSession) => Promise<number>,
): Promise<number> {
  const { url, token, isVirtual } = serverOptions(args, context.env);
  if (isVirtual) throw new UsageError("--clock virtual goes with --dev");
  if (url === undefined) {
    const own = settings.hasDev ? ", or use --dev FILE" : "";
    throw new UsageError(`No server: set --url or DISPATCH_URL${own}`);
  }
  const total = durationOption(args, "timeout");
  const { clock, random, signal, mask } = context;
  mask.add(token);
  const began = monotonicNow(clock);
  const left = (otherwise: number) =>
    total ? Math.max(1, Math.ceil(total - (monotonicNow(clock) - began))) : total ?? otherwise;
  try {
    const { Dispatch } = await import("../../../client/dispatch.ts");
    const client = await Dispatch.connect({
      url,
      token,
      clock,
      random,
      signal,
      connectTimeout: Math.min(left(CONNECT_TIMEOUT) || CONNECT_TIMEOUT, CONNECT_TIMEOUT),
      ...settings.client,
    });
    try {
      return await use({
        client,
        limits: () => ({ signal, timeout: left(DEFAULT_TIMEOUT) }),
        waitLimits: () => ({ signal, timeout: left(0) }),
      });
    } finally {
      await client.close();
    }
  } catch (error) {
    return printCallError(error, settings.writes ?? false, context);
  }
}

/**
 * Prints to standard error when the connection is lost, and when there is one again. Ends with the
 * client.
 */
export async function reportStatus(
  { client }: CallSession,
  { err }: Pick<CommandContext, "err">,
): Promise<void> {
  let isLost = false;
  for await (const status of client.status()) {
    if (status.type === "disconnected") {
      isLost = true;
      err.write(`The connection was lost: ${status.cause.message}\n`);
    } else if (status.type === "connected" && isLost) {
      isLost = false;
      err.write("Connected again\n");
    }
  }
}

/**
 * Checks how many arguments a call has, and returns them.
 * @param names The names of its arguments; those that it can do without end with `?`.
 * @throws {UsageError} If one is missing or empty, or if there are too many.
 */
export function callArguments(
  { positional }: ParsedArgs,
  command: string,
  names: readonly string[],
): string[] {
  const usage = names.map((name) => name.endsWith("?") ? `[${name.slice(0, -1)}]` : name).join(" ");
  const missing = names.find((name, i) => !name.endsWith("?") && !positional[i]);
  if (missing !== undefined) throw new UsageError(`${command} needs ${missing}`);
  if (positional.length <= names.length) return positional;
  const takes = usage === "" ? "no argument" : `${usage}; quote a text that has spaces`;
  throw new UsageError(`${command} takes ${takes}`);
}

/** What an id is of. */
export type IdKind = "job" | "run";

/**
 * Tells from an id whether it is that of a job or a run.
 * @throws {UsageError} If it is neither.
 */
export function kindOfId(id: string): IdKind {
  if (/^job_\w+$/.test(id)) return "job";
  if (/^wfrun_\w+$/.test(id)) return "run";
  throw new UsageError(`'${id}' is the id of neither a job (job_…) nor a run (wfrun_…)`);
}
