import fc from "fast-check";
import type { WorldFaultAction } from "../../testing/mod.ts";
import {
  BEFORE,
  type ClientPlan,
  EVENTS,
  type FrameKind,
  JOBS,
  type Moment,
  NEVER,
  type Operation,
  type PlannedFault,
  type Program,
  rarely,
  type Step,
  VALUES,
  WORKFLOWS,
} from "./program.ts";

/** What a program is mostly about. A mistake that needs several things in a row is found sooner so. */
interface Theme {
  /** How often the theme is chosen, beside others. */
  weight: number;
  /** How often each operation is chosen; those that are missing are not. */
  operations: Partial<Record<Operation["do"], number>>;
  /** How often something happens to the nodes, the network and the clocks, per 20 calls. */
  events: number;
  /** How often all connections are cut besides, per 20 calls. */
  cuts?: number;
  /** How often a machine sleeps for long besides, per 20 calls. */
  sleeps?: number;
  /** The frames that faults happen to. */
  faults: readonly FrameKind[];
  /** The earliest and the latest frame of its kind that a fault happens to. */
  firstFault?: number;
  lastFault: number;
  steps: number;
  clients: number;
  transports: readonly ClientPlan["transport"][];
  names?: readonly typeof WORKFLOWS[number][];
  jobs?: readonly typeof JOBS[number][];
  channels?: readonly (Operation & { do: "subscribe" })["channel"][];
  /** Whether calls begin between two turns more often. */
  isPrecise?: boolean;
  /** Whether no call waits for the one before. */
  isHasty?: boolean;
  /** Whether clients that close always drain. */
  isDrained?: boolean;
  /** Whether readers are slow and buffers small. */
  isSlow?: boolean;
  /** Whether buffers have the default size. */
  hasRoom?: boolean;
  /** Whether each run is followed as soon as it is known. */
  isWatched?: boolean;
  /** Whether jobs come in bursts. */
  hasBursts?: boolean;
  /** Whether most bursts are large. */
  hasFloods?: boolean;
  /** Whether so much time passes between calls that connections hold. */
  isSlack?: boolean;
  /** What happens to frames. */
  actions?: readonly WorldFaultAction[];
}

const ANY_FRAME = ["any", "open", "write", "answer", "event"] as const;
const CHANNELS = ["jobs", "workflows", "firehose", "job", "run", "queue", "otherQueue"] as const;

