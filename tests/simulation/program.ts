import fc from "fast-check";
import type { WorldFaultAction } from "../../testing/mod.ts";

/** How to make a value that an operation sends. */
export const VALUES = ["object", "array", "text", "short", "number", "null", "none"] as const;
export type ValueKind = typeof VALUES[number];

export const JOBS = ["noop", "work", "fails", "flaky", "nobody"] as const;
export const WORKFLOWS = [
  "quick",
  "nap",
  "gate",
  "broken",
  "fan",
  "hour",
  "long",
  "missing",
] as const;
export const EVENTS = ["go", "stop"] as const;

/** What a client does. A `pick` chooses one of the jobs or runs that exist when it begins. */
export type Operation =
  | { do: "connect" }
  | { do: "enqueue"; name: typeof JOBS[number]; value: ValueKind; retry?: "unknown" }
  | { do: "enqueueMany"; name: typeof JOBS[number]; count: number; window: number }
  | { do: "getJob"; pick: number }
  | { do: "cancel"; pick: number }
  | {
    do: "start";
    name: typeof WORKFLOWS[number];
    value: ValueKind;
    same: boolean;
    /** What the client does when the run is known. */
    then?: "watch" | "waitRun";
    /** How many milliseconds later. */
    pause?: number;
  }
  | { do: "getRun"; pick: number }
  | { do: "timeline"; pick: number }
  | { do: "publish"; name: typeof EVENTS[number] }
  | {
    do: "subscribe";
    channel: "jobs" | "workflows" | "firehose" | "job" | "run" | "queue";
    pick: number;
    buffer?: number;
    overflow?: "drop-oldest" | "drop-newest" | "error";
    /** How many milliseconds the reader takes for each event. */
    slow?: number;
  }
  | { do: "unsubscribe"; pick: number; using?: boolean }
  | { do: "watch"; pick: number }
  | { do: "follow"; pick: number }
  | { do: "waitJob"; pick: number; timeout?: number }
  | { do: "waitRun"; pick: number; timeout?: number }
  | { do: "stats" }
  | {
    do: "close";
    drain: boolean;
    /** Whether it happens at the end of a block, by `await using`, which drains. */
    using?: boolean;
  };

/** A moment between two turns of a client. */
export interface Moment {
  /** After so many frames have arrived at the client. */
  frames: number;
  /** So many turns of the queue of microtasks later. */
  turns: number;
}

/** A step in which a client begins an operation. */
export interface CallStep {
  /** How many milliseconds after the previous step. */
  after: number;
  client: number;
  op: Operation;
  /** Whether the next step waits until this one has settled. */
  wait: boolean;
  /** When it begins, unless at once; the next step does not wait for it then. */
  at?: Moment;
  /** After how many milliseconds the signal of the call aborts, or when else. */
  abort?: number | Moment;
  timeout?: number;
  /** How often the operation begins, at the same moment and with different values. */
  times?: number;
}

/** One step of a program. */
export type Step =
  | CallStep
  | { after: number; node: number; restart: number }
  | { after: number; cutAll: "cut" | "half-open" }
  /** One of the newest connections drops. */
  | { after: number; cutOne: number }
  /**
   * The next event that is published because of a request costs its publisher the connection, and a
   * subscriber, too: a race of real servers.
   */
  | { after: number; race: true }
  /** All nodes restart with an empty store. */
  | { after: number; wipe: true }
  /** The tokens of the clients that can get another one expire. */
  | { after: number; expire: true }
  /** Somebody sets the clock of a client's machine. */
  | { after: number; client: number; setClock: number }
  /** A client's machine sleeps. */
  | { after: number; client: number; sleep: number };

/** The settings of a client. */
export interface ClientPlan {
  reconnect: boolean;
  maxRetries: number;
  timeout: number;
  /** Whether each connection goes to a random node. */
  isBalanced: boolean;
  /** Whether the client has a function that returns another token each time. */
  hasFreshTokens: boolean;
  /** Most clients use a WebSocket; those over HTTP leave out what they cannot do. */
  transport: "socket" | "rpc" | "sse";
  /** How many credits a grant fills the window up to. */
  credits: number;
}

/** The kinds of frames that faults are planned for. */
export const FRAME_KINDS = ["any", "open", "write", "answer", "event"] as const;
export type FrameKind = typeof FRAME_KINDS[number];

/** A fault, which happens to the frame with this number among those of its kind. */
export interface PlannedFault {
  of?: FrameKind;
  frame: number;
  do: WorldFaultAction;
  ms: number;
}

/** Everything that a simulation does. */
export interface Program {
  seed: number;
  nodes: number;
  /** Whether nothing goes wrong: faults and what happens to the nodes are left out. */
  isCalm: boolean;
  latency: readonly [number, number];
  clients: readonly ClientPlan[];
  steps: readonly Step[];
  faults: readonly PlannedFault[];
}

/** A signal that has not aborted when the program ends. */
export const NEVER = 1_000_000_000;

const pick = fc.nat({ max: 7 });
const value = fc.constantFrom(...VALUES);

