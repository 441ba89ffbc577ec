import fc from "fast-check";
import type { WorldFaultAction } from "../../testing/mod.ts";
import {
  BEFORE,
  type ClientPlan,
  EVENTS,
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
import { CHANNELS, type Theme } from "./themes.ts";

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

export const moment: fc.Arbitrary<Moment> = fc.record({
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
    format: rarely(fc.constant("msgpack"), 6),
  });

/** Generates programs about a theme. */
export function programsAbout(theme: Theme): fc.Arbitrary<Program> {
  return fc.record({
    seed: fc.nat({ max: 1_000_000 }),
    nodes: fc.integer({ min: 1, max: 3 }),
    isCalm: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
    cutsMsgpack: rarely(fc.constant(true), 4),
    latency: fc.constantFrom([1, 1], [1, 5], [0, 20], [0, 200]),
    clients: fc.array(plans(theme), { minLength: 1, maxLength: theme.clients }),
    steps: fc.array(steps(theme), { minLength: 1, maxLength: theme.steps, size: "max" }),
    faults: fc.array(faults(theme), { maxLength: 4, size: "max" }),
  }) as fc.Arbitrary<Program>;
}
