import { StepError } from "../context.ts";
import { emitRun } from "./_emit.ts";
import { errorText } from "./errors.ts";
import type { ServerState } from "./server_state.ts";
import type { RunRow } from "./store_rows.ts";

/** The checkpoints of one run, and the step events that go with them. */
export class Checkpoints {
  readonly #server: ServerState;
  readonly #run: RunRow;

  constructor(server: ServerState, run: RunRow) {
    this.#server = server;
    this.#run = run;
  }

  /** The current time in milliseconds, for measuring. */
  now(): number {
    return this.#server.timers.now();
  }

  /** Whether a step has completed. */
  has(step: string): boolean {
    return this.#run.checkpoints.has(step);
  }

  /**
   * Returns the result of a completed step, wrapped because the result may be `undefined`. Each
   * call parses the result anew, so that callers never share an object.
   */
  restore(step: string): { value: unknown } | undefined {
    const checkpoint = this.#run.checkpoints.get(step);
    if (!checkpoint) return undefined;
    const { value } = checkpoint;
    return { value: typeof value === "string" ? JSON.parse(value) : undefined };
  }

  /**
   * Saves a completed step.
   * @param data The base64 that the timeline shows.
   * @param json The result as JSON text.
   */
  save(step: string, data = "", json?: string): void {
    const createdAt = this.#server.timestamps.now();
    this.#run.checkpoints.set(step, { step, data, value: json, createdAt });
  }

  /** Publishes that a step completed. */
  emitCompleted(step_name: string, startedMs: number): void {
    const elapsed_ms = Math.floor(this.now() - startedMs);
    emitRun(this.#server, "workflow.step_completed", this.#run, { step_name, elapsed_ms });
  }

  /** Publishes that a step failed; returns the error to throw. */
  emitFailed(step_name: string, error: unknown, prefix = ""): StepError {
    const text = errorText(error);
    if (!this.#server.closed) {
      emitRun(this.#server, "workflow.step_failed", this.#run, { step_name, error: text });
    }
    return new StepError(prefix + text, { cause: error });
  }
}
