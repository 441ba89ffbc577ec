import type { Dispatch } from "../../../client/dispatch.ts";
import { type Clock, monotonicNow } from "../../../runtime/clock.ts";
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

/**
 * How long checks wait for a connection that was lost to be there again, in milliseconds since the loss.
 * During a long outage they fail at once, so that none waits for its turn behind others.
 */
const PATIENCE = 5_000;

/**
 * The pauses between attempts to reconnect, without an end: a check must not report a server as away
 * that has been back for most of a minute.
 */
const RECONNECT = { maxRetries: 0, backoff: { base: 500, cap: 2_000 } };

/** Why the connection is lost. */
interface Loss {
  /** When it was lost, by the monotonic clock. */
  at: number;
  /** The reason, or that of the last attempt to reconnect. */
  cause: Error;
}

/**
 * The connection that all checks of a server share. It connects anew when it is lost; a check that
 * starts while the server is away fails with the reason.
 */
export class SharedClient {
  #options: SharedClientOptions;
  #client: Promise<Dispatch> | undefined;
  /** Absent while there is a connection. */
  #loss: Loss | undefined;
  /** Called with whether the connection is there again, or does not come. */
  #onReconnected = new Set<(isConnected: boolean) => void>();
  /** Why the first attempt failed, and until when by the monotonic clock checks share this reason. */
  #failure: { error: unknown; until: number } | undefined;

  /** Creates it without connecting. */
  constructor(options: SharedClientOptions) {
    this.#options = options;
  }

  /**
   * Returns the client, connected.
   * @throws {DispatchError}
   */
  async get(): Promise<Dispatch> {
    const { signal, clock } = this.#options;
    if (this.#failure && monotonicNow(clock) < this.#failure.until) throw this.#failure.error;
    this.#client ??= this.#connect();
    const client = await abortable(this.#client, signal);
    const loss = this.#loss;
    if (loss && !await this.#reconnected(loss)) throw loss.cause;
    return client;
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
    const own = { url, token, clock, signal, ...RECONNECT, ...(webSocket ? { webSocket } : {}) };
    const begun = monotonicNow(clock);
    try {
      const client = await Dispatch.connect(own);
      void this.#watch(client);
      return client;
    } catch (error) {
      // The next check connects anew, so that it learns the reason at once. But if the server does not
      // answer, not each check waits for that: the others would wait for their turn meanwhile.
      this.#client = undefined;
      const now = monotonicNow(clock);
      this.#failure = { error, until: now + (now - begun) };
      throw error;
    }
  }

  /** Waits for the connection to be there again, or to have been lost for a while; returns whether it is. */
  #reconnected({ at }: Loss): Promise<boolean> {
    const { clock, signal } = this.#options;
    const left = at + PATIENCE - monotonicNow(clock);
    if (left <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const done = (isConnected: boolean) => {
        clock.clearTimeout(timer);
        signal.removeEventListener("abort", giveUp);
        this.#onReconnected.delete(done);
        resolve(isConnected);
      };
      const giveUp = () => done(false);
      const timer = clock.setTimeout(giveUp, left);
      signal.addEventListener("abort", giveUp);
      this.#onReconnected.add(done);
    });
  }

  async #watch(client: Dispatch): Promise<void> {
    for await (const status of client.status()) {
      if (status.type === "disconnected") {
        this.#loss = { at: monotonicNow(this.#options.clock), cause: status.cause };
      } else if (status.type === "connected") {
        this.#loss = undefined;
        for (const done of this.#onReconnected) done(true);
      } else if (this.#loss && (status.type === "reconnecting" || status.type === "failed")) {
        this.#loss.cause = status.cause;
      }
      if (status.type === "failed" || status.type === "closed") break;
    }
    // It does not try any more.
    this.#client = undefined;
    this.#loss = undefined;
    for (const done of this.#onReconnected) done(false);
    await client.close();
  }
}
