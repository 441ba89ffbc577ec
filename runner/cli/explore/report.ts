import { RECIPE_EVENT_VERSION, type RecipeEvent, type Unstamped } from "../../events/event.ts";
import { noCounts } from "../../events/counts.ts";
import { formatDuration } from "../../language/duration.ts";
import type { ReporterRequest } from "../../report/registry.ts";
import { ReporterGroup } from "../../report/reporter_group.ts";
import type { CommandContext } from "../command.ts";
import type { SeedResult } from "./seed_run.ts";

/** A run for the reports. */
export interface ReportedCase {
  result: SeedResult;
  /** The command that repeats it, if it has failed. */
  command?: string;
}

/** Writes reports about runs, as if they were the cases of one run. Returns whether all were written. */
export async function reportCases(
  reporters: readonly ReporterRequest[],
  cases: readonly ReportedCase[],
  exitCode: number,
  { out, err, env, clock, onStuck }: CommandContext,
): Promise<boolean> {
  const group = await ReporterGroup.open(reporters, {
    ...{ out, err, env, clock },
    ...(onStuck ? { onStuck } : {}),
    quiet: false,
    verbose: false,
  });
  for (const event of runEvents(cases, exitCode)) group.report(event);
  await group.finish();
  return !group.hasFailed;
}

function* runEvents(cases: readonly ReportedCase[], exitCode: number): Generator<RecipeEvent> {
  const counts = noCounts();
  const first = cases[0]?.result.events[0]?.ts ?? new Date(0).toISOString();
  let last = first;
  let duration_ms = 0;
  let real_ms = 0;
  const stamp = (event: Unstamped) => ({ ...event, ts: last }) as RecipeEvent;
  yield stamp({
    type: "run.started",
    version: RECIPE_EVENT_VERSION,
    cases: cases.length,
    server: "embedded",
    clock: "virtual",
  });
  for (const [index, { result, command }] of cases.entries()) {
    const { finished, events, timeline, seed } = result;
    const name = command === undefined ? finished.name : `${finished.name}, seed ${seed}`;
    counts[finished.status]++;
    for (const event of events) {
      if (event.type === "run.finished") {
        duration_ms += event.duration_ms;
        real_ms += event.real_ms ?? 0;
      }
      if (!("case" in event) || event.case !== finished.case) continue;
      last = event.ts;
      if (event.type === "warning") counts.warnings++;
      const own = { ...event, case: index };
      yield (event.type === "case.started" || event.type === "case.finished"
        ? { ...own, name }
        : own) as RecipeEvent;
      if (event.type !== "case.started") continue;
      for (const { at, text, fault } of timeline) {
        if (fault === undefined) continue;
        counts.warnings++;
        const about = `fault at ${formatDuration(at)}: ${text}`;
        yield stamp({ type: "warning", case: index, text: about });
      }
      if (command === undefined) continue;
      counts.warnings++;
      yield stamp({ type: "warning", case: index, text: `repeat it: ${command}` });
    }
  }
  yield stamp({
    type: "run.finished",
    exit_code: exitCode,
    interrupted: exitCode === 130,
    ...{ duration_ms, real_ms, counts },
  });
}