const THEMES: readonly Theme[] = [
  // A little of everything.
  {
    weight: 5,
    operations: {
      ...{ connect: 1, enqueue: 6, enqueueMany: 3, getJob: 1, cancel: 1, start: 6, getRun: 1 },
      ...{ timeline: 1, publish: 2, subscribe: 4, unsubscribe: 2, watch: 2, follow: 2 },
      ...{ waitJob: 3, waitRun: 3, stats: 1, close: 2 },
    },
    events: 5,
    faults: ANY_FRAME,
    lastFault: 120,
    steps: 24,
    clients: 4,
    transports: ["socket", "socket", "socket", "socket", "rpc", "sse", "admin"],
  },
  // Watches of runs whose connections are lost, with their lanes.
  {
    weight: 2,
    operations: { start: 3, watch: 3 },
    events: 0,
    cuts: 20,
    faults: ["open"],
    lastFault: 8,
    steps: 16,
    clients: 4,
    transports: ["socket"],
    names: ["steady"],
    isHasty: true,
  },
  // Runs, their lanes, and those who follow them.
  {
    weight: 5,
    operations: { start: 8, watch: 4, waitRun: 2, publish: 1, getRun: 1, close: 1 },
    events: 3,
    faults: ["lane", "lane", "lane", "result", "event", "answer", "open"],
    lastFault: 25,
    steps: 8,
    clients: 2,
    transports: ["socket"],
    names: ["long", "long", "nap", "gate", "quick", "fan", "hour"],
  },
  // Runs that are heard of late, or by others first.
  {
    weight: 4,
    operations: { start: 8, watch: 2, waitRun: 1 },
    events: 0,
    faults: ["lane", "lane", "lane", "lane", "event"],
    firstFault: 3,
    lastFault: 16,
    steps: 10,
    clients: 1,
    transports: ["socket"],
    // The faults end with the last step.
    isSlack: true,
    names: ["brisk", "brisk", "brisk", "slow", "slow", "slow", "long"],
    isWatched: true,
    actions: ["cut", "cut", "delay", "delay", "half-open"],
  },
  // Long runs that lose their lane between two events.
  {
    weight: 2,
    operations: { start: 2, getRun: 3 },
    events: 0,
    faults: ["lane"],
    firstFault: 3,
    lastFault: 16,
    steps: 10,
    clients: 1,
    transports: ["socket"],
    isSlack: true,
    names: ["slow"],
    isWatched: true,
    actions: ["cut"],
  },
  // Jobs, their attempts, and those who follow them.
  {
    weight: 3,
    operations: { ...{ enqueue: 8, follow: 4, waitJob: 3, getJob: 1, cancel: 1 }, connect: 1 },
    events: 6,
    faults: ["event", "event", "answer", "any"],
    lastFault: 30,
    steps: 10,
    clients: 2,
    transports: ["socket", "socket", "socket", "sse", "rpc"],
  },
  // Jobs that nobody works on, and that are left or cancelled in the end.
  {
    weight: 2,
    operations: { enqueue: 4, waitJob: 4, cancel: 4, follow: 4 },
    events: 1,
    faults: ["any"],
    lastFault: 60,
    steps: 8,
    clients: 1,
    transports: ["socket", "socket", "rpc", "sse", "admin"],
    jobs: ["nobody", "nobody", "nobody", "flaky"],
    isSlack: true,
  },
  // Many events, small buffers and slow readers.
  {
    weight: 3,
    operations: {
      ...{ subscribe: 6, unsubscribe: 2, enqueueMany: 5, enqueue: 3, start: 1 },
      close: 1,
    },
    events: 2,
    faults: ["event", "grant", "grant", "answer", "event"],
    lastFault: 40,
    steps: 12,
    clients: 3,
    transports: ["socket", "socket", "socket", "sse"],
    channels: ["jobs", "jobs", "firehose", "queue", "otherQueue", "workflows"],
    isSlow: true,
    hasBursts: true,
  },
  // Connecting, closing and reconnecting, at the most awkward moments.
  {
    weight: 5,
    operations: {
      ...{ connect: 5, close: 3, stats: 2, getJob: 1, enqueue: 2, publish: 1, start: 2 },
      ...{ subscribe: 2, unsubscribe: 1 },
    },
    events: 8,
    sleeps: 8,
    faults: ["open", "open", "any", "write", "answer"],
    lastFault: 12,
    steps: 8,
    clients: 2,
    transports: ["socket"],
    isPrecise: true,
  },
  // Calls that wait for a connection as their client is drained.
  {
    weight: 3,
    operations: { enqueue: 4, stats: 4, close: 1 },
    events: 4,
    cuts: 60,
    faults: ["any", "answer"],
    lastFault: 12,
    steps: 16,
    clients: 1,
    transports: ["socket"],
    isHasty: true,
    isDrained: true,
  },
  // Starts after their idle lanes were lost.
  {
    weight: 1,
    operations: { start: 6, getRun: 1 },
    events: 0,
    cuts: 40,
    faults: ["any"],
    lastFault: 40,
    steps: 12,
    clients: 1,
    transports: ["socket"],
    names: ["quick"],
    isHasty: true,
  },
  // Clients that close while their readers or their bursts are not done.
  {
    weight: 2,
    operations: { subscribe: 3, enqueueMany: 2, enqueue: 6, close: 1 },
    events: 0,
    faults: ["grant"],
    lastFault: 12,
    steps: 14,
    clients: 1,
    transports: ["socket"],
    channels: ["jobs", "firehose", "queue"],
    isHasty: true,
    isSlow: true,
    hasRoom: true,
    hasBursts: true,
  },
  // Bursts that use up the credits, or overrun the buffer of a node.
  {
    weight: 2,
    operations: { subscribe: 3, enqueueMany: 3 },
    events: 0,
    faults: ["event"],
    lastFault: 20,
    steps: 6,
    clients: 2,
    transports: ["socket"],
    channels: ["jobs", "firehose", "queue"],
    isSlack: true,
    hasRoom: true,
    hasBursts: true,
    hasFloods: true,
    actions: ["stall"],
  },
  // Clients over HTTP beside others.
  {
    weight: 4,
    operations: {
      ...{ enqueue: 6, getJob: 2, cancel: 1, publish: 1, subscribe: 4, unsubscribe: 1, follow: 2 },
      ...{ waitJob: 3, waitRun: 1, watch: 1, start: 1, enqueueMany: 2, close: 1 },
    },
    events: 3,
    faults: ["any", "any", "write", "answer", "answer", "stream"],
    lastFault: 40,
    steps: 12,
    clients: 3,
    transports: ["rpc", "sse", "sse", "admin", "socket"],
  },
  // Streams over HTTP that end and are opened again.
  {
    weight: 3,
    operations: { subscribe: 2, enqueue: 8 },
    events: 1,
    faults: ["stream"],
    lastFault: 20,
    steps: 16,
    clients: 2,
    transports: ["sse"],
    channels: ["jobs", "jobs", "firehose", "queue"],
    actions: ["cut", "cut", "cut", "delay"],
    isSlack: true,
  },
];

