import fc from "fast-check";
import { moment } from "./mix.ts";
import { BEFORE, rarely } from "./program.ts";
import {
  all,
  anyCall,
  call,
  cut,
  either,
  faultsOf,
  just,
  many,
  maybe,
  MISHAPS,
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
} from "./script.ts";

/** Channels, their credits and buffers. */
export const CHANNEL_SCENARIOS: readonly Scenario[] = [
  {
    name: "credits run out",
    clients: [plan({ credits: just(10) }), plan({ timeout: just(30_000) })],
    slots: [
      call("subscribe", { channel: oneOf("jobs", "firehose", "queue") }, waits),
      call("enqueueMany", {
        name: just("noop"),
        count: oneOf(340, 400, 400),
        window: just(1_000),
      }, { client: just(1), wait: fc.boolean() }),
      many(call("enqueue", {}, { client: oneOf(0, 1), after: within(400) }), 0, 3),
      rest,
    ],
    faults: faultsOf(["grant", "event"], ["delay", "stall", "delay", "half-open"], 6),
    nodes: 1,
  },
  {
    name: "a small buffer overflows",
    clients: [plan(), plan()],
    slots: [
      many(
        call("subscribe", {
          channel: oneOf("jobs", "firehose", "queue"),
          buffer: oneOf(1, 2, 5),
          overflow: oneOf("drop-oldest", "drop-newest", "error", undefined),
          slow: oneOf(undefined, 60, 200),
          take: rarely(oneOf(1, 4), 5),
        }, waits),
        1,
        2,
      ),
      call("enqueue", {}, { client: oneOf(0, 1), times: oneOf(1, 2, 4, 20) }),
      pauseOf(within(400)),
      many(
        call("enqueue", {}, { client: oneOf(0, 1), after: within(900), times: oneOf(1, 2, 20) }),
        1,
        2,
      ),
      either(
        none,
        none,
        call("unsubscribe", {}, { after: within(300) }),
        either(call("close", {}, { after: within(300) }), outage),
      ),
      rest,
    ],
  },
  {
    name: "jobs and runs that are younger than a subscription",
    latencies: [[1, 1], [1, 1], [1, 1], [1, 5], [0, 20]],
    clients: [plan({ maxRetries: just(10) }), plan()],
    slots: [
      maybe(
        either(
          call("enqueue", { name: oneOf("work", "flaky") }, { client: oneOf(0, 1), ...waits }),
          call("start", { name: oneOf("nap", "long") }, { client: oneOf(0, 1), ...waits }),
        ),
      ),
      many(
        call("subscribe", { channel: oneOf("jobs", "firehose", "queue", "workflows") }, waits),
        1,
        2,
      ),
      either(none, cut),
      pauseOf(oneOf(1_100, 4_500, 7_000, 9_000)),
      // A run that starts while the connection is away, which is told.
      either(none, none, all(cut, call("start", { name: just("long") }, { client: just(1) }))),
      many(
        either(
          call("enqueue", { name: oneOf("work", "noop", "fails", "flaky", "flaky") }, {
            client: oneOf(0, 1),
            times: oneOf(1, 2, 4),
          }),
          call("start", { name: oneOf("quick", "nap", "broken", "long") }, { client: oneOf(0, 1) }),
          call("enqueueMany", { count: oneOf(3, 60, 60), window: oneOf(2, 64, 64) }, {
            client: oneOf(0, 1),
          }),
        ),
        1,
        3,
      ),
      rest,
    ],
    faults: faultsOf(["event"], ["drop", "drop", "drop", "delay", "malformed"], 12),
  },
  {
    name: "a channel is left",
    clients: [
      plan({
        transport: oneOf("socket", "socket", "socket", "sse"),
        timeout: oneOf(2_000, 30_000),
      }),
      plan(),
    ],
    slots: [
      many(
        call("subscribe", {
          channel: oneOf("jobs", "queue", "otherQueue", "firehose", "workflows", "job"),
          take: rarely(oneOf(1, 3), 4),
        }, {
          wait: fc.boolean(),
          abort: rarely(fc.oneof(oneOf(0, 20, 300), just(BEFORE), moment), 4),
        }),
        2,
        3,
      ),
      call("enqueue", { queue: oneOf("default", "other") }, { client: oneOf(0, 1) }),
      many(
        either(
          call("unsubscribe", {}, { after: within(300) }),
          call("unsubscribe", {}, { after: within(300) }),
          call("subscribe", { channel: oneOf("jobs", "queue") }),
        ),
        1,
        2,
      ),
      either(none, none, none, outage),
      many(
        call("enqueue", { queue: oneOf("default", "other") }, {
          client: oneOf(0, 1),
          after: within(2_000),
          wait: fc.boolean(),
        }),
        1,
        2,
      ),
      rest,
    ],
    faults: fc.oneof(
      { weight: 2, arbitrary: faultsOf(["left"], ["drop", "drop", "drop", "delay", "cut"], 2) },
      { weight: 1, arbitrary: faultsOf(["joined", "answer", "any"], MISHAPS, 12) },
    ),
  },
  {
    name: "streams over HTTP",
    clients: [plan({ transport: just("sse") }), plan()],
    slots: [
      many(call("subscribe", { channel: oneOf("jobs", "queue", "firehose") }, waits), 1, 2),
      call("enqueue", {}, { client: oneOf(0, 1), times: oneOf(1, 2, 4), ...waits }),
      pauseOf(oneOf(30, 900, 6_000)),
      many(
        call("enqueue", {}, {
          client: oneOf(0, 1),
          after: within(900),
          times: oneOf(1, 2),
          wait: fc.boolean(),
        }),
        1,
        2,
      ),
      maybe(
        either(
          restart,
          call("unsubscribe", {}, { after: within(300) }),
          call("close", {}, { after: within(300) }),
        ),
      ),
      pauseOf(fc.oneof(just(900), just(8_000))),
      call("enqueue", {}, { client: oneOf(0, 1) }),
      rest,
    ],
    faults: faultsOf(["stream", "stream", "open", "answer"], [
      "cut",
      "cut",
      "delay",
      "drop",
      "half-open",
      "malformed",
    ], 8),
    nodes: 2,
  },
  {
    name: "a buffer of the server is full",
    clients: [plan(), plan({ timeout: just(30_000) })],
    slots: [
      call("subscribe", { channel: oneOf("jobs", "firehose", "queue") }, waits),
      maybe(call("enqueue", {}, { client: just(1), ...waits })),
      call("enqueueMany", { name: just("noop"), count: oneOf(60, 90, 120), window: just(1_000) }, {
        client: just(1),
      }),
      many(call("enqueue", {}, { client: oneOf(0, 1), after: within(2_000) }), 1, 2),
      rest,
    ],
    faults: faultsOf(["event"], ["stall", "stall", "stall", "delay"], 40),
  },
  {
    name: "closed with unread events",
    clients: [plan(), plan()],
    slots: [
      many(
        call("subscribe", {
          channel: oneOf("jobs", "firehose", "queue"),
          slow: oneOf(undefined, 60, 200, 200),
          overflow: oneOf(undefined, "drop-oldest"),
        }, waits),
        1,
        2,
      ),
      either(
        call("enqueue", {}, { client: oneOf(0, 1), times: oneOf(2, 4), wait: fc.boolean() }),
        call("enqueueMany", {}, { client: oneOf(0, 1), wait: fc.boolean() }),
      ),
      maybe(call("start", { name: oneOf("long", "nap"), then: just("watch") })),
      many(
        call("close", { drain: oneOf(true, true, false) }, { after: oneOf(0, 150, 300, 600) }),
        1,
        2,
      ),
      many(
        either(call("watch"), call("follow"), call("waitJob"), call("subscribe"), anyCall),
        0,
        2,
      ),
      rest,
    ],
  },
  {
    name: "subscribing again fails",
    clients: [plan({ maxRetries: just(10) }), plan()],
    slots: [
      many(call("subscribe", { channel: oneOf("jobs", "workflows", "firehose") }, waits), 1, 2),
      maybe(call("enqueue", {}, { client: oneOf(0, 1) })),
      either(cut, cut, restart),
      maybe(either(call("subscribe"), call("enqueue"), call("unsubscribe"))),
      many(pauseOf(just(9_000)), 1, 3),
      call("enqueue", {}, { client: oneOf(0, 1), ...waits }),
      rest,
    ],
    faults: faultsOf(["joined"], ["drop", "drop", "malformed", "delay", "cut", "half-open"], 4, 2),
  },
  {
    name: "a stream over HTTP breaks often",
    clients: [plan({ transport: just("sse"), timeout: just(30_000) }), plan()],
    slots: [
      call("subscribe", { channel: oneOf("jobs", "firehose", "queue") }, waits),
      many(
        all(
          call("enqueue", { name: oneOf("noop", "work") }, { client: just(1), ...waits }),
          pauseOf(oneOf(300, 7_500, 7_500, 9_000)),
        ),
        4,
        6,
      ),
      rest,
    ],
    faults: faultsOf(["stream"], ["cut", "cut", "cut", "delay"], 16),
    mostFaults: 5,
  },
  {
    name: "a stream over HTTP is used up",
    clients: [
      plan({ transport: just("sse"), timeout: just(30_000) }),
      plan({ timeout: just(30_000) }),
    ],
    slots: [
      call("subscribe", { channel: oneOf("jobs", "firehose", "queue") }, waits),
      many(
        call("enqueueMany", { name: just("noop"), count: oneOf(60, 180), window: oneOf(16, 64) }, {
          client: just(1),
          ...waits,
        }),
        2,
        3,
      ),
      call("enqueue", {}, { client: just(1), ...waits }),
      rest,
    ],
    faults: faultsOf(["stream"], ["cut", "delay"], 900, 400),
  },
];
