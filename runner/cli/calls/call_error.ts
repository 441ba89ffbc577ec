import { DispatchError } from "../../../client/errors.ts";
import { UsageError } from "../args.ts";
import { type CommandContext, COULD_NOT_RUN } from "../command.ts";

/** The codes of an answer that says that the caller, not the call, is wrong. */
export const NOT_ALLOWED: ReadonlySet<number | string> = new Set([401, 403, 405]);

/**
 * Prints why a call failed, and returns the exit code: 1 if the server refused it.
 * @param writes Whether the call changes something on the server.
 * @throws {UsageError} If the client refused an option or a payload.
 */
export function printCallError(
  error: unknown,
  writes: boolean,
  context: Pick<CommandContext, "err" | "mask">,
): number {
  const { code } = reportCallError(error, writes, context);
  return typeof code === "number" && !NOT_ALLOWED.has(code) ? 1 : COULD_NOT_RUN;
}

/** Prints why a call failed, and returns its error; any other error is thrown. */
export function reportCallError(
  error: unknown,
  writes: boolean,
  { err, mask }: Pick<CommandContext, "err" | "mask">,
): DispatchError {
  if (!(error instanceof DispatchError)) throw error;
  const message = mask.text(error.message);
  if (error.code === "bad_options" || error.code === "bad_payload") throw new UsageError(message);
  err.write(`error: ${message}\n`);
  const { delivery } = error as { delivery?: unknown };
  if (writes && delivery === "unknown") {
    err.write("The server may have done it: look before you try again.\n");
  }
  return error;
}
