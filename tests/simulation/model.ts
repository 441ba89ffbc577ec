import type { DispatchEvent, Observer, ServedRequest, Store } from "../../dev/mod.ts";
import { channelsOf, wireChannel } from "../../protocol/mod.ts";
import type { World, WorldConnection, WorldFrame } from "../../testing/mod.ts";

/** A session at a node, and the channels that it is subscribed to. */
export interface ServerSession {
  readonly id: string;
  readonly client: string;
  readonly connection: WorldConnection;
  readonly channels: Set<string>;
}

/** An event as a node published it. */
export interface Published {
  /** Its position among all events of all nodes. */
  readonly order: number;
  readonly at: number;
  readonly node: number;
  readonly event: DispatchEvent;
  /** The sessions that it was published to, with the channels which it was published on. */
  readonly sessions: ReadonlyMap<ServerSession, readonly string[]>;
  /** The sessions that have ended, or have no network, which it would have been published to. */
  readonly absent: ReadonlyMap<ServerSession, readonly string[]>;
}

/** An event that a client published for workflows. */
export interface Signal {
  readonly id: string;
  readonly name: string;
  readonly payload: unknown;
}

/** How many events a node sends before it needs a grant. */
const INITIAL_CREDITS = 1_000;

/** Names an event, so that the one which a client received is found again. */
export function keyOf({ ts, type, topic }: DispatchEvent): string {
  return `${ts} ${type} ${topic}`;
}

/** The names of connections, and when something last happened to each. */
class Harmed extends Set<string> {
  readonly #now: () => number;
  readonly at = new Map<string, number>();

  constructor(now: () => number) {
    super();
    this.#now = now;
  }

  override add(name: string): this {
    this.at.set(name, this.#now());
    return super.add(name);
  }
}

/** Whether one of these names is that of a connection of a client. */
export function hasConnectionOf(connections: ReadonlySet<string>, client: string): boolean {
  return [...connections].some((name) => name.startsWith(`${client}#`));
}

/** What the nodes received, stored and published, as their observers saw it. */
export class Model {
  readonly published: Published[] = [];
  readonly signals: Signal[] = [];
  /** The jobs and events that clients sent over WebSockets, in the order of their arrival. */
  readonly writes: { name: string; payload: unknown }[] = [];
  readonly sessions = new Map<WorldConnection, ServerSession>();
  /** Events whose frames the network lost by a fault that no client can notice. */
  readonly lost = new Set<string>();
  /** The times in which a connection took no events, so that the buffer of 256 could overflow. */
  readonly stalls: { connection: string; from: number; until: number }[] = [];
  /** The connections that a fault has affected. */
  readonly harmed = new Harmed(() => this.world?.now ?? 0);
  /** The connections whose frames a fault has delayed. */
  readonly delayed = new Set<string>();
  /** The stores of the nodes, the newest last. */
  readonly stores: Store[] = [];
  /** The jobs that were marked cancelled. */
  readonly cancelled = new Set<string>();
  /** The same, as often as it happened. */
  readonly cancels: string[] = [];
  /** How many answers the network lost, by client. */
  readonly lostAnswers = new Map<string, number>();
  readonly byKey = new Map<string, Published[]>();
  /** The clients that events were lost on the way to. */
  readonly #miscounting = new Set<string>();
  /** Whether the next event costs its publisher and a subscriber their connections. */
  hasRace = false;
  /** The connection whose request was the last, and when. */
  #asking: { connection: WorldConnection; at: number } | undefined;
  world!: World;

  /** Creates the observer of a node. */
  observe(node: number): Observer {
    return {
      request: (request) => this.#onRequest(node, request),
      event: (event) => this.#onEvent(node, event),
      cancelled: (id) => {
        this.cancelled.add(id);
        this.cancels.push(id);
      },
      published: ({ id, name, payload }) => this.signals.push({ id, name, payload }),
    };
  }

  /** Notes that the network loses or spoils a frame. */
  onLost(frame: WorldFrame): void {
    const { text } = frame;
    if (!text.includes('"type":"event"')) {
      const { client } = frame;
      this.lostAnswers.set(client, (this.lostAnswers.get(client) ?? 0) + 1);
      return;
    }
    const { data } = JSON.parse(text);
    if (data !== undefined) this.lost.add(keyOf(data));
    this.#miscounting.add(frame.client);
  }

  /**
   * Whether a client may have counted more credits than its node had left, and so not notice that
   * they ran out: the node counts the events that the network loses, too.
   */
  miscounts(client: string): boolean {
    return this.#miscounting.has(client) && this.published.length >= INITIAL_CREDITS;
  }

  /** Whether the buffer of a session may have overflowed. */
  isStalled({ connection }: ServerSession, at: number): boolean {
    return this.stalls.some((stall) =>
      stall.connection === connection.name && at >= stall.from && at <= stall.until
    );
  }

  #onRequest(node: number, { session_id, method, data }: ServedRequest): void {
    // Requests over HTTP belong to no session.
    if (session_id === undefined) return;
    const connection = this.world.connections.findLast((it) =>
      it.node === node && it.sessionId === session_id
    );
    if (!connection) return;
    this.#asking = { connection, at: this.world.now };
    let session = this.sessions.get(connection);
    if (!session) {
      const { client } = connection;
      session = { id: session_id!, client, connection, channels: new Set() };
      this.sessions.set(connection, session);
    }
    if (method === "job.enqueue" || method === "workflow.event") {
      const { name, payload } = JSON.parse(data!);
      this.writes.push({ name, payload });
    }
    if (method === "subscribe") session.channels.add(JSON.parse(data!).channel);
    if (method === "unsubscribe") session.channels.delete(JSON.parse(data!).channel);
  }

  #onEvent(node: number, event: DispatchEvent): void {
    const sessions = new Map<ServerSession, string[]>();
    const absent = new Map<ServerSession, string[]>();
    const wanted = channelsOf(event).map(wireChannel);
    for (const [connection, session] of this.sessions) {
      if (connection.node !== node) continue;
      const channels = wanted.filter((channel) => session.channels.has(channel));
      const isOpen = connection.isOpenAtNode && !connection.isMuted;
      if (channels.length > 0) (isOpen ? sessions : absent).set(session, channels);
    }
    const order = this.published.length;
    const published = { order, at: this.world.now, node, event, sessions, absent };
    this.published.push(published);
    const key = keyOf(event);
    const same = this.byKey.get(key);
    if (same) same.push(published);
    else this.byKey.set(key, [published]);
    this.world.record(`node-${node + 1}`, "publishes", JSON.stringify(event));
    if (this.hasRace) this.#race(node, sessions);
  }

  #race(node: number, sessions: ReadonlyMap<ServerSession, unknown>): void {
    const { connection: publisher, at } = this.#asking ?? {};
    if (!publisher?.isOpenAtNode || publisher.node !== node || at !== this.world.now) return;
    const subscriber = [...sessions.keys()].find(({ connection }) => connection !== publisher);
    if (!subscriber) return;
    this.hasRace = false;
    for (const connection of [subscriber.connection, publisher]) {
      this.harmed.add(connection.name);
      connection.cut();
    }
  }
}
