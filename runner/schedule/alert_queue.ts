import type { AlertMessage } from "./alert_message.ts";
import { postAlert, type PostAlertOptions } from "./webhook.ts";

/** How many alerts may wait for one address. */
const MAX_WAITING = 100;

/** The alerts for one address, oldest first, without the one that is being sent. */
interface AddressQueue {
  address: string;
  waiting: AlertMessage[];
  delivery: Promise<void>;
}

/**
 * Sends alerts, one after another to each address: an alert that is sent again must not arrive
 * after the one that resolves it.
 */
export class AlertQueue {
  #options: PostAlertOptions;
  #queues = new Map<string, AddressQueue>();

  /** Creates an empty queue. */
  constructor(options: PostAlertOptions) {
    this.#options = options;
  }

  /** Sends an alert once those before it have been delivered or given up. */
  send(address: string, message: AlertMessage): void {
    // `http://a` and `http://a/` are one address.
    const key = new URL(address).href;
    const queue = this.#queues.get(key);
    if (!queue) {
      const added = { address, waiting: [message], delivery: Promise.resolve() };
      this.#queues.set(key, added);
      added.delivery = this.#deliver(added).finally(() => this.#queues.delete(key));
      return;
    }
    queue.waiting.push(message);
    if (queue.waiting.length <= MAX_WAITING) return;
    // Drop a reminder first: it matters less than an alert that was raised or resolved.
    const reminder = queue.waiting.findIndex(({ type }) => type === "reminder");
    const [dropped] = queue.waiting.splice(Math.max(0, reminder), 1);
    this.#options.warn(
      `dropped an alert for ${dropped!.recipe}: ${MAX_WAITING} wait for ${new URL(address).origin}`,
    );
  }

  /** Resolves when no alert waits any more. */
  async idle(): Promise<void> {
    await Promise.all([...this.#queues.values()].map(({ delivery }) => delivery));
  }

  async #deliver({ address, waiting }: AddressQueue): Promise<void> {
    for (let message = waiting.shift(); message; message = waiting.shift()) {
      await postAlert(address, message, this.#options);
    }
  }
}
