import type { RecipeEvent } from "../../runner/mod.ts";
import { REPORTERS } from "../../runner/report/registry.ts";
import type { ReporterContext } from "../../runner/report/reporter.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** The context of a reporter that writes to a function, with a clock that stands still. */
export function reporterContext(
  write: (text: string) => void,
  env: Record<string, string> = {},
): ReporterContext {
  return {
    output: { write, isTerminal: false, color: false, columns: 80 },
    quiet: false,
    verbose: false,
    clock: new FakeClock(),
    env: (name) => env[name],
  };
}

/** Returns what a reporter writes about these events. */
export async function reportOf(
  name: string,
  events: Iterable<RecipeEvent>,
  env: Record<string, string> = {},
): Promise<string> {
  const parts: string[] = [];
  const { openReporter } = await REPORTERS[name]!.load();
  const reporter = await openReporter(reporterContext((text) => void parts.push(text), env));
  for (const event of events) reporter.report(event);
  await reporter.finish?.();
  return parts.join("");
}
