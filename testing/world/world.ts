import { Dispatch } from "../../client/dispatch.ts";
import type { DispatchOptions, HttpOptions } from "../../client/options.ts";
import { createDevServer, createStore, type DevServer, type Store } from "../../dev/mod.ts";
import { checkOptions } from "../../dev/options_error.ts";
import { seededRandom } from "../../runtime/random.ts";
import { WORLD_RULES } from "../_option_rules.ts";
import type { WorldConnection } from "./connection.ts";
import type { FaultPolicy } from "./faults.ts";
import { createFetch } from "./http.ts";
import { Network } from "./network.ts";
import type { World, WorldNode, WorldOptions } from "./options.ts";
import { Timeline, WorldClock } from "./timeline.ts";
import { hashTrace, type TraceEntry, traceLine } from "./trace.ts";

/**
 * Thrown by {@linkcode World.run} when a promise does not settle in time.
 *
 * @example
 * ```ts
 * import { createWorld, WorldError } from "@dispatch/sdk/testing";
 * import assert from "node:assert/strict";
 *
 * await using world = await createWorld({ seed: 1 });
 * await assert.rejects(world.run(new Promise(() => {}), 1_000), WorldError);
 * ```
 */
export class WorldError extends Error {
  /** Always `"world_stopped"`. */
  readonly code = "world_stopped";

  /** Creates the error with a reason. */
  constructor(reason: string) {
    super(`Cannot run world: ${reason}`);
    this.name = "WorldError";
  }
}

class SimulatedWorld implements World {
  readonly #options: WorldOptions;
  readonly #timeline = new Timeline();
  readonly #clocks = new Map<string, WorldClock>();
  readonly #nodes: Node[] = [];
  readonly #clients: Dispatch[] = [];
  readonly url = "ws://any/dwp";
  readonly trace: TraceEntry[] = [];
  readonly #network: Network;

  constructor(options: WorldOptions) {
    this.#options = options;
    const { nodes = 1, seed, latency = [1, 5], networkFaults = () => undefined } = options;
    for (let index = 0; index < nodes; index++) {
      this.#nodes.push(new Node(index, this.clock(`node-${index + 1}`), options));
    }
    this.#network = new Network({
      seed,
      latency,
      nodes: this.#nodes,
      faults: networkFaults,
      now: () => this.now,
      record: ({ who, what, frame }) => this.record(who, what, frame),
    });
  }

  get networkFaults(): FaultPolicy {
    return this.#network.faults;
  }

  set networkFaults(policy: FaultPolicy) {
    this.#network.faults = policy;
  }

  get now(): number {
    return this.#timeline.now;
  }

  get steps(): number {
    return this.#timeline.steps;
  }

  get nodes(): readonly WorldNode[] {
    return this.#nodes;
  }

  get connections(): readonly WorldConnection[] {
    return this.#network.connections;
  }

  get store(): Store {
    return this.#nodes[0]!.server.store;
  }

  async start(store: Store = createStore()): Promise<void> {
    for (const node of this.#nodes) await node.start(store);
  }

  clock(name: string): WorldClock {
    let clock = this.#clocks.get(name);
    if (!clock) {
      const start = Date.parse(this.#options.start ?? "2026-01-01T00:00:00Z");
      clock = new WorldClock(this.#timeline, name, this.#clocks.size, start);
      this.#clocks.set(name, clock);
    }
    return clock;
  }

  clientOptions(name: string): DispatchOptions {
    const clock = this.clock(name);
    return {
      url: this.url,
      token: Object.keys(this.#options.tokens ?? {})[0] ?? "demo-token",
      clock,
      random: seededRandom(this.#options.seed + 7_919 * (clock.rank + 1)),
      webSocket: (url) => this.#network.open(clock, url) as unknown as WebSocket,
    };
  }

  httpOptions(name: string): HttpOptions {
    const { webSocket: _, url: _url, ...options } = this.clientOptions(name);
    const record = (who: string, what: string, frame?: string) => this.record(who, what, frame);
    const fetch = createFetch(this.#network, this.clock(name), record);
    return { ...options, url: "http://any/dwp", fetch };
  }

  client(name: string = "client", options: Partial<DispatchOptions> = {}): Dispatch {
    const client = new Dispatch({ ...this.clientOptions(name), ...options });
    this.#clients.push(client);
    return client;
  }

  record(who: string, what: string, frame?: string): void {
    this.trace.push({ at: this.now, who, what, ...(frame === undefined ? {} : { frame }) });
  }

  traceLines(): string[] {
    return this.trace.map(traceLine);
  }

  hash(): string {
    return hashTrace(this.trace);
  }

  async run<T>(promise: PromiseLike<T>, limit: number = 86_400_000): Promise<T> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    const end = this.now + limit;
    await this.#timeline.settle();
    while (!isSettled) {
      if (!this.#timeline.step(end)) {
        throw new WorldError(`the promise has not settled within ${limit} ms`);
      }
      await this.#timeline.settle();
    }
    return await promise;
  }

  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    await this.#timeline.settle();
    while (this.#timeline.step(end)) await this.#timeline.settle();
    this.#timeline.now = end;
  }

  async close(): Promise<void> {
    this.#network.faults = () => undefined;
    await this.run(Promise.all(this.#clients.map((client) => client.close())));
    for (const node of this.#nodes) await node.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class Node implements WorldNode {
  readonly index: number;
  readonly url: string;
  readonly clock: WorldClock;
  readonly #options: WorldOptions;
  #starts = 0;
  server!: DevServer;

  constructor(index: number, clock: WorldClock, options: WorldOptions) {
    this.index = index;
    this.url = `ws://node-${index + 1}/dwp`;
    this.clock = clock;
    this.#options = options;
  }

  async start(store: Store): Promise<void> {
    await this.close();
    const { nodes: _, latency: _latency, networkFaults: _faults, observer, start: _start, ...own } =
      this.#options;
    this.server = await createDevServer({
      ...own,
      store,
      listen: false,
      clock: this.clock,
      random: seededRandom(own.seed + 104_729 * (this.index + 1) + 31 * this.#starts++),
    });
    if (observer) this.server.observe(observer(this.index));
  }

  webSocket(): WebSocket {
    return this.server.webSocket();
  }

  fetch(url: URL, init: RequestInit): Promise<Response> {
    return this.server.fetch(url, init);
  }

  restart(downtime = 0): Promise<void> {
    return this.server.restart(downtime);
  }

  async close(): Promise<void> {
    await this.server?.close();
  }
}

/**
 * Creates a world: servers on one store, and a network that clients connect through.
 *
 * @example
 * ```ts
 * import { referenceWorkload } from "@dispatch/sdk/dev";
 * import { createWorld } from "@dispatch/sdk/testing";
 * import assert from "node:assert/strict";
 *
 * await using world = await createWorld({ ...referenceWorkload(), seed: 1, nodes: 2 });
 * const client = world.client();
 * const job = await world.run(client.enqueue("noop", {}));
 * for (const connection of world.connections) connection.cut();
 * assert.equal((await world.run(job.wait())).state, "completed");
 * ```
 *
 * @throws {OptionsError} If an option is not valid.
 */
export async function createWorld(options: WorldOptions): Promise<World> {
  checkOptions("create world", options, WORLD_RULES);
  const world = new SimulatedWorld(options);
  await world.start();
  return world;
}
