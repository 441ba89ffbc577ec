import fc from "fast-check";
import { type Moment, NEVER, rarely } from "./program.ts";
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
  mute,
  none,
  oneOf,
  outage,
  pauseOf,
  plan,
  read,
  rest,
  restart,
  type Scenario,
  waits,
  within,
} from "./script.ts";

/** A moment in which some of many connections listen, and others wait for that. */
const whileOpening: fc.Arbitrary<Moment> = fc.record({
  frames: fc.integer({ min: 8, max: 26 }),
  turns: fc.nat({ max: 3 }),
});

const expire = event({ expire: just(true) });

/** Settings that mean "none", tokens that cannot be had, methods by their names, and operators. */
export const SETTING_SCENARIOS: readonly Scenario[] = [
  {
    name: "calls without a deadline",
    clients: [
      plan({ timeout: oneOf(300, 2_000), maxRetries: just(10), maxQueue: just(undefined) }),
    ],
    slots: [
      call("connect", {}, waits),
      maybe(call("enqueue", { name: oneOf("noop", "nobody") }, waits)),
      event({ node: just(0), restart: oneOf(3_000, 6_000) }),
      many(
        either(
          ...(["getJob", "stats", "getRun", "enqueue", "publish", "start", "enqueueMany"] as const)
            .map((what) => call(what as "stats", {}, { timeout: oneOf(0, 0, undefined) })),
        ),
        2,
        4,
      ),
      pauseOf(just(30_000)),
    ],
  },
  {
    name: "a client that never gives up",
    clients: [
      plan({ maxRetries: just(0), backoff: oneOf({ base: 100, cap: 300 }, { cap: 400 }) }),
    ],
    slots: [
      call("connect", {}, waits),
      maybe(call("subscribe", {}, waits)),
      event({ node: just(0), restart: oneOf(400, 3_000, 20_000) }),
      many(anyCall, 1, 3),
      maybe(all(pauseOf(within(9_000)), outage)),
      rest,
    ],
  },
  {
    name: "a client without pings",
    clients: [plan({ pingInterval: just(0), timeout: just(2_000) })],
    slots: [
      call("connect", {}, waits),
      maybe(call("subscribe", {}, waits)),
      either(mute, none),
      many(anyCall, 0, 2),
      pauseOf(oneOf(4_000, 40_000, 90_000)),
      cut,
      many(anyCall, 0, 2),
      rest,
    ],
  },
  {
    name: "tokens that cannot be had",
    clients: [
      plan({
        hasFreshTokens: just(true),
        tokenFails: oneOf([1], [2], [2], [2, 3], [3], [1, 2]),
        transport: oneOf("socket", "socket", "socket", "rpc", "sse"),
        maxRetries: just(10),
      }),
    ],
    slots: [
      either(call("connect", {}, waits), anyCall),
      maybe(call("subscribe", {}, waits)),
      expire,
      either(cut, restart, none),
      many(either(anyCall, call("start")), 1, 3),
      pauseOf(within(9_000)),
      maybe(all(expire, cut)),
      many(read, 0, 2),
      rest,
    ],
  },
  {
    name: "tokens that are wrong",
    clients: [
      plan({
        hasFreshTokens: just(true),
        wrongTokens: oneOf([1], [2], [2], [3]),
        transport: oneOf("socket", "socket", "socket", "rpc"),
        maxRetries: just(10),
      }),
    ],
    slots: [
      either(call("connect", {}, waits), anyCall),
      maybe(call("subscribe", {}, waits)),
      expire,
      either(cut, cut, restart),
      many(anyCall, 0, 2),
      pauseOf(within(9_000)),
      maybe(call("connect", {}, waits)),
      maybe(all(expire, cut, pauseOf(within(3_000)))),
      many(read, 0, 2),
      rest,
    ],
  },
  {
    name: "methods by their names",
    clients: [
      plan({ transport: oneOf("socket", "socket", "socket", "rpc") }),
    ],
    slots: [
      maybe(call("connect", {}, waits)),
      maybe(call("enqueue", {}, waits)),
      many(
        either(
          call("call"),
          call("call", { method: just("workflow.start"), name: oneOf("nap", "long", "slow") }),
        ),
        1,
        3,
      ),
      many(either(anyCall, call("start")), 0, 2),
      maybe(either(outage, call("close", {}, { after: within(900) }))),
      rest,
    ],
  },
  {
    name: "operators who mend what failed",
    clients: [
      plan({ timeout: just(30_000) }),
      plan({ transport: just("admin") }),
    ],
    slots: [
      many(call("enqueue", { name: oneOf("fails", "fails", "flaky", "noop") }, waits), 1, 3),
      pauseOf(oneOf(0, 300, 2_000)),
      many(
        either(
          call("operate", {}, { client: just(1), wait: oneOf(true, true, false) }),
          call("operate", {}, {
            client: just(1),
            abort: rarely(oneOf(0, 2, NEVER), 2),
            timeout: oneOf(1, 20, 200),
          }),
          call("operate", { what: oneOf("retry", "replayAll", "purge") }, {
            client: just(1),
            ...waits,
          }),
          call("stats", {}, { client: just(1) }),
          call("getJob", {}, { client: just(1) }),
          call("cancel", {}, { client: just(1) }),
        ),
        2,
        6,
      ),
      rest,
    ],
    faults: faultsOf(["answer"], ["drop", "cut", "cut", "malformed"], 10, 2),
  },
  {
    name: "starts that are given up before they are sent",
    latencies: [[1, 5], [0, 20]],
    clients: [plan({ maxQueue: just(undefined), timeout: just(30_000) })],
    slots: [
      maybe(call("connect", {}, waits)),
      maybe(call("start", { name: oneOf("quick", "nap") }, waits)),
      call("start", {
        name: oneOf("quick", "nap", "missing"),
        value: just("object"),
        same: just(false),
      }, {
        times: oneOf(4, 12, 16, 16),
        abort: fc.oneof(oneOf(5, 14, 30, 60), whileOpening, whileOpening),
      }),
      maybe(call("start")),
      rest,
    ],
  },
  {
    name: "loops and bursts that are given up",
    latencies: [[1, 1], [1, 5], [0, 20]],
    clients: [plan({ maxQueue: just(undefined), timeout: just(30_000) })],
    slots: [
      maybe(call("connect", {}, waits)),
      either(
        all(
          call("start", { name: oneOf("hour", "long", "crawl") }, waits),
          call("watch", {}, { abort: oneOf(0, 2, 30, 300) }),
        ),
        all(
          call("enqueue", { name: oneOf("nobody", "nobody", "work") }, waits),
          call("follow", {}, { abort: oneOf(0, 2, 30, 300) }),
        ),
        call("subscribe", {}, { abort: oneOf(0, 2, 30, 300) }),
      ),
      call("enqueueMany", { queue: oneOf("other", "default"), count: oneOf(3, 12, 60) }, {
        abort: rarely(within(20), 2),
      }),
      maybe(anyCall),
      rest,
    ],
  },
  {
    name: "calls after a client gave up",
    clients: [
      plan({
        reconnect: oneOf(false, true),
        maxRetries: just(2),
        backoff: just({ base: 100, cap: 300 }),
      }),
    ],
    slots: [
      call("connect", {}, waits),
      maybe(call("subscribe", {}, waits)),
      event({ node: just(0), restart: oneOf(2_000, 6_000) }),
      pauseOf(oneOf(1_000, 4_000, 9_000)),
      many(either(anyCall, call("start"), call("start"), call("subscribe")), 1, 3),
      pauseOf(oneOf(0, 6_000)),
      maybe(call("connect", {}, waits)),
      maybe(all(cut, pauseOf(within(900)))),
      many(either(anyCall, call("start")), 0, 2),
      rest,
    ],
  },
  {
    name: "closed beside a silent server, and used again",
    clients: [plan({ pingInterval: oneOf(undefined, 0, 4_000) })],
    slots: [
      either(call("connect", {}, waits), call("enqueue", {}, waits), none),
      maybe(call("subscribe", {}, waits)),
      either(mute, none, none),
      call("close", { drain: oneOf(false, false, true) }, {
        after: within(600),
        wait: oneOf(false, true),
      }),
      many(
        either(call("connect"), call("connect"), anyCall, call("close"), call("subscribe")),
        1,
        3,
      ),
      rest,
    ],
  },
  {
    name: "more starts at once than connections may open",
    latencies: [[1, 1], [1, 5]],
    clients: [plan({ maxQueue: just(undefined), timeout: just(30_000) })],
    slots: [
      maybe(call("connect", {}, waits)),
      call("start", { name: oneOf("quick", "missing"), value: oneOf("short", "number") }, {
        times: just(66),
      }),
      maybe(anyCall),
      pauseOf(just(3_000)),
      call("start", { name: just("quick") }),
      rest,
    ],
  },
];
