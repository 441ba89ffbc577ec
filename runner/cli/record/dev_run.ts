import type { Dispatch } from "../../../client/dispatch.ts";
import { RunFailedError } from "../../../client/errors.ts";
import { type ParsedArgs, UsageError } from "../args.ts";
import { callArguments } from "../calls/call_session.ts";
import { withDevClient } from "../calls/dev_client.ts";
import { eventsToPublish, type EventToPublish, publishRequests } from "../calls/publish_option.ts";
import { jsonArgument } from "../calls/json_argument.ts";
import type { CommandContext } from "../command.ts";
import { durationOption } from "../options.ts";
import { readRun, type RecordedRun } from "./recorded_run.ts";

/** A run to start on the embedded server. */
interface NewRun {
  name: string;
  input: unknown;
  /** The events to publish once it has started. */
  events: readonly EventToPublish[];
}

/** How long a request may take, in milliseconds. */
const REQUEST_TIMEOUT = 30_000;

/**
 * Starts the workflow that the command line names on an embedded server with the definitions of
 * `--dev`, and reads its run once it has ended.
 *
 * @returns The exit code of `use`, or that of the failure.
 * @throws {UsageError} If there is no such workflow, or if the command line is wrong.
 */
export async function withDevRun(
  args: ParsedArgs,
  dev: string,
  isVirtual: boolean,
  context: CommandContext,
  use: (recorded: RecordedRun) => Promise<number>,
): Promise<number> {
  const run = await readNewRun(args, context);
  const timeout = durationOption(args, "timeout") ?? 0;
  const { signal } = context;
  // A run that fails because of its input can be recorded, too.
  const requests = [{ start: run.name }, ...publishRequests(run.events)];
  return await withDevClient({ dev, isVirtual, requests }, context, async (client, during) => {
    return await use(await during(() => runToEnd(client, run, signal, timeout)));
  });
}

/** Starts a run, publishes its events, and reads it when it and what it spawned have ended. */
async function runToEnd(
  client: Dispatch,
  { name, input, events }: NewRun,
  signal: AbortSignal,
  timeout: number,
): Promise<RecordedRun> {
  const read = (id: string) => readRun(client, id, () => ({ signal, timeout: REQUEST_TIMEOUT }));
  const run = await client.startWorkflow(name, input, { signal });
  for (const event of events) await client.publishEvent(event.name, event.payload, { signal });
  await ended(run, { signal, timeout });
  const recorded = await read(run.run_id);
  if (recorded.spawned.size === 0) return recorded;
  for (const id of recorded.spawned.keys()) await ended(client.run(id), { signal, timeout });
  return await read(run.run_id);
}

/** Waits for the end of a run. A failed run is recorded like any other. */
async function ended(
  run: ReturnType<Dispatch["run"]>,
  limits: { signal: AbortSignal; timeout: number },
): Promise<void> {
  await run.wait(limits).catch((error) => {
    if (!(error instanceof RunFailedError)) throw error;
  });
}

/** Reads what to run from the command line. */
async function readNewRun(args: ParsedArgs, context: CommandContext): Promise<NewRun> {
  const [name, json] = callArguments(args, "record", ["NAME", "JSON?"]);
  if (/^wfrun_\w+$/.test(name!)) {
    throw new UsageError("With --dev, record starts a run itself: name a workflow, not a run");
  }
  const input = await jsonArgument(json, "input", context);
  return { name: name!, input, events: await eventsToPublish(args, context) };
}
