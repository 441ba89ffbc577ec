import { JobFailedError, RunFailedError, TimeoutError } from "../../../client/errors.ts";
import { printResult } from "../call_output.ts";
import type { ParsedArgs } from "../args.ts";
import { type CommandContext, COULD_NOT_RUN } from "../command.ts";
import type { CallSession } from "./call_session.ts";

/** A handle on a job or run. */
interface Handle {
  wait(limits: ReturnType<CallSession["waitLimits"]>): Promise<unknown>;
}

/**
 * Waits until a job or run has ended, and prints its record, also if it failed.
 * @returns The exit code: 1 if it failed, or did not end in time.
 */
export async function printEnd(
  id: string,
  handle: Handle,
  session: CallSession,
  args: ParsedArgs,
  context: CommandContext,
): Promise<number> {
  return await waitForEnd(handle, session, context, {
    onRecord: (record) => printResult(record, args, context),
    async onInterrupt() {
      context.err.write(`It goes on: ${await context.program()} wait ${id}\n`);
    },
  });
}

/** Functions to call while {@linkcode waitForEnd} waits. */
interface WaitListeners {
  /** Called with the final record. */
  onRecord?: (record: unknown) => void;
  /** Called when the user interrupts the wait. */
  onInterrupt?: () => Promise<void>;
}

/**
 * Waits until a job or run has ended, and prints why it failed.
 * @returns The exit code: 1 if it failed, or did not end in time.
 */
export async function waitForEnd(
  handle: Handle,
  session: CallSession,
  { err, mask, signal }: CommandContext,
  { onRecord, onInterrupt }: WaitListeners = {},
): Promise<number> {
  try {
    const record = await handle.wait(session.waitLimits());
    onRecord?.(record);
    return 0;
  } catch (error) {
    if (signal.aborted) await onInterrupt?.();
    const record = error instanceof JobFailedError
      ? error.job
      : error instanceof RunFailedError
      ? error.run
      : undefined;
    if (record === undefined && !(error instanceof TimeoutError)) throw error;
    if (record !== undefined) onRecord?.(record);
    err.write(`error: ${mask.text((error as Error).message)}\n`);
    return record !== undefined || await isConnected(session) ? 1 : COULD_NOT_RUN;
  }
}

/** Whether the client has a connection. Without one, nobody knows whether something has ended. */
async function isConnected({ client }: CallSession): Promise<boolean> {
  for await (const { type } of client.status()) return type === "connected";
  return false;
}
