import { JobFailedError, RunFailedError, TimeoutError } from "../../../client/errors.ts";
import { printResult } from "../call_output.ts";
import type { ParsedArgs } from "../args.ts";
import { type CommandContext, COULD_NOT_RUN, PROGRAM } from "../command.ts";
import type { CallSession } from "./call_session.ts";

/**
 * Waits until a job or run has ended, and prints its record, also if it failed.
 * @returns The exit code: 1 if it failed, or did not end in time.
 */
export async function waitForEnd(
  id: string,
  handle: { wait(limits: ReturnType<CallSession["waitLimits"]>): Promise<unknown> },
  session: CallSession,
  args: ParsedArgs,
  context: CommandContext,
): Promise<number> {
  const { err, mask, signal } = context;
  try {
    printResult(await handle.wait(session.waitLimits()), args, context);
    return 0;
  } catch (error) {
    if (signal.aborted) err.write(`It goes on: ${PROGRAM} wait ${id}\n`);
    const record = error instanceof JobFailedError
      ? error.job
      : error instanceof RunFailedError
      ? error.run
      : undefined;
    if (record === undefined && !(error instanceof TimeoutError)) throw error;
    if (record !== undefined) printResult(record, args, context);
    err.write(`error: ${mask.text((error as Error).message)}\n`);
    return record !== undefined || await isConnected(session) ? 1 : COULD_NOT_RUN;
  }
}

/** Whether the client has a connection. Without one, nobody knows whether something has ended. */
async function isConnected({ client }: CallSession): Promise<boolean> {
  for await (const { type } of client.status()) return type === "connected";
  return false;
}
