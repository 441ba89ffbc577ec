import { type Core, emitRun } from "./server_state.ts";
import { errorText } from "./handler_input.ts";
import type { RunRow } from "./store_rows.ts";
import { StepError } from "../context.ts";

/** A run's progress: what is done, and what is told of it. */
export class Progress {
  readonly #core: Core;
  readonly #run: RunRow;

  constructor(core: Core, run: RunRow) {
    this.#core = core;
    this.#run = run;
  }

  /** The present, in milliseconds. */
  now(): number {
    return this.#core.timers.clock.now();
  }

  /** Whether a step is done. */
  has(step: string): boolean {
    return this.#run.checkpoints.has(step);
  }

  /** What a step that is done has given, in a box; parsed anew, so that no two share an object. */
  restore(step: string): { value: unknown } | undefined {
    const done = this.#run.checkpoints.get(step);
    if (!done) return undefined;
    return { value: typeof done.value === "string" ? JSON.parse(done.value) : undefined };
  }

  /** Notes that a step is done: what the wire shows of it, and its result as JSON text. */
  save(step: string, data = "", json?: string): void {
    const createdAt = this.#core.stamps.now();
    this.#run.checkpoints.set(step, { step, data, value: json, createdAt });
  }

  /** Says that a step is done. */
  completed(step_name: string, began: number): void {
    const elapsed_ms = Math.floor(this.now() - began);
    emitRun(this.#core, "workflow.step_completed", this.#run, { step_name, elapsed_ms });
  }

  /** Says that a step failed; gives what its caller is to throw. */
  failed(step_name: string, error: unknown, prefix = ""): StepError {
    const text = errorText(error);
    if (!this.#core.closed) {
      emitRun(this.#core, "workflow.step_failed", this.#run, { step_name, error: text });
    }
    return new StepError(prefix + text, { cause: error });
  }
}