/** Generates a value once in so many times, and else nothing. */
export function rarely<T>(arbitrary: fc.Arbitrary<T>, times: number): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: times - 1, arbitrary: fc.constant(undefined) }, arbitrary);
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => rarely(arbitrary, 3);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ do: fc.constant("connect" as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("enqueue" as const),
      name: fc.constantFrom(...JOBS),
      value,
      retry: rarely(fc.constant("unknown" as const), 5),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("enqueueMany" as const),
      name: fc.constantFrom("noop", "work", "fails"),
      // A window of credits is used up only by many events.
      count: fc.oneof({ weight: 5, arbitrary: fc.nat({ max: 12 }) }, fc.constant(400)),
      window: fc.constantFrom(64, 2, 1_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("getJob" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const), pick }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("start" as const),
      name: fc.constantFrom(...WORKFLOWS),
      value,
      same: fc.boolean(),
      then: optional(fc.constantFrom("watch", "waitRun")),
      pause: fc.constantFrom(0, 1_500),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("getRun" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("timeline" as const), pick }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("publish" as const), name: fc.constantFrom(...EVENTS) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("subscribe" as const),
      channel: fc.constantFrom("jobs", "workflows", "firehose", "job", "run", "queue"),
      pick,
      buffer: optional(fc.integer({ min: 1, max: 5 })),
      overflow: optional(fc.constantFrom("drop-oldest", "drop-newest", "error")),
      slow: optional(fc.nat({ max: 200 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("unsubscribe" as const), pick, using: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("watch" as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("follow" as const), pick }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("waitJob" as const),
      pick,
      timeout: optional(fc.nat({ max: 5_000 })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("waitRun" as const),
      pick,
      timeout: optional(fc.nat({ max: 5_000 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("stats" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("close" as const),
      drain: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)),
      using: fc.boolean(),
    }).map(({ drain, using, ...op }) => ({ ...op, drain, using: drain && using })),
  },
);

const after = fc.oneof(fc.constant(0), fc.nat({ max: 30 }), fc.nat({ max: 3_000 }));

const moment: fc.Arbitrary<Moment> = fc.record({
  frames: fc.nat({ max: 6 }),
  turns: fc.nat({ max: 12 }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      after,
      client: fc.nat({ max: 3 }),
      op: operation,
      wait: fc.boolean(),
      at: rarely(moment, 12),
      abort: rarely(fc.oneof(fc.nat({ max: 60 }), fc.constant(NEVER), moment), 8),
      timeout: rarely(fc.integer({ min: 1, max: 500 }), 8),
      times: rarely(
        fc.oneof(
          { weight: 5, arbitrary: fc.integer({ min: 2, max: 4 }) },
          { weight: 1, arbitrary: fc.constant(20) },
        ),
        4,
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      after,
      node: fc.nat({ max: 2 }),
      restart: fc.oneof(fc.constant(0), fc.nat({ max: 5_000 }), fc.constant(600_000)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ after, cutAll: fc.constantFrom("cut" as const, "half-open" as const) }),
  },
  { weight: 1, arbitrary: fc.record({ after, cutOne: fc.nat({ max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ after, race: fc.constant(true as const) }) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      { weight: 1, arbitrary: fc.record({ after, wipe: fc.constant(true as const) }) },
      { weight: 2, arbitrary: fc.record({ after, expire: fc.constant(true as const) }) },
      {
        weight: 2,
        arbitrary: fc.record({
          after,
          client: fc.nat({ max: 3 }),
          setClock: fc.constantFrom(3_600_000, -3_600_000, 20_000, -500),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          after,
          client: fc.nat({ max: 3 }),
          sleep: fc.constantFrom(1_000, 12_000, 60_000, 3_600_000),
        }),
      },
    ),
  },
);

const fault: fc.Arbitrary<PlannedFault> = fc.record({
  of: fc.constantFrom(...FRAME_KINDS),
  frame: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 120 })),
  do: fc.constantFrom<WorldFaultAction>(
    "cut",
    "cut",
    "delay",
    "drop",
    "half-open",
    "malformed",
    "refuse",
    "duplicate",
    "stall",
  ),
  ms: fc.nat({ max: 2_000 }),
});

/** Generates programs. */
export const programs: fc.Arbitrary<Program> = fc.record({
  seed: fc.nat({ max: 1_000_000 }),
  nodes: fc.integer({ min: 1, max: 3 }),
  isCalm: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
  latency: fc.constantFrom([1, 1], [1, 5], [0, 20], [0, 200]),
  clients: fc.array(
    fc.record({
      reconnect: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.constant(false)),
      maxRetries: fc.constantFrom(10, 10, 2),
      timeout: fc.constantFrom(30_000, 2_000),
      isBalanced: fc.boolean(),
      hasFreshTokens: fc.boolean(),
      transport: fc.constantFrom("socket", "socket", "socket", "socket", "rpc", "sse"),
      credits: fc.constantFrom(100_000, 10, 10),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  steps: fc.array(step, { minLength: 1, maxLength: 24, size: "max" }),
  faults: fc.array(fault, { maxLength: 4, size: "max" }),
}) as fc.Arbitrary<Program>;
