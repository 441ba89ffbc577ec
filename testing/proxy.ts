import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { type Clock, systemClock } from "../runtime/mod.ts";
import { checkArgument, checkOptions } from "../dev/options_error.ts";
import { PROXY_RULES, proxyTarget } from "./_option_rules.ts";
import { type CutKind, type ProxyConnection, TcpConnection } from "./proxy_connection.ts";

/** Settings of {@linkcode createFaultProxy}. */
export interface FaultProxyOptions {
  /** The address of the server: `ws://host:port/path`. */
  target: string | URL;
  /** Called with each new connection before it forwards anything, to set its faults. */
  onConnection?: (connection: ProxyConnection) => void;
  /**
   * The clock for {@linkcode ProxyConnection.delay}.
   * @default {systemClock}
   */
  clock?: Clock;
}

/** A proxy between a client and a server that injects faults while it runs. */
export interface FaultProxy extends AsyncDisposable {
  /** The address for clients: the target's, with the proxy's host and port. */
  readonly url: string;
  /** The connections that are open, oldest first. */
  readonly connections: readonly ProxyConnection[];
  /** How many connections the proxy has accepted. */
  readonly accepted: number;
  /** Cuts every connection. */
  cut(how?: CutKind): void;
  /** Refuses new connections. Open connections continue. */
  refuse(): Promise<void>;
  /** Accepts new connections without ever sending anything. Open connections continue. */
  silence(): Promise<void>;
  /** Forwards new connections again. */
  forward(): Promise<void>;
  /** Forwards new connections to another server. */
  retarget(target: string | URL): void;
  /** Cuts every connection and stops listening. */
  close(): Promise<void>;
}

/**
 * Starts a TCP proxy on a free port of 127.0.0.1 that can cut, hold, delay, refuse and ignore
 * connections.
 *
 * @example Test that a client reconnects after a cut
 * ```ts
 * import { Dispatch } from "@dispatch/sdk";
 * import { createDevServer } from "@dispatch/sdk/dev";
 * import { createFaultProxy } from "@dispatch/sdk/testing";
 *
 * await using server = await createDevServer();
 * await using proxy = await createFaultProxy({ target: server.url });
 * await using client = await Dispatch.connect({ url: proxy.url, token: "demo-token" });
 * proxy.cut();
 * await client.stats();
 * ```
 *
 * @throws {OptionsError} If an option is not valid.
 */
export async function createFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  checkOptions("create fault proxy", options, PROXY_RULES);
  const proxy = new TcpProxy(options);
  await proxy.forward();
  return proxy;
}

class TcpProxy implements FaultProxy {
  readonly #options: FaultProxyOptions;
  readonly #open = new Set<TcpConnection>();
  readonly #clock: Clock;
  #target: URL;
  #server: Server | undefined;
  #port = 0;
  #isSilent = false;
  #accepted = 0;

  constructor(options: FaultProxyOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#target = new URL(options.target);
  }

  get url(): string {
    const url = new URL(this.#target);
    url.hostname = "127.0.0.1";
    url.port = String(this.#port);
    return url.href;
  }

  get connections(): readonly ProxyConnection[] {
    return [...this.#open];
  }

  get accepted(): number {
    return this.#accepted;
  }

  cut(how?: CutKind): void {
    for (const connection of [...this.#open]) connection.cut(how);
  }

  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    // The callback would wait for the open connections; the server stops listening at once.
    server.close();
    await Promise.resolve();
  }

  async silence(): Promise<void> {
    this.#isSilent = true;
    await this.#listen();
  }

  async forward(): Promise<void> {
    this.#isSilent = false;
    await this.#listen();
  }

  retarget(target: string | URL): void {
    checkArgument("retarget fault proxy", "target", target, proxyTarget);
    this.#target = new URL(target);
  }

  async close(): Promise<void> {
    await this.refuse();
    await Promise.all([...this.#open].map((connection) => {
      connection.cut("reset");
      return connection.closed;
    }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #listen(): Promise<void> {
    if (this.#server) return;
    const server = createServer(
      { allowHalfOpen: true, noDelay: true },
      (socket) => this.#accept(socket),
    );
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", () => resolve());
    });
    this.#port = (server.address() as AddressInfo).port;
  }

  #accept(client: Socket): void {
    const { hostname, port } = this.#target;
    const connection = new TcpConnection(this.#accepted++, client, this.#clock);
    this.#open.add(connection);
    connection.closed.then(() => this.#open.delete(connection));
    this.#options.onConnection?.(connection);
    if (!this.#isSilent && connection.isOpen) {
      connection.forwardTo(
        connect({ host: hostname, port: Number(port || 80), allowHalfOpen: true, noDelay: true }),
      );
    }
  }
}