const pick = fc.nat({ max: 7 });
const value = fc.constantFrom(...VALUES);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => rarely(arbitrary, 3);
const pause = fc.constantFrom(0, 300, 1_500);
const take = rarely(fc.integer({ min: 1, max: 4 }), 6);

/** An operation without settings, or with a choice only. */
function plain<D extends Operation["do"]>(what: D): fc.Arbitrary<{ do: D }> {
  return fc.record({ do: fc.constant(what) });
}

function choosing<D extends Operation["do"]>(what: D): fc.Arbitrary<{ do: D; pick: number }> {
  return fc.record({ do: fc.constant(what), pick });
}

function operations(theme: Theme): fc.Arbitrary<Operation> {
  const { names = WORKFLOWS, channels = CHANNELS, jobs = JOBS } = theme;
  const { isSlow, hasRoom, hasBursts, hasFloods, isPrecise, isDrained, isWatched } = theme;
  const follows = theme.operations.follow ? 2 : 6;
  const watches = theme.names ? 2 : 3;
  const all: { [D in Operation["do"]]: fc.Arbitrary<Operation & { do: D }> } = {
    connect: plain("connect"),
    enqueue: fc.record({
      do: fc.constant("enqueue" as const),
      name: fc.constantFrom(...jobs),
      value,
      retry: rarely(fc.constant("unknown" as const), 5),
      queue: rarely(fc.constantFrom("default", "other"), 4),
      priority: rarely(fc.nat({ max: 9 }), 6),
      then: rarely(fc.constantFrom("follow", "waitJob"), follows),
      pause,
    }),
    enqueueMany: fc.record({
      do: fc.constant("enqueueMany" as const),
      name: fc.constantFrom("noop", "work", "fails"),
      // A window of credits is used up only by many events.
      count: fc.oneof(
        { weight: hasBursts ? 2 : 5, arbitrary: fc.nat({ max: 12 }) },
        { weight: hasBursts ? 2 : 0, arbitrary: fc.constant(60) },
        { weight: hasFloods ? 8 : 1, arbitrary: fc.constant(400) },
      ),
      window: hasBursts ? fc.constantFrom(64, 1_000, 1_000) : fc.constantFrom(64, 2, 1_000),
    }),
    getJob: choosing("getJob"),
    cancel: choosing("cancel"),
    start: fc.record({
      do: fc.constant("start" as const),
      name: fc.constantFrom(...names),
      value: theme.names ? fc.constantFrom("object", "object", "none", ...VALUES) : value,
      same: fc.boolean(),
      then: isWatched
        ? fc.constantFrom("watch", "watch", "watch", "waitRun")
        : rarely(fc.constantFrom("watch", "watch", "waitRun"), watches),
      pause: isWatched ? fc.constant(0) : pause,
    }),
    getRun: choosing("getRun"),
    timeline: choosing("timeline"),
    publish: fc.record({ do: fc.constant("publish" as const), name: fc.constantFrom(...EVENTS) }),
    subscribe: fc.record({
      do: fc.constant("subscribe" as const),
      channel: fc.constantFrom(...channels),
      pick,
      buffer: hasRoom
        ? fc.constant(undefined)
        : rarely(fc.integer({ min: 1, max: 5 }), isSlow ? 2 : 3),
      overflow: isSlow
        ? fc.constantFrom("drop-oldest", "drop-newest", "error")
        : optional(fc.constantFrom("drop-oldest", "drop-newest", "error")),
      slow: isSlow && hasRoom ? fc.nat({ max: 200 }) : rarely(fc.nat({ max: 200 }), isSlow ? 2 : 3),
      take,
    }),
    unsubscribe: fc.record({ do: fc.constant("unsubscribe" as const), pick, using: fc.boolean() }),
    watch: fc.record({ do: fc.constant("watch" as const), pick, take }),
    follow: fc.record({ do: fc.constant("follow" as const), pick, take }),
    waitJob: fc.record({
      do: fc.constant("waitJob" as const),
      pick,
      timeout: optional(fc.nat({ max: 5_000 })),
    }),
    waitRun: fc.record({
      do: fc.constant("waitRun" as const),
      pick,
      timeout: optional(fc.nat({ max: 5_000 })),
    }),
    stats: plain("stats"),
    close: fc.record({
      do: fc.constant("close" as const),
      drain: fc.oneof(
        { weight: isPrecise ? 1 : 3, arbitrary: fc.constant(true) },
        { weight: isDrained ? 0 : 1, arbitrary: fc.constant(false) },
      ),
      using: fc.boolean(),
    }).map(({ drain, using, ...op }) => ({ ...op, drain, using: drain && using })),
  } as never;
  const chosen = Object.entries(theme.operations) as [Operation["do"], number][];
  return fc.oneof(
    ...chosen.map(([what, weight]) => ({
      weight: weight * 2,
      arbitrary: all[what] as fc.Arbitrary<Operation>,
    })),
  );
}

