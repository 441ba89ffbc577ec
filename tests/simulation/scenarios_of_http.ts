import fc from "fast-check";
import { BEFORE, rarely } from "./program.ts";
import {
  anyCall,
  call,
  either,
  faultsOf,
  just,
  later,
  many,
  maybe,
  MISHAPS,
  none,
  oneOf,
  pauseOf,
  plan,
  rest,
  restart,
  type Scenario,
  waits,
  within,
} from "./script.ts";

/** Calls of clients over HTTP. */
export const HTTP_SCENARIOS: readonly Scenario[] = [
  {
    name: "requests over HTTP",
    clients: [
      plan({ transport: oneOf("rpc", "rpc", "sse", "admin"), timeout: oneOf(30_000, 2_000) }),
    ],
    slots: [
      many(
        call("enqueue", {
          name: oneOf("fails", "fails", "noop", "flaky", "nobody"),
          retry: rarely(just("unknown"), 4),
          then: oneOf("waitJob", "waitJob", undefined),
        }, {
          wait: fc.boolean(),
          abort: rarely(oneOf(0, 3, 50, BEFORE), 6),
          timeout: rarely(oneOf(1, 100), 6),
        }),
        1,
        2,
      ),
      many(
        either(anyCall, call("cancel"), call("waitJob", { timeout: rarely(oneOf(100, 4_000), 3) })),
        1,
        3,
      ),
      either(none, none, none, restart),
      maybe(anyCall),
      maybe(call("close", {}, { after: within(300) })),
      rest,
    ],
    faults: fc.oneof(
      faultsOf(["answer"], ["malformed", "malformed", "drop", "cut", "delay"], 2),
      faultsOf(["answer"], ["malformed", "drop", "cut"], 1),
      faultsOf(["answer", "write", "any", "open"], [...MISHAPS, "drop"], 6),
    ),
    nodes: 2,
  },
  {
    name: "waits over HTTP",
    latencies: [[1, 5], [0, 20], [0, 20]],
    clients: [
      plan({ transport: oneOf("rpc", "rpc", "rpc", "sse"), timeout: oneOf(30_000, 2_000) }),
    ],
    slots: [
      call("enqueue", {
        name: oneOf("nobody", "nobody", "nobody", "nobody", "fails"),
        then: just("waitJob"),
      }, waits),
      maybe(call("waitJob", { timeout: rarely(oneOf(100, 4_000), 3) })),
      pauseOf(fc.oneof(just(30), later, later)),
      either(
        call("cancel", { pick: just(0) }),
        call("cancel", { pick: just(0) }),
        call("cancel", { pick: just(0) }),
        call("waitJob"),
      ),
      rest,
    ],
    faults: fc.oneof(
      { weight: 1, arbitrary: faultsOf(["answer"], ["drop", "delay", "malformed"], 4, 2) },
      // None of these happens.
      { weight: 3, arbitrary: faultsOf(["answer"], ["delay"], 900, 900) },
    ),
  },
  {
    name: "two waits on a job over HTTP",
    latencies: [[0, 200], [0, 200], [0, 20]],
    clients: [
      plan({ transport: just("rpc") }),
    ],
    slots: [
      call("enqueue", {
        name: oneOf("nobody", "nobody", "work", "flaky"),
        then: just("waitJob"),
      }, waits),
      many(
        call("waitJob", { timeout: rarely(oneOf(100, 4_000), 6) }, { after: within(200) }),
        1,
        3,
      ),
      pauseOf(within(400)),
      maybe(call("getJob", { pick: just(0) })),
      call("cancel", { pick: just(0) }),
      maybe(call("waitJob", {}, { after: within(200) })),
      rest,
    ],
    faults: fc.oneof(
      faultsOf(["answer"], ["delay"], 6, 2),
      // None of these happens.
      faultsOf(["answer"], ["delay"], 900, 900),
    ),
  },
  {
    name: "reads over HTTP without an answer",
    clients: [
      plan({
        transport: oneOf("rpc", "sse", "admin"),
        timeout: oneOf(30_000, 30_000, 2_000),
        httpRetries: oneOf(0, 0, 1, 5),
      }),
    ],
    slots: [
      maybe(call("enqueue", { name: oneOf("noop", "fails") }, waits)),
      many(
        either(
          call("getJob", {}, waits),
          call("getRun", {}, waits),
          call("stats", {}, waits),
          call("cancel", {}, waits),
        ),
        2,
        4,
      ),
      rest,
    ],
    faults: faultsOf(["answer"], ["cut", "malformed", "drop"], 4),
    mostFaults: 4,
  },
];
