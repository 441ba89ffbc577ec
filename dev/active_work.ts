import type { CrashError, Work } from "./work.ts";

/** Work that a process is doing. */
export interface ActiveCall {
  readonly work: Work;
  /** Whether its process has died. */
  isDead: boolean;
  /** Ends it, because its process dies. */
  die(error: CrashError): void;
}

/** What jobs and runs are doing. */
export class ActiveWork {
  readonly #calls = new Set<ActiveCall>();

  /** Does work until it ends, or until its process dies. */
  async run<T>(work: Work, start: (call: ActiveCall) => Promise<T>): Promise<T> {
    const death = Promise.withResolvers<never>();
    const call: ActiveCall = {
      work,
      isDead: false,
      die(error) {
        call.isDead = true;
        death.reject(error);
      },
    };
    this.#calls.add(call);
    try {
      return await Promise.race([start(call), death.promise]);
    } finally {
      this.#calls.delete(call);
    }
  }

  /** Lets all handlers of a job or run do nothing more. */
  stop(id: string): void {
    for (const call of this.#calls) if (call.work.id === id) call.isDead = true;
  }

  /** Lets all processes die; returns what they were doing. */
  kill(error: CrashError): Work[] {
    const calls = [...this.#calls];
    for (const call of calls) call.die(error);
    return calls.map(({ work }) => work);
  }
}