const after = fc.oneof(fc.constant(0), fc.nat({ max: 30 }), fc.nat({ max: 3_000 }));
const longAfter = fc.oneof(fc.nat({ max: 30 }), fc.integer({ min: 5_000, max: 9_000 }));

const moment: fc.Arbitrary<Moment> = fc.record({
  frames: fc.oneof(fc.nat({ max: 2 }), fc.nat({ max: 6 })),
  turns: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 12 })),
});

const longSleep: fc.Arbitrary<Step> = fc.record({
  after,
  client: fc.nat({ max: 3 }),
  sleep: fc.constant(60_000),
});

const cut: fc.Arbitrary<Step> = fc.record({ after, cutAll: fc.constant("cut" as const) });

/** What happens to the nodes, to connections, and to the clients' machines. */
const events: fc.Arbitrary<Step>[] = [
  fc.record({
    after,
    node: fc.nat({ max: 2 }),
    restart: fc.oneof(fc.constant(0), fc.nat({ max: 5_000 }), fc.constant(600_000)),
  }),
  fc.record({ after, cutAll: fc.constantFrom("cut" as const, "half-open" as const) }),
  fc.record({ after, cutOne: fc.nat({ max: 3 }) }),
  fc.record({ after, race: fc.constant(true as const) }),
  fc.record({ after, expire: fc.constant(true as const) }),
  fc.oneof(
    fc.record({ after, wipe: fc.constant(true as const) }),
    fc.record({
      after,
      client: fc.nat({ max: 3 }),
      setClock: fc.constantFrom(3_600_000, -3_600_000, 20_000, -500),
    }),
    fc.record({
      after,
      client: fc.nat({ max: 3 }),
      sleep: fc.constantFrom(1_000, 12_000, 60_000, 3_600_000),
    }),
    longSleep,
  ),
];

