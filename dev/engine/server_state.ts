import type { Observer } from "../options.ts";
import type { QuirkName } from "../quirks.ts";
import type { AroundWork } from "../work.ts";
import type { Ids } from "./ids.ts";
import type { MemoryStore } from "./memory_store.ts";
import type { Registry } from "./registry.ts";
import type { Tenant } from "./store_rows.ts";
import type { Timers } from "./timers.ts";
import type { Timestamps } from "./timestamps.ts";

/** Shared by all parts of one server. */
export interface ServerState {
  readonly store: MemoryStore;
  readonly registry: Registry;
  readonly events: EventSink;
  readonly timers: Timers;
  readonly timestamps: Timestamps;
  readonly ids: Ids;
  readonly quirks: Readonly<Record<QuirkName, boolean>>;
  readonly random: () => number;
  readonly log: (line: string) => void;
  readonly observers: ReadonlySet<Observer>;
  /** Called around each piece of work. */
  readonly aroundWork?: AroundWork;
  /** Whether the server was closed. Handlers that still run must leave no trace then. */
  closed: boolean;
}

/** Receives the events that the engines publish. */
export interface EventSink {
  /** Delivers an event to the subscribers. */
  publish(event: PublishedEvent): void;
}

/** An event as the engines publish it. */
export interface PublishedEvent {
  type: string;
  /** The topic of the event's entity; empty if it has none. */
  topic: string;
  /** The queue, for an event about a job. */
  queue?: string;
  /** The envelope `{type, ts, topic, data}` as JSON text. */
  json: string;
  tenant: Tenant;
}

/** Returns a promise that never settles, for the handlers of a closed server. */
export function never(): Promise<never> {
  // A promise for all would hold every handler that waits for it, for as long as the process runs.
  return new Promise(() => {});
}
