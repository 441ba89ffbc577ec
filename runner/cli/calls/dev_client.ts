import type { Dispatch } from "../../../client/dispatch.ts";
import type { NamedRequest } from "../../steps/context.ts";
import { type ParsedArgs, UsageError } from "../args.ts";
import type { CommandContext } from "../command.ts";
import { durationOption } from "../options.ts";
import { embeddedServer, knownServer, loadDev, serverOptions } from "../server.ts";
import { printCallError } from "./call_error.ts";
import { waitForEnd } from "./wait_for_end.ts";
import { printResult } from "../call_output.ts";

/** The file of jobs and workflows, and the clock. */
export interface DevClientOptions {
  dev: string;
  isVirtual: boolean;
  /** What is asked for: a name or payload that the file does not know is a mistake. */
  requests: readonly NamedRequest[];
  /** Receives the lines that handlers log. */
  log?: (line: string) => void;
}

/** Lets virtual time skip while a callback runs. In real time it only calls it. */
export type During = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Calls a function with a client of an embedded server that lives as long as the call. Returns its
 * exit code, also if the server refuses a request.
 * @throws {UsageError} If the file cannot be used, or does not know what is asked for.
 */
export async function withDevClient(
  { dev, isVirtual, requests, log }: DevClientOptions,
  context: CommandContext,
  use: (client: Dispatch, during: During) => Promise<number>,
): Promise<number> {
  const workload = await loadDev(dev, context);
  const { requestProblem } = await import("../check_server_names.ts");
  const known = await knownServer(dev, workload);
  for (const request of requests) {
    const problem = await requestProblem(known, request);
    if (problem !== undefined) throw new UsageError(problem);
  }
  const { clock, random, signal } = context;
  const virtual = isVirtual
    ? await (await import("../virtual_run.ts")).startVirtualTime(clock)
    : undefined;
  const server = await embeddedServer({ clock, virtual, dev, workload, ...log ? { log } : {} });
  try {
    const { Dispatch } = await import("../../../client/dispatch.ts");
    const client = await Dispatch.connect({
      url: server.url,
      token: server.token,
      webSocket: server.webSocket!,
      clock: virtual?.clientClock ?? clock,
      ...(virtual ? { pingInterval: 0 } : {}),
      random,
      signal,
    });
    const during: During = virtual?.during.bind(virtual) ?? ((work) => work());
    try {
      return await use(client, during);
    } finally {
      await during(() => client.close());
    }
  } catch (error) {
    return printCallError(error, false, context);
  } finally {
    await server.close();
  }
}

/** A job or run that a call creates. */
interface Created {
  wait(limits: Limits): Promise<unknown>;
}

interface Limits {
  signal: AbortSignal;
  timeout: number;
}

/**
 * Creates a job or run on an embedded server with the definitions of `--dev`, waits until it has
 * ended, and prints its record. What handlers log goes to standard error.
 *
 * @param requests What is asked for.
 * @returns The exit code.
 */
export async function callWithDev(
  requests: readonly NamedRequest[],
  args: ParsedArgs,
  context: CommandContext,
  create: (client: Dispatch, limits: Limits) => Promise<Created>,
): Promise<number> {
  const { dev, isVirtual } = serverOptions(args, context.env);
  const { err, mask, signal } = context;
  const limits = { signal, timeout: durationOption(args, "timeout") ?? 0 };
  const log = (line: string) => err.write(`${mask.text(line)}\n`);
  const options = { dev: dev!, isVirtual, requests, log };
  return await withDevClient(options, context, async (client, during) => {
    const session = { client, limits: () => limits, waitLimits: () => limits };
    return await during(async () =>
      await waitForEnd(await create(client, limits), session, context, {
        onRecord: (record) => printResult(record, args, context),
      })
    );
  });
}