function steps(theme: Theme): fc.Arbitrary<Step> {
  const { isPrecise, isSlack, isHasty } = theme;
  return fc.oneof(
    {
      weight: 100,
      arbitrary: fc.record({
        after: isSlack ? longAfter : after,
        client: fc.nat({ max: 3 }),
        op: operations(theme),
        wait: isHasty ? fc.constant(false) : fc.boolean(),
        at: rarely(moment, isPrecise ? 2 : 12),
        abort: rarely(
          fc.oneof(fc.nat({ max: 60 }), fc.constant(NEVER), fc.constant(BEFORE), moment),
          isPrecise ? 5 : 8,
        ),
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
    ...events.map((arbitrary) => ({ weight: theme.events, arbitrary })),
    { weight: theme.sleeps ?? 0, arbitrary: longSleep },
    { weight: theme.cuts ?? 0, arbitrary: cut },
  );
}

const ACTIONS: readonly WorldFaultAction[] = [
  ...["cut", "cut", "delay", "drop", "half-open", "malformed"] as const,
  ...["refuse", "duplicate", "stall"] as const,
];

function faults(theme: Theme): fc.Arbitrary<PlannedFault> {
  const { faults, firstFault: min = 1, lastFault: max, actions = ACTIONS } = theme;
  return fc.record({
    of: fc.constantFrom(...faults),
    frame: fc.oneof(
      fc.integer({ min, max: min - 1 + Math.ceil((max - min + 1) / 4) }),
      fc.integer({ min, max }),
    ),
    do: fc.constantFrom(...actions),
    ms: fc.nat({ max: 2_000 }),
  });
}

const plans = (theme: Theme): fc.Arbitrary<ClientPlan> =>
  fc.record({
    reconnect: fc.oneof(
      { weight: theme.isPrecise ? 2 : 9, arbitrary: fc.constant(true) },
      fc.constant(false),
    ),
    maxRetries: fc.constantFrom(10, 10, 2),
    timeout: fc.constantFrom(30_000, 2_000),
    isBalanced: fc.boolean(),
    hasFreshTokens: fc.boolean(),
    hasOwnToken: rarely(fc.constant(true), 4),
    maxQueue: rarely(fc.constantFrom(1, 3), 6),
    pingInterval: rarely(fc.constantFrom(4_000, 30_000), 4),
    transport: fc.constantFrom(...theme.transports),
    credits: fc.constantFrom(100_000, 10, 10),
    hasHooks: rarely(fc.constant(true), 5),
    backoff: rarely(fc.constantFrom({ base: 100 }, { base: 2_000, cap: 3_000 }, { cap: 400 }), 5),
    connectTimeout: rarely(fc.constantFrom(3_000, 20_000), 5),
    pingTimeout: rarely(fc.constantFrom(1_000, 20_000), 5),
    httpRetries: rarely(fc.constantFrom(0, 1, 5), 4),
  });

function programsAbout(theme: Theme): fc.Arbitrary<Program> {
  return fc.record({
    seed: fc.nat({ max: 1_000_000 }),
    nodes: fc.integer({ min: 1, max: 3 }),
    isCalm: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
    latency: fc.constantFrom([1, 1], [1, 5], [0, 20], [0, 200]),
    clients: fc.array(plans(theme), { minLength: 1, maxLength: theme.clients }),
    steps: fc.array(steps(theme), { minLength: 1, maxLength: theme.steps, size: "max" }),
    faults: fc.array(faults(theme), { maxLength: 4, size: "max" }),
  }) as fc.Arbitrary<Program>;
}

/** Generates programs. */
export const programs: fc.Arbitrary<Program> = fc.oneof(
  ...THEMES.map((theme) => ({ weight: theme.weight, arbitrary: programsAbout(theme) })),
);
