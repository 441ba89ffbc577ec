import type { CaseFinished, CaseStarted, RecipeEvent, StepFinished } from "../events/event.ts";
import { compare, COMPARED_RUNS, type Outcome, outcomeOf } from "./compare.ts";
import { BUSY_TIMEOUT } from "./database.ts";
import { HistoryError } from "./error.ts";
import { type CaseKey, fileKey, serverKey } from "./case_key.ts";
import type { HistoryStore, RunEntry, StoredRun, StoredStep } from "./store.ts";

/** How long a read during a run may wait, in milliseconds. A longer wait would distort its times. */
const READ_TIMEOUT = 100;

/** What a history says of a case that begins. */
interface Known {
  key: CaseKey;
  at: number;
  /** The runs that it is compared with, newest first. */
  earlier: readonly StoredRun[];
}

/** A case that is running. */
interface OpenCase extends Known {
  steps: StoredStep[];
}

/**
 * Records a run in a history. It sits between a run and its reporters, and adds to finished cases and
 * steps how they compare with earlier runs.
 */
export class HistoryRecorder {
  #store: HistoryStore;
  #isStored: boolean;
  #warn: (text: string) => void;
  #onFailure: (text: string) => void;
  #server = "";
  /** The files in keys, by their names in events: many cases are of one file. */
  readonly #files = new Map<string, string>();
  #cases = new Map<number, OpenCase>();
  /** What {@linkcode annotateAll} has looked up for the cases that begin. */
  #ahead = new Map<CaseStarted, Known>();
  /** The finished cases as JSON: many of them take less memory than as objects. */
  readonly #finished: { passed: string[]; others: string[] } = { passed: [], others: [] };
  #problem: Error | undefined;
  #hasFailed = false;

  /**
   * Compares with the runs in a store, and records into it.
   *
   * @param warn Called with a problem that loses nothing of this run.
   * @param onFailure Called if the run cannot be recorded.
   * @param isStored Whether the events have been stored: then the run may be in the history already, and
   * is recorded once.
   */
  constructor(
    store: HistoryStore,
    warn: (text: string) => void,
    onFailure: (text: string) => void = warn,
    isStored = false,
  ) {
    this.#store = store;
    this.#isStored = isStored;
    this.#warn = warn;
    this.#onFailure = onFailure;
    store.busyTimeout = READ_TIMEOUT;
  }

  /** Whether the run could not be recorded. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Returns the event for the reporters: the same one, or a copy with `usual`. */
  annotate(event: RecipeEvent): RecipeEvent {
    switch (event.type) {
      case "run.started":
        this.#server = serverKey(event.server);
        return event;
      case "case.started":
        this.#startCase(event);
        return event;
      case "step.finished":
        return this.#finishStep(event);
      case "case.finished":
        return this.#finishCase(event);
      default:
        return event;
    }
  }

  /**
   * Returns some events of a run that is stored, as {@linkcode annotate} returns each. The cases that
   * begin in them are looked up together.
   */
  annotateAll(events: readonly RecipeEvent[]): RecipeEvent[] {
    const started: CaseStarted[] = [];
    for (const event of events) {
      if (event.type === "run.started") this.#server = serverKey(event.server);
      else if (event.type === "case.started") started.push(event);
    }
    const known = this.#lookUp(started);
    this.#ahead = new Map(started.map((event, i) => [event, known[i]!]));
    return events.map((event) => this.annotate(event));
  }

  /** Writes all finished cases. This happens once, at the end, so that it does not slow down a run. */
  async finish(): Promise<void> {
    try {
      if (this.#problem) throw this.#problem;
      this.#write();
    } catch (error) {
      await this.#recover(error as Error);
    }
  }

  /** Ends without writing anything. */
  close(): void {
    this.#store.close();
  }

  #write(): void {
    this.#store.busyTimeout = BUSY_TIMEOUT;
    // With --repeat a case has several runs, and any that did not pass decides for --last-failed.
    const { passed, others } = this.#finished;
    const passedFirst = [...passed, ...others];
    if (passedFirst.length > 0) {
      const known = passedFirst.length - this.#store.add(parsed(passedFirst), this.#isStored);
      if (known > 0) this.#warn(`${countCases(known)} in the history already`);
    }
    this.#store.close();
  }

