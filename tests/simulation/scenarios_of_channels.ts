import fc from "fast-check";
import { moment } from "./mix.ts";
import { BEFORE, rarely } from "./program.ts";
import {
  anyCall,
  call,
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
        count: oneOf(330, 340, 400),
        window: just(1_000),
      }, { client: just(1), wait: fc.boolean() }),
      many(call("enqueue", {}, { client: oneOf(0, 1), after: within(400) }), 0, 3),
      pauseOf(within(3_000)),
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
          slow: oneOf(undefined, 5, 60, 200),
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
      maybe(
        either(
          call("unsubscribe", {}, { after: within(300) }),
          call("close", {}, { after: within(300) }),
          outage,
        ),
      ),
      pauseOf(within(3_000)),
    ],
  },
  {
    name: "jobs and runs that are younger than a subscription",
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
      pauseOf(fc.integer({ min: 1_100, max: 7_000 })),
      many(
        either(
          call("enqueue", { name: oneOf("fails", "flaky", "work", "noop") }, {
            client: oneOf(0, 1),
            times: oneOf(1, 2, 4),
          }),
          call("start", { name: oneOf("quick", "nap", "broken", "long") }, { client: oneOf(0, 1) }),
          call("enqueueMany", { count: oneOf(3, 12) }, { client: oneOf(0, 1) }),
        ),
        1,
        3,
      ),
      pauseOf(within(3_000)),
    ],
    faults: faultsOf(["event"], ["drop", "drop", "delay", "malformed", "stall"], 24),
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
      pauseOf(within(3_000)),
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
      pauseOf(fc.oneof(within(3_000), just(8_000))),
      call("enqueue", {}, { client: oneOf(0, 1) }),
      pauseOf(within(3_000)),
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
      pauseOf(within(3_000)),
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
          slow: oneOf(undefined, 5, 200),
          overflow: oneOf(undefined, "drop-oldest"),
        }, waits),
        1,
        2,
      ),
      either(
        call("enqueue", {}, { client: oneOf(0, 1), times: oneOf(1, 4) }),
        call("enqueueMany", {}, { client: oneOf(0, 1) }),
      ),
      maybe(call("start", { name: oneOf("long", "nap"), then: just("watch") })),
      many(call("close", {}, { after: within(300) }), 1, 2),
      many(
        either(call("watch"), call("follow"), call("waitJob"), call("subscribe"), anyCall),
        0,
        2,
      ),
      pauseOf(within(3_000)),
    ],
  },
];
