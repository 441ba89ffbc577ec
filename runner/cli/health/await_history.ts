import { pause } from "../../../runtime/clock.ts";
import { HistoryError } from "../../history/error.ts";
import type { CommandContext } from "../command.ts";

/** The time between two attempts, in milliseconds. */
const INTERVAL = 2_000;

/**
 * Does what opens a history. While the disk is full or somebody else holds the file, it says so and tries
 * again: a schedule that ended would watch nothing any more after that is over.
 *
 * @param open Throws a {@linkcode HistoryError}, or an error with one as its cause.
 * @throws {Error} If another attempt would fail, too, or if the signal is aborted.
 */
export async function awaitHistory<T>(
  open: () => Promise<T>,
  { clock, signal, err }: Pick<CommandContext, "clock" | "signal" | "err">,
): Promise<T> {
  let wasTold = false;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      const { message, cause } = error as Error;
      const reason = error instanceof HistoryError ? error : cause;
      const mayPass = reason instanceof HistoryError && reason.mayPass;
      if (!mayPass || signal.aborted) throw error;
      if (!wasTold) err.write(`warning: ${message}; nothing is checked until it can be used\n`);
      wasTold = true;
      if (!await pause(INTERVAL, { signal, clock })) throw error;
    }
  }
}
