import fc from "fast-check";
import { moment } from "./mix.ts";
import { NEVER, rarely } from "./program.ts";
import {
  call,
  cut,
  cutOne,
  either,
  faultsOf,
  just,
  many,
  maybe,
  MISHAPS,
  mute,
  none,
  oneOf,
  outage,
  pause,
  pauseOf,
  plan,
  rest,
  type Scenario,
  waits,
  within,
} from "./script.ts";

/** Inputs in which a run is recognized before it has ended. */
const marked = oneOf("object" as const, "array" as const, "text" as const, "none" as const);

/** Runs, and the lanes that start them. */
export const RUN_SCENARIOS: readonly Scenario[] = [
  {
    name: "a lane falls silent",
    clients: [plan({ maxQueue: just(undefined), timeout: just(30_000) })],
    slots: [
      call("start", {
        name: oneOf("crawl", "crawl", "slow", "steady"),
        then: oneOf("watch", "watch", "watch", "waitRun"),
        pause: oneOf(0, 0, 300),
      }),
      maybe(call("watch", {}, { after: within(3_000) })),
      many(pause, 3, 4),
    ],
    faults: faultsOf(["lane"], ["half-open", "half-open", "half-open", "cut", "stall", "delay"], 6),
  },
  {
    name: "a lane is lost between two events",
    latencies: [[0, 20], [0, 20], [0, 20], [1, 5], [0, 200]],
    clients: [plan({ maxQueue: just(undefined), timeout: just(30_000) })],
    slots: [
      call("start", {
        name: oneOf("brisk", "brisk", "brisk", "long"),
        value: marked,
        then: just("watch"),
      }),
      maybe(call("watch", {}, { after: within(300) })),
      maybe(call("waitRun", {}, { after: within(300) })),
      rest,
    ],
    faults: faultsOf(["lane"], ["cut", "cut", "cut", "half-open", "stall"], 24, 4),
  },
  {
    name: "lanes hear of each other's runs",
    latencies: [[1, 1], [0, 20], [0, 20], [0, 200]],
    clients: [plan({ maxQueue: just(undefined), timeout: just(30_000) })],
    slots: [
      call("start", {
        name: oneOf("brisk", "brisk", "steady", "long"),
        value: marked,
        then: oneOf("watch", "watch", "waitRun"),
      }, { times: oneOf(2, 2, 3) }),
      many(call("watch", { pick: fc.nat({ max: 2 }) }, { after: within(300) }), 1, 2),
      maybe(call("start", { name: oneOf("brisk", "long") }, { after: within(900) })),
      rest,
      rest,
    ],
    faults: faultsOf(["lane"], ["delay", "delay", "stall", "cut", "half-open"], 32, 2),
  },
  {
    name: "a run that another client began is followed",
    latencies: [[1, 1], [0, 20], [0, 20], [0, 20], [0, 200]],
    clients: [plan({ maxRetries: just(10) }), plan()],
    slots: [
      call("start", { name: oneOf("brisk", "brisk", "brisk", "long"), value: marked }, {
        client: just(1),
        ...waits,
      }),
      call("watch", { take: rarely(oneOf(1, 3), 4) }, {
        after: within(150),
        abort: rarely(fc.oneof(oneOf(3, 60), moment), 6),
      }),
      maybe(either(call("watch", {}, { after: within(150) }), call("waitRun"))),
      rest,
    ],
    faults: faultsOf(["event", "answer"], ["cut", "delay", "stall", "half-open"], 30, 2),
  },
  {
    name: "a follower loses its connection",
    clients: [plan({ maxRetries: just(10), timeout: just(30_000) }), plan()],
    slots: [
      either(
        call("start", { name: oneOf("steady", "crawl", "long") }, { client: just(1), ...waits }),
        call("start", { name: oneOf("steady", "crawl", "long") }, { client: just(1), ...waits }),
        call("enqueue", { name: oneOf("flaky", "work") }, { client: just(1), ...waits }),
      ),
      either(
        call("watch", { take: rarely(oneOf(1, 3), 5) }),
        call("watch"),
        call("follow", { take: rarely(oneOf(1, 3), 5) }),
      ),
      maybe(either(call("watch"), call("waitRun"), call("waitJob"))),
      pauseOf(oneOf(10, 100, 1_500)),
      either(cut, cut, cut, mute),
      rest,
      many(pause, 1, 3),
    ],
    faults: faultsOf(
      ["open", "event", "answer", "joined"],
      ["cut", "delay", "drop", "stall"],
      12,
      3,
    ),
  },
  {
    name: "what goes on is followed no more",
    clients: [plan({ maxRetries: just(10) }), plan()],
    slots: [
      either(
        call("start", { name: oneOf("hour", "hour", "crawl"), value: marked }, {
          client: oneOf(0, 1),
          ...waits,
        }),
        call("enqueue", { name: just("nobody") }, { client: oneOf(0, 1), ...waits }),
      ),
      many(
        either(
          call("watch", { take: oneOf(1, 2, undefined) }, {
            abort: oneOf(undefined, undefined, 5, 300),
          }),
          call("follow", { take: oneOf(1, 2, undefined) }, {
            abort: oneOf(undefined, undefined, 5, 300),
          }),
          call("waitRun", { timeout: oneOf(undefined, 100, 900) }, {
            abort: rarely(fc.oneof(oneOf(5, 300), moment), 3),
          }),
          call("waitJob", { timeout: oneOf(undefined, 100, 900) }, {
            abort: rarely(fc.oneof(oneOf(5, 300), moment), 3),
          }),
        ),
        1,
        3,
      ),
      either(none, none, cut),
      rest,
    ],
    faults: faultsOf(["left", "joined", "answer"], ["drop", "delay", "cut"], 4),
  },
  {
    name: "idle lanes",
    clients: [plan({ isBalanced: oneOf(false, false, true), timeout: just(30_000) })],
    slots: [
      call("start", { name: oneOf("quick", "fan", "missing") }, {
        times: oneOf(1, 1, 2, 4, 12),
        ...waits,
      }),
      pauseOf(oneOf(10, 100, 400, 3_000, 7_000)),
      either(cutOne, cutOne, cutOne, mute, cut, none),
      either(none, many(pauseOf(fc.integer({ min: 1_050, max: 3_500 })), 1, 1)),
      many(call("start", { name: oneOf("quick", "nap") }, { times: oneOf(1, 2, 4) }), 1, 2),
      either(none, none, call("close", {}, { after: within(300) })),
      rest,
    ],
    faults: faultsOf(["result", "lane", "open"], ["cut", "half-open", "drop", "delay"], 6),
  },
  {
    name: "the answer to a start is lost",
    clients: [plan()],
    slots: [
      many(
        call("start", {
          name: oneOf("quick", "nap", "broken", "fan", "missing", "long"),
          then: oneOf("watch", "waitRun", undefined),
        }, {
          wait: fc.boolean(),
          abort: rarely(fc.oneof(oneOf(3, 200), moment), 4),
          timeout: rarely(oneOf(10, 400), 4),
        }),
        1,
        2,
      ),
      maybe(call("watch", {}, { after: within(900) })),
      pauseOf(fc.oneof(within(900), just(7_000))),
      many(call("start", { name: oneOf("quick", "nap") }), 0, 2),
      pauseOf(fc.oneof(within(900), just(7_000))),
    ],
    faults: faultsOf(["result", "result", "lane", "write", "answer"], [...MISHAPS, "duplicate"], 5),
    nodes: 2,
  },
  {
    name: "many starts at once",
    clients: [plan({ isBalanced: oneOf(true, false, false) })],
    slots: [
      maybe(call("start", { name: oneOf("long", "hour", "gate") })),
      maybe(call("start", { name: oneOf("quick", "brisk") }, { times: oneOf(4, 10) })),
      call("start", {
        name: oneOf("brisk", "quick", "nap", "long"),
        then: oneOf("watch", "waitRun", undefined),
        value: oneOf("object", "number", "none", "text", "null", "short"),
      }, { times: oneOf(2, 4, 10, 20), wait: fc.boolean() }),
      maybe(
        call("start", { name: oneOf("brisk", "quick", "nap") }, {
          times: oneOf(1, 4),
          abort: fc.oneof(oneOf(5, 40, NEVER), moment),
        }),
      ),
      maybe(cutOne),
      maybe(call("close", {}, { after: within(300) })),
      pauseOf(fc.oneof(within(900), just(7_000))),
    ],
    faults: faultsOf(["lane", "open", "result"], MISHAPS, 30, 2),
  },
  {
    name: "gates",
    clients: [plan(), plan()],
    slots: [
      maybe(call("publish", { name: just("go") }, waits)),
      call("start", {
        name: oneOf("gate", "gate", "nap", "fan", "broken"),
        then: oneOf("watch", "waitRun", undefined),
      }, { wait: fc.boolean() }),
      maybe(call("watch", { take: rarely(oneOf(1, 3), 3) }, { client: oneOf(0, 1) })),
      maybe(call("waitRun", { timeout: rarely(oneOf(100, 2_500), 2) }, { client: oneOf(0, 1) })),
      maybe(call("publish", {}, { client: oneOf(0, 1), after: within(2_500) })),
      maybe(outage),
      many(
        either(call("getRun"), call("timeline"), call("watch", {}, { client: oneOf(0, 1) })),
        0,
        2,
      ),
      rest,
    ],
    faults: faultsOf(["event", "lane", "answer"], MISHAPS, 12, 2),
    nodes: 2,
  },
];
