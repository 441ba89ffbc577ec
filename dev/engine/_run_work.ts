import type { Work, WorkKind } from "../work.ts";
import { CrashError } from "../work.ts";
import { ClockHold } from "../../runtime/clock_hold.ts";
import { CanceledError } from "./errors.ts";
import type { ServerState } from "./server_state.ts";
import type { RunRow } from "./store_rows.ts";
import { onAbort } from "./timers.ts";

/** The work of one execution of a run, which ends when its process crashes. */
export class RunWork {
  readonly #server: ServerState;
  readonly #run: RunRow;
  readonly #hold: ClockHold;
  readonly #crash = Promise.withResolvers<CrashError>();
  readonly #death: AbortController | undefined;
  /** Ends the waits for events: when the run should stop, and when its process has crashed. */
  readonly signal: AbortSignal;

  constructor(server: ServerState, run: RunRow, signal: AbortSignal) {
    this.#server = server;
    this.#run = run;
    this.#hold = new ClockHold(server.timers);
    this.#death = server.aroundWork && new AbortController();
    this.signal = this.#death ? AbortSignal.any([signal, this.#death.signal]) : signal;
  }

  /** Resolves if the process crashes. */
  get crashed(): Promise<CrashError> {
    return this.#crash.promise;
  }

  /** Whether the process has crashed. What its handler still does must leave no trace. */
  get isDead(): boolean {
    return this.#death?.signal.aborted ?? false;
  }

  /** Calls back if the process crashes; returns a function that removes the callback. */
  onDeath(callback: () => void): () => void {
    return this.#death ? onAbort(this.#death.signal, callback) : () => {};
  }

  /** The handler begins to wait; returns a function to call when the wait ends. */
  wait(): () => void {
    return this.#hold.wait();
  }

  /** Waits for a promise. */
  during<T>(promise: Promise<T>): Promise<T> {
    return this.#hold.during(promise);
  }

  /** The handler has returned. */
  end(): void {
    this.#hold.end();
  }

  /** Carries out a piece of work. After a crash the promise never settles. */
  carryOut<T>(
    kind: WorkKind,
    name: string,
    run: () => Promise<T>,
    more: Pick<Work, "ms" | "expire"> = {},
  ): Promise<T> {
    const { aroundWork } = this.#server;
    if (!aroundWork) return run();
    const { id, name: workflow } = this.#run;
    const work: Work = { kind, name, workflow, id, ...more };
    return this.#watch(() => aroundWork(work, run));
  }

  async #watch<T>(run: () => Promise<T>): Promise<T> {
    const done = this.wait();
    try {
      const result = await run();
      if (!this.isDead) return result;
    } catch (error) {
      if (error instanceof CrashError && !this.isDead) this.#die(error);
      if (!this.isDead) throw error;
    } finally {
      done();
    }
    return await new Promise<never>(() => {});
  }

  #die(error: CrashError): void {
    this.#hold.end();
    this.#death?.abort(new CanceledError());
    this.#crash.resolve(error);
  }
}
