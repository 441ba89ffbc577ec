import { AsyncLocalStorage } from "node:async_hooks";

/** Work that is interrupted at one of its `await`s. */
interface Interruptible {
  /** Called at each `await`; returns whether the work ends there. */
  onAwait: () => boolean;
  isDead: boolean;
}

/**
 * Interrupts asynchronous functions between two statements, as the end of their process would: an
 * `await` of a promise never returns, and neither `catch` nor `finally` see anything.
 *
 * An `await` looks up the `constructor` of the promise that it waits for. So does each function that
 * combines promises. While the interrupter is installed, that is a getter.
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
        return onAwait(this) ? undefined : Promise;
      },
      // An assignment creates a property of the promise, as if this were none of its prototype.
      set(value) {
        const writable = { writable: true, configurable: true, enumerable: true };
        Object.defineProperty(this, "constructor", { value, ...writable });
      },
    });
    return () => void Object.defineProperty(Promise.prototype, "constructor", before);
  }

  /** Calls a function, and calls back at each of its `await`s of a promise. */
  readonly watch = <T>(run: () => Promise<T>, onAwait: () => boolean): Promise<T> =>
    this.#current.run({ onAwait, isDead: false }, run);

  /** Returns a callback that does nothing once the work that passes it on has been interrupted. */
  bind<Args extends unknown[]>(callback: (...args: Args) => void): (...args: Args) => void {
    const work = this.#current.getStore();
    if (!work) return callback;
    return (...args) => {
      if (!work.isDead) this.#current.run(work, () => callback(...args));
    };
  }

  /** Calls a function that is not part of any work, such as that of a timer of the server. */
  readonly outside = (callback: () => void): void => this.#current.exit(callback);

  /** Returns whether the `await` of a promise is one that never returns. */
  #onAwait(promise: object): boolean {
    const work = this.#current.getStore();
    if (!work || Object.getPrototypeOf(promise) !== Promise.prototype) return false;
    work.isDead ||= work.onAwait();
    if (!work.isDead) return false;
    // Without the usual constructor, the `await` asks the promise for its `then`, and calls it.
    Object.defineProperty(promise, "then", { configurable: true, value: () => {} });
    queueMicrotask(() => {
      delete (promise as { then?: unknown }).then;
      // Nobody is left who could handle its rejection.
      this.outside(() => Promise.prototype.then.call(promise, undefined, () => {}));
    });
    return true;
  }
}
