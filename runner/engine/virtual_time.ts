import type { Clock } from "../../runtime/clock.ts";
import { ClockHold } from "../../runtime/clock_hold.ts";

/** A clock that skips to its next timer whenever everything waits. */
export interface SkippingTime {
  /** The clock for pauses between reads, whose timers may be late. */
  readonly pauses: Clock;
  /** Keeps the time from skipping while the runner works; returns a release function. */
  hold(): () => void;
  /** Lets time pass. What it causes is done when the promise resolves. */
  pass(ms: number, signal: AbortSignal): Promise<void>;
}

/** How much more time a recipe gets than it asks for, where the server is late on purpose. */
export interface Allowance {
  /** How many milliseconds are added to each limit. */
  grace: number;
  /** Returns by how many milliseconds the server has been late so far. */
  lateness(): number;
}

/** The virtual time of a run. Its modules are loaded only for runs that have one. */
export class VirtualTime {
  readonly #time: SkippingTime;
  readonly #allowance: Allowance | undefined;

  /** Uses a clock, which must be the clock of the run, too. */
  constructor(time: SkippingTime, allowance?: Allowance) {
    this.#time = time;
    this.#allowance = allowance;
  }

  /** How many milliseconds are added to each limit of a recipe. */
  get grace(): number {
    return this.#allowance?.grace ?? 0;
  }

  /** By how many milliseconds the server has been late on purpose. */
  get lateness(): number {
    return this.#allowance?.lateness() ?? 0;
  }

  /** The clock for pauses between reads. */
  get pauses(): Clock {
    return this.#time.pauses;
  }

  /** Keeps the time from skipping; returns a release function. */
  hold(): () => void {
    return this.#time.hold();
  }

  /** Lets time pass, and as much as the server was late. */
  async pass(ms: number, signal: AbortSignal): Promise<void> {
    await this.#time.pass(ms, signal);
    let made = 0;
    for (;;) {
      const { lateness } = this;
      if (lateness <= made) return;
      await this.#time.pass(lateness - made, signal);
      made = lateness;
    }
  }

  /** Starts work of the runner or of a recipe's code. */
  begin(): Activity {
    return new Activity(this.#time);
  }
}

/**
 * Work of the runner or of a recipe's code. Virtual time does not skip until it ends, except while it
 * waits: for a timer of the clock, or for the server.
 */
export class Activity extends ClockHold implements Disposable {
  /**
   * Returns a promise that counts as a wait once somebody awaits it. Until then the work may be
   * waiting for something else.
   */
  whenAwaited<T>(promise: Promise<T>): Promise<T> {
    const awaited = new AwaitedPromise<T>((resolve, reject) => promise.then(resolve, reject));
    // A rejection that nobody looks at must not end the process.
    Promise.prototype.then.call(awaited, undefined, () => {});
    awaited.onAwait = () => {
      awaited.onAwait = undefined;
      const done = this.wait();
      promise.then(done, done);
    };
    return awaited;
  }

  /** Returns a clock whose timers count as waits. */
  clock(clock: Clock): Clock {
    const waits = new Map<unknown, () => void>();
    const wait = () => this.wait();
    const end = (timer: unknown) => {
      waits.get(timer)?.();
      waits.delete(timer);
    };
    return {
      now: () => clock.now(),
      ...(clock.monotonic ? { monotonic: () => clock.monotonic!() } : {}),
      setTimeout(callback, ms) {
        const timer = clock.setTimeout(() => {
          end(timer);
          callback();
        }, ms);
        waits.set(timer, wait());
        return timer;
      },
      clearTimeout(timer) {
        end(timer);
        clock.clearTimeout(timer);
      },
    };
  }

  /** Returns a client, or something that a client returns, whose pending calls count as waits. */
  client<T extends object>(client: T): T {
    return countCalls(client, this);
  }

  /** Ends the work. */
  [Symbol.dispose](): void {
    this.end();
  }
}

/** A promise that tells when it is awaited. */
class AwaitedPromise<T> extends Promise<T> {
  onAwait: (() => void) | undefined;

  // Promises that are derived from this one are plain ones.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.onAwait?.();
    return super.then(onFulfilled, onRejected);
  }
}

function countCalls<T extends object>(target: T, activity: Activity): T {
  const counted = (value: unknown): unknown => {
    if (value instanceof Promise) return activity.during(value).then(counted);
    return isFollowed(value) ? countCalls(value, activity) : value;
  };
  return new Proxy(target, {
    get(_, key) {
      const value = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => counted(value.apply(target, args));
    },
  });
}

/** Whether a value has methods that wait: a job, a run, a subscription, or an iterator of one. */
function isFollowed(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  return ["wait", "next", "unsubscribe", Symbol.asyncIterator].some((key) => key in value);
}
