import { setImmediate } from "node:timers";
import type { DevServer } from "../../dev/mod.ts";

/** How time passes while a transcript is replayed. */
export interface ReplayTime {
  /** Lets `ms` milliseconds pass. */
  pass(ms: number): Promise<void>;
  /**
   * Waits until a condition holds.
   * @param changed Resolves when the condition may have changed.
   * @returns Whether it holds, after at most `ms` milliseconds.
   */
  until(condition: () => boolean, ms: number, changed: () => Promise<void>): Promise<boolean>;
  /** Called with each connection that is opened. */
  opened(connection: CountingConnection): void;
}

/** A connection that counts its messages. */
export interface CountingConnection {
  /** Whether the connection is open. */
  readonly isOpen: boolean;
  /** How many messages it has sent and received. */
  readonly messages: number;
}

/** Real time, for servers outside of this process. */
export const realTime: ReplayTime = {
  pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  until: async (condition, ms, changed) => {
    const end = performance.now() + ms;
    while (!condition()) {
      const left = end - performance.now();
      if (left <= 0) return false;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const timeout = new Promise<void>((resolve) => timer = setTimeout(resolve, left));
      await Promise.race([changed(), timeout]);
      clearTimeout(timer);
    }
    return true;
  },
  opened: () => {},
};

const FIRST_STEP_MS = 5;
const LONGEST_STEP_MS = 100;
/** How long the sockets may take to deliver what was sent, in real milliseconds. */
const DELIVERY_LIMIT_MS = 5_000;

/**
 * The time of an embedded server with a virtual clock. It advances only when everything that was sent
 * has been received, so it does not depend on how fast the sockets are.
 */
export class VirtualTime implements ReplayTime {
  readonly #server: DevServer;
  /** The connections in the order they were opened, in which the server numbers them too. */
  readonly #connections: CountingConnection[] = [];

  /** @param server A server with a virtual clock that has had no connection yet. */
  constructor(server: DevServer) {
    this.#server = server;
  }

  async pass(ms: number): Promise<void> {
    await this.#delivered();
    await this.#server.advance(ms);
    await this.#delivered();
  }

  async until(condition: () => boolean, ms: number): Promise<boolean> {
    await this.#delivered();
    for (let passed = 0; !condition() && passed < ms;) {
      const step = Math.min(Math.max(passed, FIRST_STEP_MS), LONGEST_STEP_MS);
      await this.#server.advance(step);
      await this.#delivered();
      passed += step;
    }
    return condition();
  }

  opened(connection: CountingConnection): void {
    this.#connections.push(connection);
  }

  /** Waits until both ends of every connection have counted the same messages, for two turns. */
  async #delivered(): Promise<void> {
    const limit = performance.now() + DELIVERY_LIMIT_MS;
    for (let turns = 0; turns < 2;) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      turns = this.#isDelivered() ? turns + 1 : 0;
      if (performance.now() > limit) throw new Error("the sockets did not deliver every message");
    }
  }

  #isDelivered(): boolean {
    const open = new Map(
      this.#server.faults.connections().map(({ connection, frames }) => [connection, frames]),
    );
    return this.#connections.every((connection, index) =>
      connection.isOpen ? open.get(index + 1) === connection.messages : true
    );
  }
}
