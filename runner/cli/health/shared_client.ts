import type { Dispatch } from "../../../client/dispatch.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { abortable } from "../../../runtime/abortable.ts";
import type { Server } from "../server.ts";

/** Settings of a {@linkcode SharedClient}. */
export interface SharedClientOptions {
  /** The client's class. */
  Dispatch: typeof Dispatch;
  /** The server. */
  server: Server;
  /** The clock. */
  clock: Clock;
  /** Ends attempts to connect when aborted. */
  signal: AbortSignal;
}

/** How long a check waits for a connection that was lost to be there again, in milliseconds. */
const PATIENCE = 5_000;

/**
 * The connection that all checks of a server share. It connects anew when it is lost; a check that
 * starts while the server is away fails with the reason.
 */
export class SharedClient {
  #options: SharedClientOptions;
  #client: Promise<Dispatch> | undefined;
  /** Why the connection is lost; absent while there is one. */
  #cause: Error | undefined;
  #onConnected = new Set<() => void>();

  /** Creates it without connecting. */
  constructor(options: SharedClientOptions) {
    this.#options = options;
  }

  /**
   * Returns the client, connected.
   * @throws {DispatchError}
   */
  async get(): Promise<Dispatch> {
    const { signal } = this.#options;
    this.#client ??= this.#connect();
    try {
      const client = await abortable(this.#client, signal);
      if (this.#cause) await this.#connected();
      if (this.#cause) throw this.#cause;
      return client;
    } catch (error) {
      // The next check connects anew, so that it learns the reason at once.
      if (this.#cause === undefined) this.#client = undefined;
      throw error;
    }
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    // One that could not connect has nothing to close.
    await client?.then((open) => open.close(), () => {});
  }

  async #connect(): Promise<Dispatch> {
    const { Dispatch, server: { url, token, webSocket }, clock, signal } = this.#options;
    const own = { url, token, clock, signal, ...(webSocket ? { webSocket } : {}) };
    const client = await Dispatch.connect(own);
    this.#cause = undefined;
    void this.#watch(client);
    return client;
  }

  /** Resolves when the connection is there again, or after a while. */
  #connected(): Promise<void> {
    const { clock, signal } = this.#options;
    return new Promise((resolve) => {
      const done = () => {
        clock.clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#onConnected.delete(done);
        resolve();
      };
      const timer = clock.setTimeout(done, PATIENCE);
      signal.addEventListener("abort", done);
      this.#onConnected.add(done);
    });
  }

  async #watch(client: Dispatch): Promise<void> {
    for await (const status of client.status()) {
      if (status.type === "disconnected" || status.type === "reconnecting") {
        this.#cause = status.cause;
      } else if (status.type === "connected") {
        this.#cause = undefined;
        for (const done of this.#onConnected) done();
      } else if (status.type === "failed" || status.type === "closed") break;
    }
    // It does not try any more.
    this.#client = undefined;
    this.#cause = undefined;
    await client.close();
  }
}
