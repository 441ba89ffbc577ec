import fc from "fast-check";
import { moment } from "./mix.ts";
import { BEFORE, type Moment, NEVER, rarely } from "./program.ts";
import {
  all,
  anyCall,
  call,
  cut,
  either,
  event,
  faultsOf,
  just,
  many,
  maybe,
  MISHAPS,
  mute,
  none,
  oneOf,
  outage,
  pauseOf,
  plan,
  rest,
  restart,
  type Scenario,
  waits,
  within,
  write,
} from "./script.ts";

/** A moment in one of the turns in which a connection has just opened. */
const opening: fc.Arbitrary<Moment> = fc.record({
  frames: oneOf(1, 1, 1, 2, 3),
  turns: fc.nat({ max: 10 }),
});

/** Connections that open, are lost and end. */
export const CONNECTION_SCENARIOS: readonly Scenario[] = [
  {
    name: "closed in the turn in which it connects",
    clients: [plan({ maxQueue: just(undefined) })],
    slots: [
      either(none, none, all(call("connect", {}, waits), maybe(call("subscribe", {}, waits)), cut)),
      either(call("connect"), anyCall, call("subscribe"), call("start")),
      call("close", { drain: oneOf(false, false, true) }, { after: just(0), at: opening }),
      maybe(either(call("connect", {}, { at: moment }), anyCall)),
      rest,
    ],
  },
  {
    name: "drained while it reconnects",
    clients: [plan()],
    slots: [
      either(call("connect", {}, waits), call("enqueue", {}, waits)),
      maybe(call("subscribe", {}, waits)),
      outage,
      many(either(anyCall, call("start"), call("enqueueMany")), 1, 3),
      // The others have more time.
      maybe(call("stats", {}, { timeout: oneOf(1, 50, 200) })),
      call("close", { drain: oneOf(true, true, false) }, { after: within(400) }),
      maybe(anyCall),
      maybe(restart),
      rest,
    ],
    faults: faultsOf(["open"], MISHAPS, 4, 2),
  },
  {
    name: "calls while a connection is lost",
    clients: [plan(), plan()],
    slots: [
      either(call("connect", {}, waits), call("enqueue", {}, waits)),
      many(call("subscribe", {}, waits), 0, 2),
      many(
        either(
          anyCall,
          call("enqueueMany"),
          // It may wait for another connection, and may have been carried out.
          call("enqueue", { retry: just("unknown") }, { timeout: oneOf(20, 100, 400) }),
          call("enqueue", { retry: just("unknown") }, { timeout: oneOf(20, 100, 400) }),
        ),
        0,
        3,
      ),
      // So that a request may have arrived, and its answer not.
      pauseOf(oneOf(0, 1, 1, 10)),
      outage,
      many(
        call("enqueue", { retry: rarely(just("unknown"), 3) }, {
          after: within(500),
          timeout: rarely(oneOf(100, 1_500), 4),
          abort: rarely(oneOf(0, 50, 2_000), 4),
        }),
        0,
        3,
      ),
      many(either(anyCall, call("unsubscribe"), call("waitJob"), call("connect")), 0, 2),
      call("enqueue", {}, { client: just(1), after: within(3_000), ...waits }),
      rest,
    ],
    faults: faultsOf(["open", "answer", "write", "any"], MISHAPS, 8, 2),
    nodes: 2,
  },
  {
    name: "first connections fail",
    clients: [plan({ maxRetries: oneOf(2, 10) }), plan()],
    slots: [
      many(either(call("connect"), anyCall, call("subscribe"), call("start")), 1, 3),
      maybe(call("connect", {}, { abort: oneOf(BEFORE, 0, 1_000, NEVER) })),
      many(either(anyCall, call("connect"), call("waitJob")), 0, 2),
      pauseOf(fc.oneof(within(400), just(12_000))),
      either(call("connect", {}, waits), write),
      call("enqueue", {}, { client: just(1), after: within(3_000) }),
      rest,
    ],
    faults: faultsOf(["open", "open", "any"], MISHAPS, 4),
    nodes: 2,
  },
  {
    name: "gives up and starts over",
    clients: [plan({ maxRetries: oneOf(2, 2, 3), isBalanced: just(false) })],
    slots: [
      call("connect", {}, waits),
      many(
        either(
          call("subscribe", {}, waits),
          call(
            "enqueue",
            { name: oneOf("nobody", "flaky"), then: oneOf("follow", "waitJob") },
            waits,
          ),
          call("start", { name: oneOf("hour", "crawl"), then: oneOf("watch", "waitRun") }, waits),
        ),
        1,
        2,
      ),
      maybe(call("start", { name: oneOf("hour", "long") }, { times: oneOf(1, 2) })),
      event({ node: just(0), restart: oneOf(5_000, 40_000, 40_000) }),
      many(either(anyCall, call("start", { name: oneOf("hour", "long") })), 0, 2),
      pauseOf(oneOf(300, 3_000, 9_000)),
      maybe(anyCall),
      many(pauseOf(just(9_000)), 0, 4),
      many(either(call("connect", {}, waits), anyCall, call("waitJob"), call("subscribe")), 1, 3),
      rest,
    ],
  },
  {
    name: "tokens expire",
    clients: [
      plan({
        hasFreshTokens: oneOf(true, true, false),
        hasOwnToken: just(true),
        transport: oneOf("socket", "socket", "socket", "rpc", "sse"),
      }),
    ],
    slots: [
      either(call("connect", {}, waits), anyCall, call("subscribe", {}, waits)),
      event({ expire: just(true) }),
      many(either(anyCall, call("start"), call("subscribe"), call("waitJob")), 0, 3),
      maybe(outage),
      many(either(anyCall, call("start")), 1, 3),
      rest,
      maybe(all(event({ expire: just(true) }), outage)),
      maybe(anyCall),
      rest,
    ],
    faults: faultsOf(["open", "answer"], MISHAPS, 5),
  },
  {
    name: "the clock is set",
    clients: [plan({ timeout: oneOf(2_000, 30_000) })],
    slots: [
      call("connect", {}, waits),
      many(
        either(
          anyCall,
          call("start", { name: oneOf("nap", "long") }, { timeout: rarely(oneOf(50, 900), 2) }),
          call("enqueue", { name: oneOf("nobody", "work"), then: just("waitJob") }),
          call("waitJob", { timeout: oneOf(100, 1_000, 4_000) }),
        ),
        1,
        3,
      ),
      either(none, none, mute, cut),
      event({ client: just(0), setClock: oneOf(3_600_000, -3_600_000, 20_000, -500) }),
      many(either(anyCall, call("waitJob", { timeout: oneOf(100, 1_000, 4_000) })), 0, 2),
      rest,
      maybe(pauseOf(just(9_000))),
      maybe(anyCall),
      rest,
    ],
    faults: faultsOf(["answer"], ["delay", "delay", "drop", "drop", "stall"], 7, 2),
  },
  {
    name: "silence",
    clients: [plan({ pingInterval: oneOf(undefined, undefined, 4_000, 30_000) }), plan()],
    slots: [
      call("connect", {}, waits),
      maybe(call("subscribe", {}, waits)),
      maybe(
        call("start", { name: oneOf("crawl", "hour", "slow"), then: oneOf("watch", "waitRun") }),
      ),
      either(
        mute,
        event({ client: just(0), sleep: oneOf(12_000, 60_000, 3_600_000) }),
        event({ client: just(0), setClock: oneOf(3_600_000, -3_600_000, 20_000, -500) }),
        all(event({ client: just(0), setClock: oneOf(3_600_000, -3_600_000) }), mute),
        all(event({ client: just(0), setClock: just(-3_600_000) }), mute),
        none,
      ),
      maybe(call("enqueue", {}, { client: oneOf(0, 1) })),
      many(pauseOf(just(9_000)), 1, 4),
      maybe(anyCall),
      rest,
    ],
    faults: fc.oneof(
      faultsOf(["any"], ["half-open", "drop", "delay", "malformed"], 14, 3),
      faultsOf(["pong"], ["half-open", "drop", "delay", "malformed"], 3),
    ),
  },
  {
    name: "the machine sleeps",
    clients: [plan({ pingInterval: oneOf(undefined, undefined, 30_000) })],
    slots: [
      call("connect", {}, waits),
      maybe(call("subscribe", {}, waits)),
      maybe(
        either(
          call("enqueue", { name: oneOf("nobody", "work"), then: oneOf("waitJob", "follow") }),
          call("start", { name: oneOf("hour", "nap"), then: oneOf("watch", "waitRun") }),
        ),
      ),
      pauseOf(oneOf(0, 300, 2_000, 6_000)),
      event({ client: just(0), sleep: oneOf(12_000, 60_000, 60_000, 3_600_000) }),
      many(pauseOf(just(9_000)), 1, 3),
      maybe(anyCall),
      rest,
    ],
  },
  {
    name: "losses that a busy reader has not read",
    latencies: [[1, 1], [1, 5]],
    clients: [plan({ backoff: just({ base: 100, cap: 300 }), maxRetries: just(10) }), plan()],
    slots: [
      call("subscribe", {
        channel: oneOf("jobs", "firehose", "queue", "workflows"),
        slow: oneOf(2_000, 3_500),
        buffer: rarely(oneOf(1, 2), 3),
        overflow: rarely(oneOf("drop-newest", "drop-oldest"), 3),
      }, waits),
      call("enqueue", { name: oneOf("noop", "nobody") }, waits),
      // Its events go on while the connection is away.
      maybe(call("start", { name: oneOf("long", "brisk", "steady") }, { client: just(1) })),
      pauseOf(within(600)),
      cut,
      pauseOf(within(1_500)),
      maybe(write),
      maybe(all(cut, pauseOf(within(1_500)))),
      cut,
      pauseOf(within(1_500)),
      many(write, 0, 3),
      pauseOf(just(20_000)),
    ],
  },
];
