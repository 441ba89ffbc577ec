/** An abort signal that counts its listeners. */
export class CountingSignal {
  readonly #controller = new AbortController();
  readonly #listeners = new Set<unknown>();
  readonly signal: AbortSignal;

  constructor() {
    this.signal = this.#controller.signal;
    const add = this.signal.addEventListener.bind(this.signal);
    const remove = this.signal.removeEventListener.bind(this.signal);
    const own = {
      addEventListener: (type: string, listener: EventListener) => {
        this.#listeners.add(listener);
        add(type, listener);
      },
      removeEventListener: (type: string, listener: EventListener) => {
        if (type === "abort") this.#listeners.delete(listener);
        remove(type, listener);
      },
    };
    Object.assign(this.signal, own);
  }

  /** The number of listeners that were added, but neither called nor removed. */
  get listeners(): number {
    return this.#listeners.size;
  }

  abort(reason: unknown): void {
    const called = [...this.#listeners];
    this.#controller.abort(reason);
    for (const listener of called) this.#listeners.delete(listener);
  }
}
