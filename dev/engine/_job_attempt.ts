import { ClockHold } from "../../runtime/clock_hold.ts";
import type { JobContext } from "../context.ts";
import { type Duration, parseDuration } from "../duration.ts";
import type { AroundWork } from "../work.ts";
import { DeadlineError } from "./errors.ts";
import type { ServerState } from "./server_state.ts";
import type { JobRow } from "./store_rows.ts";

/** One attempt of a job: the context that its handler receives. */
export class JobAttempt implements JobContext {
  readonly attempt: number;
  readonly job_id: string;
  readonly queue: string;
  readonly #server: ServerState;
  readonly #job: JobRow;
  #controller?: AbortController;
  #aborted?: { reason: unknown };
  #clearDeadline: () => void = () => {};
  readonly #hold: ClockHold;

  constructor(server: ServerState, job: JobRow) {
    this.#server = server;
    this.#job = job;
    this.#hold = new ClockHold(server.timers);
    this.attempt = job.retryCount + 1;
    this.job_id = job.id;
    this.queue = job.queue;
  }

  /** Created on first use, because it needs a timer and most handlers never read it. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#aborted.reason);
      else if (this.#job.timeoutMs > 0) {
        const left = this.#job.startedMs + this.#job.timeoutMs - this.#server.timers.now();
        const stop = () => this.#controller!.abort(new DeadlineError());
        this.#clearDeadline = this.#server.timers.set(stop, left);
      }
    }
    return this.#controller.signal;
  }

  // These are fields, not methods, so that a handler can destructure its context.
  readonly log = (message: string): void => {
    this.#server.log(`${this.#job.name} ${this.job_id}: ${message}`);
  };

  readonly sleep = async (
    duration: Duration,
    options: { signal?: AbortSignal | null } = {},
  ): Promise<void> => {
    const signal = options.signal === undefined ? this.signal : options.signal;
    await this.#hold.during(this.#server.timers.sleep(parseDuration(duration), signal));
  };

  /** Calls the handler with something around it. */
  async carryOut(aroundWork: AroundWork, call: () => unknown): Promise<void> {
    const { timers } = this.#server;
    const { name, maxRetries, retryCount } = this.#job;
    const { job_id: id, attempt } = this;
    // What is around the work may wait for the clock.
    let done = this.#hold.wait();
    await aroundWork(
      { kind: "job", name, id, attempt, isRetried: retryCount < maxRetries },
      async () => {
        this.#job.startedMs = timers.now();
        done();
        try {
          await call();
        } finally {
          done = this.#hold.wait();
        }
      },
    );
  }

  /** Asks the handler to stop. */
  abort(reason: unknown): void {
    this.#aborted = { reason };
    this.#clearDeadline();
    this.#controller?.abort(reason);
  }

  /** Releases the attempt's timer and its hold on the clock. */
  end(): void {
    this.#hold.end();
    this.#clearDeadline();
  }
}
