type Message = string | Uint8Array;

const MAX_SIZE = 16 * 2 ** 20;
/** The bytes counted for each message on top of its text, so that empty ones add up, too. */
const MESSAGE_OVERHEAD = 64;

/** The messages of a connection that wait until the request before them has been handled. */
export class Inbox {
  #messages: Message[] = [];
  #next = 0;
  #size = 0;

  /** Whether more than 16 MiB wait. */
  get isFull(): boolean {
    return this.#size > MAX_SIZE;
  }

  /** Adds a message. */
  push(message: Message): void {
    this.#messages.push(message);
    this.#size += message.length + MESSAGE_OVERHEAD;
  }

  /** Removes and returns the oldest message. */
  shift(): Message | undefined {
    const message = this.#messages[this.#next];
    if (message === undefined) {
      this.clear();
      return undefined;
    }
    this.#next++;
    this.#size -= message.length + MESSAGE_OVERHEAD;
    return message;
  }

  /** Removes all messages. */
  clear(): void {
    this.#messages = [];
    this.#next = 0;
    this.#size = 0;
  }
}
