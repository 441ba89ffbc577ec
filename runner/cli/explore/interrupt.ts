import { AsyncLocalStorage } from "node:async_hooks";

const { then } = Promise.prototype;

/** What watched promises have for a constructor. Promises that are derived from them are plain. */
class WatchedPromise<T> extends Promise<T> {
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }
}
Object.defineProperty(WatchedPromise, "name", { value: "Promise" });

/** Work that can be interrupted. */
interface Interruptible {
  /** Called before the work goes on after an `await`; returns whether its process has died. */
  isDead: () => boolean;
}

/**
 * Interrupts asynchronous functions as the end of their process would: an `await` of a promise
 * never returns, and neither `catch` nor `finally` see anything.
 *
 * An `await` looks up the `constructor` of the promise that it waits for, and so does each function
 * that combines promises. While the interrupter is installed, that is a getter. For a promise of
 * watched work it returns another constructor, so that the `await` calls the method `then`.
 */
export class Interrupter {
  readonly #current = new AsyncLocalStorage<Interruptible>();

  /** Watches all promises; returns a function that ends that. */
  install(): () => void {
    const before = Object.getOwnPropertyDescriptor(Promise.prototype, "constructor")!;
    const onAwait = (promise: object) => this.#onAwait(promise);
    Object.defineProperty(Promise.prototype, "constructor", {
      configurable: true,
      enumerable: false,
      get() {
        return onAwait(this) ? WatchedPromise : Promise;
      },
      // An assignment creates a property of the promise, as if this were none of its prototype.
      set(value) {
        const writable = { writable: true, configurable: true, enumerable: true };
        Object.defineProperty(this, "constructor", { value, ...writable });
      },
    });
    return () => void Object.defineProperty(Promise.prototype, "constructor", before);
  }

  /** Calls a function, and asks each time before it goes on after an `await` whether it is dead. */
  readonly watch = <T>(run: () => Promise<T>, isDead: Interruptible["isDead"]): Promise<T> =>
    this.#current.run({ isDead }, run);

  /** Returns a callback that does nothing once the work that passes it on has been interrupted. */
  bind<Args extends unknown[]>(callback: (...args: Args) => void): (...args: Args) => void {
    const work = this.#current.getStore();
    if (!work) return callback;
    return (...args) => this.#goOn(work, () => callback(...args));
  }

  /** Calls a function that is not part of any work, such as that of a timer of the server. */
  readonly outside = (callback: () => void): void => this.#current.exit(callback);

  #goOn<T>(work: Interruptible, callback: () => T): T | undefined {
    return work.isDead() ? undefined : this.#current.run(work, callback);
  }

  /** Prepares the `await` of a promise, if it is one of some work; returns whether it is. */
  #onAwait(promise: object): boolean {
    const work = this.#current.getStore();
    if (!work || Object.getPrototypeOf(promise) !== Promise.prototype) return false;
    const guard = (callback: unknown) =>
      typeof callback === "function"
        ? (value: unknown) => this.#goOn(work, () => callback(value))
        : callback;
    const guarded = (...callbacks: unknown[]) =>
      this.#current.exit(() => Reflect.apply(then, promise, callbacks.map(guard)));
    Object.defineProperty(promise, "then", { configurable: true, writable: true, value: guarded });
    queueMicrotask(() => {
      if ((promise as { then?: unknown }).then === guarded) {
        delete (promise as { then?: unknown }).then;
      }
    });
    return true;
  }
}
