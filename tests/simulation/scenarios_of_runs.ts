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
  type Scenario,
  waits,
  within,
} from "./script.ts";

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
    name: "idle lanes",
    clients: [plan({ isBalanced: oneOf(false, false, true) })],
    slots: [
      call("start", { name: oneOf("quick", "fan", "missing") }, {
        times: oneOf(1, 2, 4, 6, 12),
        ...waits,
      }),
      pauseOf(fc.oneof(within(400), within(400), fc.integer({ min: 3_000, max: 7_000 }))),
      fc.oneof({ weight: 2, arbitrary: cutOne }, mute, cut, none),
      maybe(pauseOf(fc.integer({ min: 900, max: 3_500 }))),
      many(call("start", { name: oneOf("quick", "nap") }, { times: oneOf(1, 2, 4) }), 1, 2),
      maybe(call("close", {}, { after: within(300) })),
      pauseOf(within(4_000)),
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
      call("start", {
        name: oneOf("brisk", "quick", "nap", "long"),
        then: oneOf("watch", "waitRun", undefined),
        value: oneOf("object", "number", "none", "text", "null"),
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
      pauseOf(within(3_000)),
    ],
    faults: faultsOf(["event", "lane", "answer"], MISHAPS, 12, 2),
    nodes: 2,
  },
];
