import type {
  CaseStarted,
  EventFailure,
  RecipeEvent,
  RecipeRunFinished,
  RunCounts,
  Warned,
} from "../events/event.ts";
import { countCase, countSkipped, noCounts } from "../events/counts.ts";
import { partOf, type StreamFile } from "./streams.ts";

/** Why a case did not end whose process was killed. */
const KILLED: EventFailure = {
  kind: "interrupted",
  message: "the process ended before the case did",
  lines: [],
};

/**
 * Reads the cases of one part of a plan one by one, so that the events of a large run need not be in
 * memory together. Only what runs at the same time as a case is read ahead.
 */
export class PartReader {
  /** The stream. */
  readonly stream: StreamFile;
  /** The warnings that belong to no case. */
  readonly warnings: Warned[] = [];
  /** How many cases the stream has no event of, because its process was killed. */
  notStarted = 0;
  /** The last event, once all cases have been read; absent if the process was killed. */
  finished: RecipeRunFinished | undefined;
  /** Whether code of a recipe has called a function that ends the process. */
  hasCalledExit = false;
  /** The time of the last event that has been read. */
  lastTime: string;
  /** The cases that a killed process has counted nowhere. */
  readonly #counts: RunCounts = noCounts();
  readonly #pieces: AsyncIterator<Iterable<RecipeEvent>>;
  /** The events of the piece that has been read last. */
  #events: Iterator<RecipeEvent> = [][Symbol.iterator]();
  readonly #numbers: readonly number[];
  /** The events of cases that have been read ahead, by their positions in the plan. */
  readonly #ahead = new Map<number, RecipeEvent[]>();
  readonly #complete = new Set<number>();

  /** Reads a stream. */
  constructor(stream: StreamFile) {
    this.stream = stream;
    this.lastTime = stream.started.ts;
    this.#numbers = partOf(stream).cases;
    this.#pieces = stream.read()[Symbol.asyncIterator]();
  }

  /** Reads the events of a case, with its position in the plan as their number. */
  async take(number: number): Promise<RecipeEvent[]> {
    while (!this.#complete.has(number) && await this.#readNext());
    const events = this.#ahead.get(number) ?? [];
    this.#ahead.delete(number);
    if (this.#complete.delete(number)) return events;
    return this.#endOfKilled(events);
  }

  /** Reads what follows the last case, and returns events of cases that came after their end. */
  async end(): Promise<RecipeEvent[]> {
    while (await this.#readNext());
    return [...this.#ahead.values()].flat();
  }

  /** Closes the file of the stream, also if not all of it has been read. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  /** The number of cases by outcome. */
  get counts(): RunCounts {
    return this.finished?.counts ?? this.#counts;
  }

  async #readNext(): Promise<boolean> {
    let next = this.#events.next();
    while (next.done) {
      const { value: piece, done } = await this.#pieces.next();
      if (done) return false;
      this.#events = piece[Symbol.iterator]();
      next = this.#events.next();
    }
    const event = next.value;
    this.lastTime = event.ts;
    if (event.type === "run.finished") this.finished = event;
    else if (event.type !== "run.started") this.#keep(event);
    return true;
  }

  #keep(event: Exclude<RecipeEvent, { type: "run.started" | "run.finished" }>): void {
    if (event.type === "warning") this.#counts.warnings++;
    if (event.type === "warning" && event.case === undefined) {
      this.warnings.push(event);
      return;
    }
    const number = this.#numbers[event.case!]!;
    // The event has just been read from the file, so nobody else has it.
    event.case = number;
    const events = this.#ahead.get(number);
    if (events) events.push(event);
    else this.#ahead.set(number, [event]);
    if (event.type === "case.finished") {
      if (event.failure?.code === "exit_call") this.hasCalledExit = true;
      countCase(this.#counts, event);
    } else if (event.type === "case.skipped") {
      countSkipped(this.#counts, event);
    } else return;
    this.#complete.add(number);
  }

  /** Ends a case whose process was killed. */
  #endOfKilled(events: RecipeEvent[]): RecipeEvent[] {
    const started = events.find((event): event is CaseStarted => event.type === "case.started");
    if (!started) {
      this.notStarted++;
      return [];
    }
    this.#counts.errored++;
    const { case: number, name, file } = started;
    const { ts } = events.at(-1)!;
    const duration_ms = Date.parse(ts) - Date.parse(started.ts);
    return [...events, {
      type: "case.finished",
      ts,
      case: number,
      name,
      file,
      status: "errored",
      flaky: false,
      duration_ms,
      failure: KILLED,
    }];
  }
}