  /** Replaces a corrupt file, so that this run and the next ones are recorded. */
  async #recover(error: Error): Promise<void> {
    const isCorrupt = error instanceof HistoryError && error.code === "corrupt";
    try {
      if (isCorrupt) await this.#store.replaceCorrupt(error);
      else if (error === this.#problem) this.#warn(error.message);
      else throw error;
      this.#write();
    } catch (cause) {
      this.#hasFailed = true;
      this.#onFailure((cause as Error).message);
      // Replacing the file has closed it.
      if (!isCorrupt) this.#store.close();
    }
  }

  #startCase(event: CaseStarted): void {
    const known = this.#ahead.get(event) ?? this.#lookUp([event])[0]!;
    this.#cases.set(event.case, { ...known, steps: [] });
  }

  #lookUp(started: readonly CaseStarted[]): Known[] {
    const known = started.map(({ ts, file, name, repeats = name }): Known => {
      // The repetitions of a case are recorded under one name.
      return {
        key: { server: this.#server, file: this.#fileKey(file), name: repeats },
        at: Date.parse(ts),
        earlier: [],
      };
    });
    // After one failed read there are no more attempts.
    if (this.#problem) return known;
    // A run that is in the history is not compared with itself.
    const limit = this.#isStored ? COMPARED_RUNS + 1 : COMPARED_RUNS;
    try {
      const runs = [...this.#store.runsOf(known.map(({ key }) => key), limit)];
      for (const [i, one] of known.entries()) {
        const earlier = this.#isStored ? runs[i]!.filter(({ at }) => at < one.at) : runs[i]!;
        one.earlier = earlier.slice(0, COMPARED_RUNS);
      }
    } catch (error) {
      this.#problem = error as Error;
    }
    return known;
  }

  #fileKey(file: string): string {
    const known = this.#files.get(file) ?? fileKey(file);
    this.#files.set(file, known);
    return known;
  }

  #finishStep(event: StepFinished): StepFinished {
    const open = this.#cases.get(event.case);
    const { status, phase, step: number, label, attempts, duration_ms } = event;
    if (!open || status === "skipped" || status === "interrupted") return event;
    const step: StoredStep = { phase, number, label, status, attempts, duration_ms };
    open.steps.push(step);
    // The label is compared too, because an edited recipe has other steps with the same numbers.
    const earlier = open.earlier.flatMap(({ steps }) =>
      steps.filter((one) => one.phase === phase && one.number === number && one.label === label)
    );
    const usual = compare(earlier.map(stepOutcome), stepOutcome(step));
    return usual ? { ...event, usual } : event;
  }

  #finishCase(event: CaseFinished): CaseFinished {
    const open = this.#cases.get(event.case);
    this.#cases.delete(event.case);
    const { status, flaky, duration_ms } = event;
    // The duration of an interrupted case means nothing.
    if (!open || status === "interrupted") return event;
    const { key, at, steps, earlier } = open;
    const entry: RunEntry = { key, run: { at, status, flaky, duration_ms, steps } };
    this.#finished[status === "passed" ? "passed" : "others"].push(JSON.stringify(entry));
    const usual = compare(earlier.map(outcomeOf), outcomeOf(event));
    return usual ? { ...event, usual } : event;
  }
}

/** Parses each entry when it is written, so that they are not in memory together. */
function* parsed(entries: readonly string[]): Generator<RunEntry> {
  for (const entry of entries) yield JSON.parse(entry) as RunEntry;
}

function countCases(count: number): string {
  return count === 1 ? "one case of this run is" : `${count} cases of this run are`;
}

/** The outcome of a step, which is flaky if it took more than one attempt. */
function stepOutcome(step: StoredStep): Outcome {
  return outcomeOf({ ...step, flaky: step.attempts > 1 });
}
