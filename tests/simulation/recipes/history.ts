import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandContext } from "../../../runner/cli/command.ts";
import { lastFailed } from "../../../runner/cli/last_failed.ts";
import type { PlannedCase } from "../../../runner/engine/run.ts";
import { caseKey } from "../../../runner/history/case_key.ts";
import { HistoryRecorder } from "../../../runner/history/recorder.ts";
import { HistoryStore } from "../../../runner/history/store.ts";
import type { RecipeEvent } from "../../../runner/mod.ts";
import type { Clock } from "../../../runtime/clock.ts";

/** One run of so many is recorded in a history. */
const RECORDED = 8;

/** What the runner calls its server if no address is given. */
const SERVER = "embedded";

type Finished = Extract<RecipeEvent, { type: "case.finished" }>;

/** How long before a run the earlier one was, in milliseconds. */
const EARLIER = 3_600_000;

/** Returns an earlier run, in which each case that was started ended otherwise. */
function earlierRun(events: readonly RecipeEvent[]): RecipeEvent[] {
  return events.map((event) => {
    const ts = new Date(Date.parse(event.ts) - EARLIER).toISOString();
    if (event.type !== "case.finished") return { ...event, ts };
    const hasPassed = event.status === "passed";
    return { ...event, ts, status: hasPassed ? "failed" : "passed", flaky: !hasPassed };
  });
}

/**
 * Records a run in a history after an earlier one, and asks which cases `--last-failed` would run:
 * returns what is wrong. Every case runs that has not passed in its last run; those that were interrupted
 * or not started are not recorded.
 */
export async function* checkHistory(
  events: readonly RecipeEvent[],
  cases: readonly (PlannedCase & { name: string })[],
  { clock, seed }: { clock: Clock; seed: number },
): AsyncIterable<string> {
  if (seed % RECORDED !== 1) return;
  const folder = await mkdtemp(join(tmpdir(), "dispatch-history-"));
  const path = join(folder, "history.db");
  const problems: string[] = [];
  const options = { create: true, clock, warn: (text: string) => void problems.push(text) };
  try {
    const finished = new Map<number, Finished>();
    for (const run of [earlierRun(events), events]) {
      const recorder = new HistoryRecorder(await HistoryStore.open(path, options), options.warn);
      for (const event of run) {
        const told = recorder.annotate(
          event.type === "run.started" ? { ...event, server: SERVER } : event,
        );
        if (told.type !== "case.finished" || run !== events) continue;
        const { usual, status } = told;
        const { runs, failed, flaky } = usual ?? {};
        const right = status === "passed" ? [1, 1, 0] : [1, 0, 1];
        const said = [runs, failed, flaky];
        if (status === "interrupted" || `${said}` === `${right}`) continue;
        problems.push(`case ${told.case} usually is ${said}, not ${right}`);
      }
      await recorder.finish();
    }
    for (const event of events) {
      if (event.type === "case.finished") finished.set(event.case, event);
    }
    const context = { env: () => undefined, err: { write() {} }, clock } as unknown;
    const args = { positional: [], values: {}, lists: {}, flags: new Set<string>() };
    const left = await lastFailed(cases, path, args, context as CommandContext);
    const chosen = cases.flatMap((one, index) => left.includes(one) ? [index] : []);
    const wanted = cases.flatMap((_, index) =>
      wasInterrupted(finished.get(index)) || finished.get(index)?.status === "passed" ? [] : [index]
    );
    if (`${chosen}` !== `${wanted}`) problems.push(`the cases ${chosen} run, not ${wanted}`);
    const store = await HistoryStore.open(path, options);
    for (const [index, event] of finished) {
      const { recipe, name } = cases[index]!;
      const runs = store.runs(caseKey(SERVER, recipe.source.name, name), 3);
      const [run] = runs;
      const isRecorded = event.status !== "interrupted";
      if (runs.length !== (isRecorded ? 2 : 1)) problems.push(`case ${index} is missing`);
      if (!run || !isRecorded) continue;
      const said = [run.status, run.flaky, run.duration_ms, run.steps.length];
      const { status, flaky, duration_ms } = event;
      const right = [status, flaky, duration_ms, stepsOf(events, index)];
      if (`${said}` !== `${right}`) problems.push(`case ${index} is ${said}, not ${right}`);
    }
    store.close();
  } finally {
    await rm(folder, { recursive: true });
  }
  yield* problems;
}

/** Whether a case was interrupted, so that its earlier run is its last one, in which it passed. */
function wasInterrupted(event: Finished | undefined): boolean {
  return event?.status === "interrupted";
}

/** Counts the steps of the last attempt of a case that ran to their end. */
function stepsOf(events: readonly RecipeEvent[], index: number): number {
  let count = 0;
  for (const event of events) {
    if (!("case" in event) || event.case !== index) continue;
    if (event.type === "case.started") count = 0;
    if (event.type !== "step.finished") continue;
    if (event.status !== "skipped" && event.status !== "interrupted") count++;
  }
  return count;
}
