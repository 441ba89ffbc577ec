import fc from "fast-check";
import { moment } from "./mix.ts";
import { BEFORE, rarely } from "./program.ts";
import {
  anyCall,
  call,
  either,
  event,
  faultsOf,
  just,
  later,
  many,
  maybe,
  MISHAPS,
  oneOf,
  outage,
  pauseOf,
  plan,
  rest,
  type Scenario,
  waits,
  within,
} from "./script.ts";

/** So many milliseconds after the last call that a ping may be under way. */
const aroundPing = fc.integer({ min: 1_000, max: 1_200 });

/** Jobs, and the calls about them. */
export const CALL_SCENARIOS: readonly Scenario[] = [
  {
    name: "jobs are cancelled",
    clients: [
      plan({
        transport: oneOf("socket", "socket", "rpc", "rpc", "sse", "admin"),
        timeout: oneOf(30_000, 2_000),
      }),
      plan(),
    ],
    slots: [
      call("enqueue", {
        name: oneOf("nobody", "nobody", "nobody", "work", "flaky"),
        then: oneOf("waitJob", "waitJob", "follow", undefined),
      }, waits),
      many(
        either(
          call("waitJob", { timeout: rarely(oneOf(100, 4_000), 3) }),
          call("follow", { take: rarely(oneOf(1, 2), 4) }),
        ),
        0,
        2,
      ),
      pauseOf(fc.oneof(within(400), later, later)),
      many(
        call("cancel", { pick: just(0) }, {
          client: oneOf(0, 0, 0, 1),
          abort: rarely(fc.oneof(oneOf(0, 50), just(BEFORE), moment), 6),
          timeout: rarely(oneOf(1, 100), 6),
        }),
        1,
        2,
      ),
      many(either(call("waitJob"), call("getJob"), call("follow")), 0, 2),
      rest,
    ],
    faults: faultsOf(["answer", "any", "event"], MISHAPS, 16, 2),
  },
  {
    name: "a node dies while jobs run",
    clients: [
      plan({ isBalanced: just(true), transport: oneOf("socket", "socket", "sse") }),
      plan(),
    ],
    slots: [
      maybe(call("subscribe", { channel: oneOf("jobs", "firehose", "queue") }, waits)),
      many(
        call("enqueue", {
          name: oneOf("work", "work", "flaky"),
          then: oneOf("follow", "follow", "waitJob", undefined),
        }, { client: oneOf(0, 1), wait: fc.boolean(), times: oneOf(1, 2, 4) }),
        1,
        3,
      ),
      event({
        after: fc.nat({ max: 40 }),
        node: fc.nat({ max: 1 }),
        restart: oneOf(0, 50, 1_000, 5_000),
      }),
      many(
        either(call("follow", {}, { client: oneOf(0, 1) }), call("waitJob"), call("enqueue")),
        0,
        2,
      ),
      rest,
    ],
    nodes: 3,
    fewestNodes: 2,
  },
  {
    name: "enqueueMany is interrupted",
    clients: [plan({ hasHooks: rarely(just(true), 2) }), plan()],
    slots: [
      maybe(
        call("subscribe", { channel: oneOf("jobs", "firehose", "queue") }, {
          client: oneOf(0, 1),
          ...waits,
        }),
      ),
      call("enqueueMany", { count: oneOf(3, 12, 60), window: oneOf(2, 5, 64) }, {
        abort: fc.oneof(oneOf(undefined, 0, 10, 100), just(BEFORE), moment),
        timeout: rarely(oneOf(1, 50), 4),
      }),
      maybe(anyCall),
      maybe(outage),
      maybe(call("close", {}, { after: within(60) })),
      rest,
    ],
    faults: faultsOf(["answer", "write", "any"], [...MISHAPS, "delay"], 30, 2),
  },
  {
    name: "reads that take long",
    clients: [
      plan({
        timeout: oneOf(2_000, 2_000, 30_000),
        transport: oneOf("socket", "socket", "rpc", "sse"),
      }),
    ],
    slots: [
      either(
        call("enqueue", {
          name: oneOf("nobody", "work", "flaky"),
          then: oneOf("waitJob", "follow"),
        }, waits),
        call(
          "start",
          { name: oneOf("long", "nap", "slow"), then: oneOf("watch", "waitRun") },
          waits,
        ),
      ),
      many(
        either(call("getJob"), call("getRun"), call("timeline"), call("waitJob"), call("waitRun")),
        0,
        2,
      ),
      many(pauseOf(oneOf(900, 2_500, 6_000)), 1, 3),
      maybe(call("cancel", { pick: just(0) })),
      rest,
    ],
    faults: faultsOf(
      ["answer"],
      ["drop", "drop", "delay", "half-open", "malformed", "stall"],
      9,
      2,
    ),
  },
  {
    name: "calls that are given up at once",
    clients: [plan({ reconnect: oneOf(true, true, false) })],
    slots: [
      maybe(call("connect", {}, waits)),
      maybe(either(call("enqueue", {}, waits), call("start", { name: just("quick") }, waits))),
      many(
        either(
          ...([
            "enqueue",
            "start",
            "subscribe",
            "getJob",
            "publish",
            "connect",
            "waitJob",
            "waitRun",
            "cancel",
            "enqueueMany",
            "timeline",
            "getRun",
            "getJob",
          ] as const)
            .map((what) =>
              call(what as "enqueue", {}, {
                abort: fc.oneof(just(BEFORE), oneOf(0, 2), moment, just(undefined)),
                timeout: oneOf(undefined, 1, 3),
                wait: fc.boolean(),
              })
            ),
        ),
        2,
        4,
      ),
      maybe(outage),
      many(anyCall, 0, 2),
      maybe(call("close", {}, { at: rarely(moment, 2) })),
      rest,
    ],
  },
  {
    name: "a burst beside a subscription",
    latencies: [[1, 1], [1, 1], [1, 1], [1, 5], [0, 20]],
    clients: [plan({ maxQueue: just(undefined), timeout: just(30_000) })],
    slots: [
      call("subscribe", { channel: oneOf("jobs", "firehose", "queue") }, waits),
      pauseOf(oneOf(300, 1_100, 4_500)),
      either(
        call("enqueueMany", { count: oneOf(60, 120), window: oneOf(64, 1_000) }),
        call("enqueue", { name: oneOf("noop", "fails", "work") }, { times: just(60) }),
      ),
      maybe(either(outage, call("unsubscribe"), call("close"), anyCall)),
      rest,
    ],
  },
  {
    name: "torn frames in MessagePack",
    latencies: [[1, 1], [1, 5], [0, 20]],
    clients: [
      plan({ format: just("msgpack"), pingInterval: rarely(oneOf(1_000, 4_000), 2) }),
      plan(),
    ],
    slots: [
      call("connect", {}, waits),
      maybe(call("subscribe", { channel: oneOf("jobs", "firehose", "workflows") }, waits)),
      many(
        either(
          call("enqueue", { then: oneOf("waitJob", "follow", undefined) }),
          call("start", { then: oneOf("waitRun", "watch", undefined) }),
          call("publish"),
          anyCall,
        ),
        2,
        6,
      ),
      maybe(outage),
      rest,
    ],
    faults: faultsOf(
      ["answer", "event", "write", "result", "any"],
      ["malformed", "malformed", "malformed", "drop", "cut"],
      12,
    ),
  },
  {
    name: "pings that the server cannot read",
    latencies: [[0, 200]],
    clients: [plan({ pingInterval: just(1_000), timeout: just(30_000) })],
    slots: [
      call("connect", {}, waits),
      many(
        either(
          call("enqueue", {}, { ...waits, after: aroundPing }),
          call("publish", {}, { ...waits, after: aroundPing }),
        ),
        2,
        5,
      ),
      rest,
    ],
    faults: faultsOf(["ping"], ["malformed"], 4),
  },
];
