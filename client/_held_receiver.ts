import type { DispatchEvent } from "../protocol/event.ts";
import type { Receiver } from "./_transport.ts";
import type { Gap } from "./gap.ts";

/** Holds what comes for a receiver that is still being loaded. */
export class HeldReceiver implements Receiver {
  #receiver: Receiver | undefined;
  readonly #held: ((receiver: Receiver) => void)[] = [];

  onEvent(event: DispatchEvent): void {
    if (this.#receiver) this.#receiver.onEvent(event);
    else this.#do((it) => it.onEvent(event));
  }

  onGap(gap: Gap): void {
    this.#do((it) => it.onGap(gap));
  }

  onEnd(error?: Error, keep?: boolean): void {
    this.#do((it) => it.onEnd(error, keep));
  }

  /** From here on, all goes to the receiver. */
  handTo(receiver: Receiver): void {
    this.#receiver = receiver;
    for (const step of this.#held.splice(0)) step(receiver);
  }

  #do(step: (receiver: Receiver) => void): void {
    if (this.#receiver) step(this.#receiver);
    else this.#held.push(step);
  }
}
