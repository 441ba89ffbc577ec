import fc from "fast-check";
import type { WorldFaultAction } from "../../testing/mod.ts";
import {
  type CallStep,
  type ClientPlan,
  type FrameKind,
  JOBS,
  METHODS,
  type Operation,
  type PlannedFault,
  type Program,
  rarely,
  type Step,
  TASKS,
  VALUES,
  WORKFLOWS,
} from "./program.ts";

/** A short course of events with variations, in which a mistake shows that needs things in a row. */
export interface Scenario {
  readonly name: string;
  /** What happens, one after the other; a slot may stay empty. */
  readonly slots: readonly Slot[];
  readonly clients: readonly fc.Arbitrary<ClientPlan>[];
  readonly faults?: fc.Arbitrary<PlannedFault>;
  /**
   * The most faults of a program.
   * @default {2}
   */
  readonly mostFaults?: number;
  readonly nodes?: number;
  /**
   * The fewest nodes.
   * @default {1}
   */
  readonly fewestNodes?: number;
  /** The shortest and the longest time that frames take. */
  readonly latencies?: readonly Program["latency"][];
}

type Maker<D extends Operation["do"]> = {
  [K in keyof (Operation & { do: D })]?: fc.Arbitrary<(Operation & { do: D })[K]>;
};

type More = { [K in keyof CallStep]?: fc.Arbitrary<CallStep[K] | undefined> };

export const just = fc.constant;
export const oneOf = fc.constantFrom;

const soon = fc.oneof(just(0), fc.nat({ max: 30 }));
/** At most so many milliseconds, and often few. */
export const within = (max: number): fc.Arbitrary<number> =>
  fc.oneof(fc.nat({ max: 30 }), fc.nat({ max }));
/** So many milliseconds that what was idle has ended, or connections hold. */
export const later = fc.integer({ min: 5_000, max: 9_500 });
const pick = fc.nat({ max: 3 });
const value = oneOf(...VALUES);

const DEFAULTS: { [D in Operation["do"]]: Maker<D> } = {
  connect: {},
  enqueue: { name: oneOf(...JOBS), value },
  enqueueMany: {
    name: oneOf("noop", "work", "fails"),
    count: oneOf(3, 12, 60),
    window: oneOf(2, 64),
  },
  getJob: { pick },
  cancel: { pick },
  start: {
    name: oneOf(...WORKFLOWS),
    value: oneOf("object", "none", ...VALUES),
    same: fc.boolean(),
  },
  getRun: { pick },
  timeline: { pick },
  publish: { name: oneOf("go", "stop") },
  subscribe: { channel: oneOf("jobs", "workflows", "firehose", "queue", "job", "run"), pick },
  unsubscribe: { pick, using: fc.boolean() },
  watch: { pick: just(0) },
  follow: { pick: just(0) },
  waitJob: { pick: just(0) },
  waitRun: { pick: just(0) },
  stats: {},
  call: { method: oneOf(...METHODS), name: oneOf("quick", "nap", "long", "missing"), value, pick },
  operate: { what: oneOf(...TASKS), pick },
  close: { drain: fc.boolean(), using: just(false) },
};

/** A call of the first client, which the next step does not wait for. */
export function call<D extends Operation["do"]>(
  what: D,
  own: Maker<D> = {},
  more: More = {},
): fc.Arbitrary<readonly Step[]> {
  return fc.record({
    after: soon,
    client: just(0),
    op: fc.record({ do: just(what), ...DEFAULTS[what], ...own }),
    wait: just(false),
    ...more,
  }).map((step) => [step as unknown as Step]);
}

/** What happens at one place of a scenario; it may be nothing. */
export type Slot = fc.Arbitrary<readonly Step[]>;

export const none: Slot = just([]);
/** One of several. */
export const either = (...slots: Slot[]): Slot => fc.oneof(...slots);
export const maybe = (slot: Slot): Slot => fc.oneof(none, slot);
export const many = (slot: Slot, minLength: number, maxLength: number): Slot =>
  fc.array(slot, { minLength, maxLength, size: "max" }).map((it) => it.flat());
export const all = (...slots: Slot[]): Slot => fc.tuple(...slots).map((it) => it.flat());

/** The settings of a call that the next step waits for. */
export const waits: More = { wait: just(true) };

/** Something other than a call. */
export const event = (step: { [key: string]: fc.Arbitrary<unknown> }): Slot =>
  fc.record({ after: soon, ...step }).map((it) => [it as unknown as Step]);
export const cut: Slot = event({ cutAll: just("cut") });
export const mute: Slot = event({ cutAll: just("half-open") });
export const cutOne: Slot = event({ cutOne: fc.nat({ max: 3 }) });
export const restart: Slot = event({
  node: fc.nat({ max: 2 }),
  restart: oneOf(0, 400, 3_000, 20_000),
});
export const outage: Slot = fc.oneof({ weight: 3, arbitrary: cut }, mute, cutOne, restart);
/** Nothing, so that what has begun goes on. */
export const pauseOf = (after: fc.Arbitrary<number>): Slot => event({ after, pause: just(true) });
export const pause: Slot = pauseOf(later);
/** So long that most faults happen: after the last step there are none. */
export const rest: Slot = pauseOf(oneOf(300, 1_500, 4_000));

/** The settings of a client over a WebSocket that reconnects, unless some are given. */
export const plan = (
  own: { [K in keyof ClientPlan]?: fc.Arbitrary<ClientPlan[K]> } = {},
): fc.Arbitrary<ClientPlan> =>
  fc.record({
    reconnect: just(true),
    maxRetries: oneOf(10, 10, 2),
    timeout: oneOf(30_000, 30_000, 2_000),
    isBalanced: fc.boolean(),
    hasFreshTokens: fc.boolean(),
    hasOwnToken: rarely(just(true), 4),
    maxQueue: rarely(oneOf(1, 3), 8),
    pingInterval: rarely(oneOf(4_000, 30_000), 4),
    transport: just("socket" as const),
    credits: oneOf(100_000, 10),
    hasHooks: rarely(just(true), 5),
    backoff: rarely(oneOf({ base: 100 }, { base: 2_000, cap: 3_000 }, { cap: 400 }), 5),
    connectTimeout: rarely(oneOf(3_000, 20_000), 5),
    pingTimeout: rarely(oneOf(1_000, 20_000), 5),
    httpRetries: rarely(oneOf(0, 1, 5), 4),
    format: rarely(just("msgpack" as const), 6),
    ...own,
  }) as fc.Arbitrary<ClientPlan>;

/** Faults that happen to one of the first frames of a kind. */
export const faultsOf = (
  of: readonly FrameKind[],
  actions: readonly WorldFaultAction[],
  max: number,
  min = 1,
): fc.Arbitrary<PlannedFault> =>
  fc.record({
    of: oneOf(...of),
    frame: fc.integer({ min, max }),
    do: oneOf(...actions),
    ms: oneOf(5, 200, 800, 2_000),
  });

/** What may happen to a frame. */
export const MISHAPS: readonly WorldFaultAction[] = [
  "cut",
  "drop",
  "delay",
  "half-open",
  "malformed",
  "refuse",
];

/** A call that changes nothing. */
export const read: Slot = either(
  call("getJob"),
  call("stats"),
  call("getRun"),
  call("timeline"),
);
export const write: Slot = either(call("enqueue"), call("publish"));
export const anyCall: Slot = either(read, write);
