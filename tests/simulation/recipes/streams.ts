import { isDeepStrictEqual } from "node:util";
import type { CaseStatus, RecipeEvent, RunCounts } from "../../../runner/mod.ts";
import { chooseParts } from "../../../runner/merge/choose_parts.ts";
import { mergeParts } from "../../../runner/merge/merge_parts.ts";
import type { StreamFile } from "../../../runner/merge/streams.ts";
import { readStream } from "../../helpers/read_stream.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { reportOf } from "../../report/_report.ts";

type EventOf<T extends RecipeEvent["type"]> = Extract<RecipeEvent, { type: T }>;
type Started = EventOf<"run.started">;
type Finished = EventOf<"run.finished">;

/** How a case has ended, in the words of the counts. */
export type Outcome = CaseStatus | "skipped" | "quarantined";

/** Returns how the cases of a run have ended, by their numbers. */
export function outcomesIn(events: readonly RecipeEvent[]): Map<number, Outcome> {
  const outcomes = new Map<number, Outcome>();
  for (const event of events) {
    if (event.type === "case.skipped") {
      outcomes.set(event.case, event.reason === "bail" ? "skipped" : "interrupted");
    } else if (event.type === "case.finished") {
      const { status, quarantine } = event;
      const isExcused = quarantine && (status === "failed" || status === "errored");
      outcomes.set(event.case, isExcused ? "quarantined" : status);
    }
  }
  return outcomes;
}

/** Counts the cases and warnings of a run. */
export function countsIn(events: readonly RecipeEvent[]): RunCounts {
  const outcomes = [...outcomesIn(events).values()];
  const count = (outcome: Outcome) => outcomes.filter((one) => one === outcome).length;
  const quarantined = count("quarantined");
  return {
    passed: count("passed"),
    failed: count("failed"),
    errored: count("errored"),
    unchecked: count("unchecked"),
    interrupted: count("interrupted"),
    skipped: count("skipped"),
    flaky: events.filter((event) => event.type === "case.finished" && event.flaky).length,
    warnings: events.filter(({ type }) => type === "warning").length,
    ...(quarantined === 0 ? {} : { quarantined }),
  };
}

/**
 * Checks that a stored stream has the events of its run, and that the run can be put together again
 * from its parts: returns what is wrong.
 */
export async function* checkStreams(
  events: readonly RecipeEvent[],
  { seed, failOnFlaky }: { seed: number; failOnFlaky: boolean },
): AsyncIterable<string> {
  const random = seededRandom(seed);
  const below = (most: number) => Math.floor(random() * most);
  const read = readStream(await reportOf("jsonl", events)).events;
  if (!isDeepStrictEqual(read, events)) yield "the stored stream has other events";
  const [first, last] = [events[0] as Started, events.at(-1) as Finished];
  const total = 1 + below(3);
  const owners = Array.from({ length: first.cases }, () => below(total));
  const parts = Array.from({ length: total }, (_, part) => {
    const cases = owners.flatMap((owner, number) => owner === part ? [number] : []);
    return partOf(events, cases, { part, total, failOnFlaky });
  });
  const whole = await merged(parts);
  const order = (event: RecipeEvent) =>
    event.type === "run.started" ? -1 : "case" in event ? event.case! : Infinity;
  // A merged run takes as long as its times say, which have whole milliseconds.
  const elapsed = Date.parse(last.ts) - Date.parse(first.ts);
  const isNear = Math.abs(elapsed - last.duration_ms) <= 1;
  const end = isNear ? { ...last, duration_ms: elapsed } : last;
  const wanted = [...events.slice(0, -1).toSorted((a, b) => order(a) - order(b)), end];
  const problem = difference(whole, wanted);
  if (problem !== undefined) yield `${total} merged parts differ: ${problem}`;
  yield* checkChoice(parts);
  // The process of one part is killed.
  const killed = below(total);
  const lines = parts[killed]!;
  const kept = lines.slice(0, 1 + below(lines.length - 1));
  yield* checkKilled(await merged(parts.with(killed, kept)), parts.with(killed, kept).flat());
}

