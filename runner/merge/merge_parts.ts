import { endOfRun } from "../engine/verdict.ts";
import { noCounts } from "../events/counts.ts";
import type { RecipeEvent, RecipeRunFinished, RecipeRunStarted, Warned } from "../events/event.ts";
import type { ChosenParts } from "./choose_parts.ts";
import { PartReader } from "./part_reader.ts";
import { partOf, type StreamFile } from "./streams.ts";

/**
 * Makes one run of its parts: the events of all cases in the order of the plan, as one process would
 * have reported them. Shards that are missing, or whose process was killed, are named in warnings,
 * and the run could not be carried out.
 */
export async function* mergeParts(chosen: ChosenParts): AsyncGenerator<RecipeEvent[]> {
  await using reader = new PlanReader(chosen);
  yield [reader.started];
  for (let number = 0; number < chosen.planned; number++) yield await reader.take(number);
  yield await reader.end();
  const end = reader.finished();
  yield [...reader.problems().map((text) => warning(text, end.ts)), end];
}

/** Returns a warning about a whole run. */
export function warning(text: string, ts: string): Warned {
  return { type: "warning", text, ts };
}

/** Reads the cases of a plan from the streams of its parts, in the order of the plan. */
export class PlanReader {
  /** The first event of the whole run. */
  readonly started: RecipeRunStarted;
  readonly #chosen: ChosenParts;
  readonly #readers: readonly PartReader[];
  readonly #owners = new Map<number, PartReader>();

  /** Reads the parts that have been chosen. */
  constructor(chosen: ChosenParts) {
    this.#chosen = chosen;
    this.#readers = chosen.parts.map((part) => new PartReader(part));
    for (const reader of this.#readers) {
      for (const number of partOf(reader.stream).cases) this.#owners.set(number, reader);
    }
    this.started = startOf(chosen.parts, chosen.planned);
  }

  /** Reads the events of a case; none if its shard is missing or did not start it. */
  async take(number: number): Promise<RecipeEvent[]> {
    return await this.#owners.get(number)?.take(number) ?? [];
  }

  /** Reads what follows the cases, and returns the events that belong to none. */
  async end(): Promise<RecipeEvent[]> {
    const events: RecipeEvent[] = [];
    for (const reader of this.#readers) events.push(...await reader.end(), ...reader.warnings);
    return events;
  }

  /** Closes the files of the streams. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const reader of this.#readers) await reader.close();
  }

  /** Whether a shard is missing or a process was killed. */
  get isIncomplete(): boolean {
    return this.#chosen.missing.length > 0 || this.#readers.some(({ finished }) => !finished);
  }

  /** Returns what a reader of the report has to know about the streams, in one line each. */
  problems(): string[] {
    const { notes, missing, parts } = this.#chosen;
    const { total } = partOf(parts[0]!);
    return [
      ...notes,
      ...missing.map((index) => `shard ${index}/${total} is missing: there is no stream of it`),
      ...this.#readers.filter(({ finished }) => !finished).map(describeKilled),
    ];
  }

  /** Returns the last event of the whole run. */
  finished(): RecipeRunFinished {
    const counts = noCounts();
    for (const reader of this.#readers) {
      for (const [name, count] of Object.entries(reader.counts)) {
        const key = name as keyof typeof counts;
        counts[key] = (counts[key] ?? 0) + count;
      }
    }
    counts.warnings += this.problems().length;
    const ends = this.#readers.flatMap(({ finished }) => finished ?? []);
    const isInterrupted = ends.some(({ interrupted }) => interrupted);
    const ts = inOrder(this.#readers.map(({ lastTime }) => lastTime)).at(-1)!;
    const real = ends.flatMap(({ real_ms }) => real_ms ?? []);
    const { exit_code, ...why } = endOfRun(counts, {
      isInterrupted,
      // After the end of its recipe it is no failure of a case. Any other failure exits with 1, and
      // nothing else but an error with 3.
      wasCalledToExit: this.#readers.some(({ hasCalledExit }) => hasCalledExit) ||
        ends.some(({ exit_code, counts: { failed, errored } }) =>
          exit_code === 3 && (failed > 0 || errored === 0)
        ),
      isPart: false,
      isFailedByFlaky: ends.some(({ failed_by }) => failed_by === "flaky"),
    });
    return {
      type: "run.finished",
      exit_code: this.isIncomplete && !isInterrupted ? 3 : exit_code,
      interrupted: isInterrupted,
      duration_ms: Date.parse(ts) - Date.parse(this.started.ts),
      ...(real.length === 0 ? {} : { real_ms: Math.max(...real) }),
      counts,
      ...why,
      ts,
    };
  }
}

function startOf(parts: readonly StreamFile[], planned: number): RecipeRunStarted {
  const { shard: _, attempt: __, ...first } = parts[0]!.started;
  const starts = parts.map(({ started }) => started);
  const [earliest] = inOrder(starts.map(({ ts }) => ts));
  return { ...first, ...commonStart(starts), cases: planned, ts: earliest! };
}

/**
 * Returns what the first events of several runs say of all of them. If the time of one is virtual, no
 * time of the whole can be compared with those of other runs.
 */
export function commonStart(
  starts: readonly RecipeRunStarted[],
): Pick<RecipeRunStarted, "server" | "clock"> {
  const servers = [...new Set(starts.map(({ server }) => server))];
  const isVirtual = starts.some(({ clock }) => clock === "virtual");
  return { server: servers.join(", "), ...(isVirtual ? { clock: "virtual" } : {}) };
}

/** Sorts times. Their texts need not have the same zone. */
export function inOrder(times: readonly string[]): string[] {
  return times.toSorted((a, b) => Date.parse(a) - Date.parse(b));
}

function describeKilled({ stream: { name, started }, notStarted }: PartReader): string {
  const { shard } = started;
  const what = shard ? `the stream of shard ${shard.index}/${shard.total}` : "the stream";
  const cases = notStarted === 1 ? "one case" : `${notStarted} cases`;
  const rest = notStarted === 0 ? "" : `, and ${cases} did not start`;
  return `${what}, '${name}', has no end: its process was killed${rest}`;
}
