import type { CaseFinished, CaseStarted, RunEvent, StepFinished } from "../events/event.ts";
import { compare, type Outcome, outcomeOf } from "./compare.ts";
import { BUSY_LIMIT } from "./database.ts";
import { HistoryError } from "./error.ts";
import { type CaseKey, fileKey, serverKey } from "./identity.ts";
import type { HistoryStore, KeptRun, KeptStep } from "./store.ts";

/** How many runs one is compared with. */
export const COMPARED_RUNS = 20;
/** How long a read may wait while a run goes on, in milliseconds: its own times must not suffer. */
const READ_PATIENCE = 100;

/** A case that is under way. */
interface OpenCase {
  key: CaseKey;
  at: number;
  earlier: readonly KeptRun[];
  steps: KeptStep[];
}

/**
 * Stands between a run and its reporters: adds to what has ended how it usually went, and keeps it
 * when the run is over. Nothing here fails a run; what goes wrong is told.
 */
export class HistoryStage {
  #store: HistoryStore;
  #tell: (text: string) => void;
  #server = "";
  #cases = new Map<number, OpenCase>();
  #ended: { key: CaseKey; run: KeptRun }[] = [];
  #problem: Error | undefined;

  /** Compares with what a store holds, and keeps there. */
  constructor(store: HistoryStore, tell: (text: string) => void) {
    this.#store = store;
    this.#tell = tell;
    store.patience = READ_PATIENCE;
  }

  /** An event as reporters are told it. */
  enrich(event: RunEvent): RunEvent {
    switch (event.type) {
      case "run.started":
        this.#server = serverKey(event.server);
        return event;
      case "case.started":
        this.#begin(event);
        return event;
      case "step.finished":
        return this.#step(event);
      case "case.finished":
        return this.#end(event);
      default:
        return event;
    }
  }

  /** Keeps what has ended, at once: cases are not held up by it while they run. */
  async finish(): Promise<void> {
    try {
      if (this.#problem) throw this.#problem;
      this.#keep();
    } catch (error) {
      await this.#rescue(error as Error);
    }
  }

  #keep(): void {
    this.#store.patience = BUSY_LIMIT;
    if (this.#ended.length > 0) this.#store.add(this.#ended);
    this.#store.close();
  }

  /** What was found to be corrupt is set aside, so that this run is not lost, nor the next one. */
  async #rescue(error: Error): Promise<void> {
    const isCorrupt = error instanceof HistoryError && error.code === "corrupt";
    try {
      if (isCorrupt) await this.#store.beginAnew(error);
      else this.#tell(error.message);
      if (isCorrupt || error === this.#problem) this.#keep();
      else this.#store.close();
    } catch (cause) {
      this.#tell((cause as Error).message);
    }
  }

  #begin({ case: index, ts, file, name }: CaseStarted): void {
    const key = { server: this.#server, file: fileKey(file), name };
    this.#cases.set(index, { key, at: Date.parse(ts), earlier: this.#earlier(key), steps: [] });
  }

  #earlier(key: CaseKey): readonly KeptRun[] {
    // What could not be read once is not tried again and again.
    if (this.#problem) return [];
    try {
      return this.#store.runs(key, COMPARED_RUNS);
    } catch (error) {
      this.#problem = error as Error;
      return [];
    }
  }

  #step(event: StepFinished): StepFinished {
    const open = this.#cases.get(event.case);
    const { status, phase, step: number, label, attempts, duration_ms } = event;
    if (!open || status === "skipped" || status === "interrupted") return event;
    const step: KeptStep = { phase, number, label, status, attempts, duration_ms };
    open.steps.push(step);
    // An edited recipe has other steps under the same numbers.
    const earlier = open.earlier.flatMap(({ steps }) =>
      steps.filter((one) => one.phase === phase && one.number === number && one.label === label)
    );
    const usual = compare(earlier.map(stepOutcome), stepOutcome(step));
    return usual ? { ...event, usual } : event;
  }

  #end(event: CaseFinished): CaseFinished {
    const open = this.#cases.get(event.case);
    this.#cases.delete(event.case);
    const { status, flaky, duration_ms } = event;
    // How long something took that was interrupted says nothing.
    if (!open || status === "interrupted") return event;
    const { key, at, steps, earlier } = open;
    this.#ended.push({ key, run: { at, status, flaky, duration_ms, steps } });
    const usual = compare(earlier.map(outcomeOf), outcomeOf(event));
    return usual ? { ...event, usual } : event;
  }
}

/** A step is flaky when it took more than one attempt. */
function stepOutcome(step: KeptStep): Outcome {
  return outcomeOf({ ...step, flaky: step.attempts > 1 });
}