/** Returns the events of a shard with some of the cases. */
function partOf(
  events: readonly RecipeEvent[],
  cases: readonly number[],
  { part, total, failOnFlaky }: { part: number; total: number; failOnFlaky: boolean },
): RecipeEvent[] {
  const [first, last] = [events[0] as Started, events.at(-1) as Finished];
  const own = events.slice(1, -1).flatMap((event): RecipeEvent[] => {
    if (!("case" in event)) return part === 0 ? [event] : [];
    const number = cases.indexOf(event.case!);
    return number === -1 ? [] : [{ ...event, case: number }];
  });
  const counts = countsIn(own);
  const isFlaky = own.some((one) => one.type === "case.finished" && one.flaky && !one.quarantine);
  const { failed_by: _, ...rest } = last;
  const isByFlaky = failOnFlaky && isFlaky && counts.failed === 0 && !last.interrupted;
  const exit_code = last.interrupted
    ? 130
    : counts.failed > 0 || isByFlaky
    ? 1
    : counts.errored > 0
    ? 3
    : counts.unchecked > 0
    ? 4
    : 0;
  return [
    {
      ...first,
      cases: cases.length,
      shard: { index: part + 1, total, cases: [...cases], planned: first.cases },
    },
    ...own,
    { ...rest, counts, exit_code, ...(isByFlaky ? { failed_by: "flaky" as const } : {}) },
  ];
}

/** How many events are read from a stream at a time. */
const PIECE = 7;

async function merged(parts: readonly (readonly RecipeEvent[])[]): Promise<RecipeEvent[]> {
  const streams = parts.map((events, i) => streamOf(events, `${i}.jsonl`));
  return (await Array.fromAsync(mergeParts(chooseParts(streams)))).flat();
}

function streamOf(events: readonly RecipeEvent[], name: string): StreamFile {
  return {
    name,
    started: events[0] as Started,
    hasEnded: events.at(-1)!.type === "run.finished",
    size: events.length,
    async *read() {
      // Who reads a stream may change its events.
      for (let i = 0; i < events.length; i += PIECE) {
        yield structuredClone(events.slice(i, i + PIECE));
      }
    },
  };
}

/** Checks that of several attempts of a part the newest counts, and of its copies the longest. */
function* checkChoice(parts: readonly (readonly RecipeEvent[])[]): Iterable<string> {
  const wanted = parts.map((events, i) => {
    const [first, ...rest] = events;
    return streamOf([{ ...first as Started, attempt: 2 }, ...rest], `${i}.jsonl`);
  });
  const [first, ...rest] = parts[0]!;
  const old = streamOf([{ ...first as Started, attempt: 1 }, ...rest], "old.jsonl");
  const cut = streamOf([wanted[0]!.started], "cut.jsonl");
  const { parts: chosen, notes } = chooseParts([old, ...wanted, cut]);
  const names = chosen.map(({ name }) => name);
  if (`${names}` !== `${wanted.map(({ name }) => name)}`) yield `it merges ${names}`;
  if (notes.length !== 2) yield `it says of other streams: ${notes}`;
}

/** Checks a run of which a part was killed. */
function* checkKilled(
  whole: readonly RecipeEvent[],
  parts: readonly RecipeEvent[],
): Iterable<string> {
  const last = whole.at(-1) as Finished;
  const { interrupted, counts, exit_code } = last;
  const wanted = countsIn(whole);
  if (!isDeepStrictEqual(counts, wanted)) {
    yield `killed parts count ${JSON.stringify(counts)}, not ${JSON.stringify(wanted)}`;
  }
  if (exit_code !== (interrupted ? 130 : 3)) yield `killed parts exit with ${exit_code}`;
  const texts = (events: readonly RecipeEvent[]) =>
    events.filter(({ type }) => type !== "run.started" && type !== "run.finished")
      .map((event) => JSON.stringify({ ...event, case: undefined }));
  const left = new Set(texts(whole));
  const lost = texts(parts).find((text) => !left.has(text));
  if (lost !== undefined) yield `killed parts have lost ${lost}`;
  const ended = new Set<number>();
  for (const event of whole) {
    if (event.type === "case.finished" || event.type === "case.skipped") ended.add(event.case);
  }
  const open = whole.find((event) => event.type === "case.started" && !ended.has(event.case));
  if (open) yield `killed parts leave open ${JSON.stringify(open)}`;
}

function difference(actual: readonly RecipeEvent[], wanted: readonly RecipeEvent[]) {
  for (let i = 0; i < Math.max(actual.length, wanted.length); i++) {
    if (isDeepStrictEqual(actual[i], wanted[i])) continue;
    return `${JSON.stringify(actual[i])}, not ${JSON.stringify(wanted[i])}`;
  }
}
