import { Dispatch, type DispatchOptions, type HttpOptions } from "../../mod.ts";
import { realClock } from "../../runtime/real_timers.ts";
import type { TimerHandle } from "../../runtime/mod.ts";
import { createFaultProxy, type FaultProxy, type ProxyConnection } from "../../testing/mod.ts";
import type { WorldConnection } from "../../testing/mod.ts";
import type { Stage, StageClock } from "../simulation/actor.ts";
import type { PlannedFault } from "../simulation/program.ts";

/** A machine's clock that counts its timers. Both of its times are milliseconds since 1970. */
class CountingClock implements StageClock {
  readonly #pending = new Set<TimerHandle>();

  get pending(): number {
    return this.#pending.size;
  }

  now(): number {
    return realClock.now();
  }

  monotonic(): number {
    return performance.timeOrigin + realClock.monotonic!();
  }

  setTimeout(callback: () => void, ms: number): TimerHandle {
    // Node calls back up to a millisecond too early.
    const handle = realClock.setTimeout(() => {
      this.#pending.delete(handle);
      callback();
    }, Math.ceil(ms) + 1);
    this.#pending.add(handle);
    return handle;
  }

  clearTimeout(handle: TimerHandle): void {
    realClock.clearTimeout(handle);
    this.#pending.delete(handle);
  }
}

/** A client's way to the server: a proxy for its sockets, and another one for its HTTP requests. */
class Path {
  readonly clock = new CountingClock();
  readonly sockets: FaultProxy;
  readonly http: FaultProxy;

  constructor(sockets: FaultProxy, http: FaultProxy) {
    this.sockets = sockets;
    this.http = http;
  }

  get proxies(): readonly FaultProxy[] {
    return [this.sockets, this.http];
  }
}

/** A world of real sockets: each client of a program reaches a server through a faulty proxy. */
export class RealWorld implements Stage, AsyncDisposable {
  readonly url: string;
  readonly nodes: readonly { readonly url: string }[];
  readonly trace: string[] = [];
  /** The WebSockets that clients opened. What the server knows of them cannot be seen. */
  readonly connections: WorldConnection[] = [];
  /** The clients that a fault has affected. */
  readonly harmed = new Set<string>();
  readonly #paths = new Map<string, Path>();
  readonly #clients: Dispatch[] = [];
  readonly #start = Date.now();
  readonly #timers = new CountingClock();
  #hasFaults = true;
  /** Whether the proxies reset new connections. Without a listener another process may get the port. */
  #isDown = false;

  readonly #random: () => number;

  private constructor(url: string, random: () => number) {
    this.url = url;
    this.#random = random;
    this.nodes = [{ url }];
  }

  /** Opens the proxies of clients with these names, with the faults of each. */
  static async open(
    url: string,
    faults: ReadonlyMap<string, readonly PlannedFault[]>,
    random: () => number = Math.random,
  ): Promise<RealWorld> {
    const world = new RealWorld(url, random);
    for (const [name, planned] of faults) {
      const left = [...planned];
      const onConnection = (connection: ProxyConnection) => {
        if (world.#isDown) return connection.cut("reset");
        const fault = left.shift();
        if (fault && world.#hasFaults) world.#harm(name, connection, fault);
      };
      const proxy = () => createFaultProxy({ target: url, onConnection });
      world.#paths.set(name, new Path(await proxy(), await proxy()));
    }
    return world;
  }

  get now(): number {
    return Date.now();
  }

  clock(name: string): StageClock {
    return this.#paths.get(name)!.clock;
  }

  clientOptions(name: string): DispatchOptions {
    const url = this.#paths.get(name)!.sockets.url;
    const webSocket = (address: string) => this.#openSocket(name, address);
    return { url, token: "demo-token", random: this.#random, webSocket };
  }

  httpOptions(name: string): HttpOptions {
    const { http, clock } = this.#paths.get(name)!;
    return { url: http.url, token: "demo-token", clock };
  }

  client(name = "", options: Partial<DispatchOptions> = {}): Dispatch {
    const client = new Dispatch({
      ...this.clientOptions(name),
      ...options,
      url: this.#paths.get(name)!.sockets.url,
      clock: this.clock(name),
      pingInterval: 2_000,
      pingTimeout: 2_000,
      connectTimeout: 3_000,
    });
    this.#clients.push(client);
    return client;
  }

  record(who: string, what: string): void {
    this.trace.push(`${String(Date.now() - this.#start).padStart(6)} ${who} ${what}`);
  }

  /** Cuts or holds the connections of all clients. */
  breakAll(how: "cut" | "half-open"): void {
    for (const [name, { proxies }] of this.#paths) {
      for (const { connections } of proxies) {
        for (const connection of connections) this.#break(name, connection, how);
      }
    }
  }

  /** Cuts one of the newest connections. */
  breakOne(pick: number): void {
    const open = [...this.#paths].flatMap(([name, { proxies }]) =>
      proxies.flatMap(({ connections }) => connections.map((it) => ({ name, it })))
    );
    const found = open.at(-1 - pick % (open.length || 1));
    if (found) this.#break(found.name, found.it, "cut");
  }

  /** Resets all connections, and new ones for a while. */
  async restart(ms: number): Promise<void> {
    for (const name of this.#paths.keys()) this.harmed.add(name);
    this.record("proxies", `reset connections for ${ms} ms`);
    this.#isDown = true;
    for (const { proxies } of this.#paths.values()) {
      for (const proxy of proxies) proxy.cut("reset");
    }
    await this.pause(ms);
    this.#isDown = false;
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#timers.setTimeout(resolve, ms));
  }

  /** Lets all later connections work. */
  heal(): void {
    this.#hasFaults = false;
    for (const { proxies } of this.#paths.values()) {
      for (const connection of proxies.flatMap(({ connections }) => connections)) {
        connection.delay(0);
        connection.cutAfter({});
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    for (const { proxies } of this.#paths.values()) {
      for (const proxy of proxies) await proxy.close();
    }
  }

  #openSocket(client: string, url: string): WebSocket {
    const socket = new WebSocket(url);
    this.connections.push({
      openedAt: this.now,
      client,
      // A fault is taken to affect all connections of a client.
      name: client,
      node: 0,
      sessionId: undefined,
      isOpenAtNode: false,
      isMuted: false,
      cut() {},
      mute() {},
      stall() {},
      get isOpenAtClient() {
        // Node never calls a socket closed that was given up while it connected.
        return socket.readyState < WebSocket.CLOSING;
      },
    });
    return socket;
  }

  #break(name: string, connection: ProxyConnection, how: "cut" | "half-open"): void {
    this.harmed.add(name);
    this.record(name, `${how} ${connection.index}`);
    if (how === "cut") connection.cut("reset");
    else connection.hold();
  }

  #harm(
    name: string,
    connection: ProxyConnection,
    { do: action, of, frame, ms }: PlannedFault,
  ): void {
    this.harmed.add(name);
    this.record(name, `plans ${action} for ${connection.index} at frame ${frame}`);
    const direction = of === "open" || of === "write" ? "toServer" : "toClient";
    const later = frame * 10;
    if (action === "refuse") connection.cut("reset");
    else if (action === "delay") connection.delay(Math.min(ms, 500), direction);
    else if (action === "half-open") void this.pause(later).then(() => connection.hold());
    else if (action === "stall") {
      void this.pause(later).then(() => connection.hold(direction))
        .then(() => this.pause(ms)).then(() => connection.release(direction));
    } else {connection.cutAfter({
        frames: frame,
        direction,
        how: action === "cut" ? "fin" : "reset",
      });}
  }
}
