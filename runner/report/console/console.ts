import type { Reporter, ReporterContext } from "../reporter.ts";
import { ConsoleReporter } from "./console_reporter.ts";

/**
 * Opens the `console` reporter: with a live view on a terminal, with plain lines anywhere else.
 *
 * Frames on standard error would break a live view, and a dumb terminal cannot show one.
 */
export async function openReporter(context: ReporterContext): Promise<Reporter> {
  const { output, quiet, verbose, clock, env, saidFailure } = context;
  if (!output.isTerminal || quiet || verbose || env("TERM") === "dumb") {
    return new ConsoleReporter(output, { quiet, saidFailure });
  }
  const { LiveReporter } = await import("./live_reporter.ts");
  return new LiveReporter(output, { clock, saidFailure });
}
