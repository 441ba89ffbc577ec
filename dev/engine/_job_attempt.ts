import type { Core } from "./server_state.ts";
import type { JobRow } from "./store_rows.ts";
import type { JobContext } from "../define.ts";
import { type Duration, parseDuration } from "../duration.ts";

/** The reason of a signal whose job's time is up. */
class DeadlineError extends Error {
  readonly code = "deadline_exceeded";

  constructor() {
    super("context deadline exceeded");
    this.name = "DeadlineError";
  }
}

/** One attempt of a job, as its handler sees it. */
export class JobRun implements JobContext {
  readonly attempt: number;
  readonly job_id: string;
  readonly queue: string;
  readonly #core: Core;
  readonly #job: JobRow;
  #controller?: AbortController;
  #aborted?: { reason: unknown };
  #forgetDeadline: () => void = () => {};
  #release: () => void;
  #over = false;

  constructor(core: Core, job: JobRow) {
    this.#core = core;
    this.#job = job;
    this.#release = core.timers.hold();
    this.attempt = job.retryCount + 1;
    this.job_id = job.id;
    this.queue = job.queue;
  }

  /** Made when it is first asked for: most handlers never do, and a timer goes with it. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#aborted.reason);
      else if (this.#job.timeoutMs > 0) {
        const left = this.#job.startedMs + this.#job.timeoutMs - this.#core.timers.clock.now();
        const stop = () => this.#controller!.abort(new DeadlineError());
        this.#forgetDeadline = this.#core.timers.set(stop, left);
      }
    }
    return this.#controller.signal;
  }

  // Fields, so that a handler may take them out of its context.
  readonly log = (message: string): void => {
    this.#core.log(`${this.#job.name} ${this.job_id}: ${message}`);
  };

  readonly sleep = async (
    duration: Duration,
    options: { signal?: AbortSignal | null } = {},
  ): Promise<void> => {
    const signal = options.signal === undefined ? this.signal : options.signal;
    this.#release();
    try {
      await this.#core.timers.sleep(parseDuration(duration), signal);
    } finally {
      if (!this.#over) this.#release = this.#core.timers.hold();
    }
  };

  /** Asks the handler to stop. */
  abort(reason: unknown): void {
    this.#aborted = { reason };
    this.#forgetDeadline();
    this.#controller?.abort(reason);
  }

  /** The attempt is over. */
  end(): void {
    this.#over = true;
    this.#release();
    this.#forgetDeadline();
  }
}
