import type { RunEvent } from "../../runner/mod.ts";
import { REPORTERS } from "../../runner/report/registry.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** What a reporter writes when it is told these events, and that there are no more. */
export async function reportOf(
  name: string,
  events: Iterable<RunEvent>,
  env: Record<string, string> = {},
): Promise<string> {
  const parts: string[] = [];
  const { openReporter } = await REPORTERS[name]!.load();
  const reporter = await openReporter({
    output: {
      write: (text) => void parts.push(text),
      isTerminal: false,
      color: false,
      columns: 80,
    },
    quiet: false,
    verbose: false,
    clock: new FakeClock(),
    env: (variable) => env[variable],
  });
  for (const event of events) reporter.report(event);
  await reporter.finish?.();
  return parts.join("");
}
