import { deepEqual, match, ok } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createDevServer, type Fault, referenceWorkload } from "../../dev/mod.ts";
import { programs } from "../simulation/strata.ts";
import type { CallStep, Program } from "../simulation/program.ts";
import { type RealVerdict, runOnServer, type RunOptions } from "./run_on_server.ts";

/** The options of a test: clients reconnect at once, and a busy machine has time. */
const OPTIONS = { pace: 100, late: 20_000, inFlight: 20, calm: 10_000, random: () => 0 };

async function run(
  program: Program,
  { faults = [], ...options }: RunOptions & { faults?: Fault[] } = {},
): Promise<RealVerdict> {
  await using server = await createDevServer({ ...referenceWorkload(), faults });
  return await runOnServer(program, server.url, { ...OPTIONS, ...options });
}

test("random programs over real sockets contradict no rule", async () => {
  let calls = 0;
  const sample = fc.sample(programs, { seed: 10, numRuns: 50 });
  const long = sample.filter(({ steps }) => steps.filter((step) => "op" in step).length > 5);
  for (const program of long.slice(0, 2)) {
    const verdict = await run(program);
    deepEqual(verdict.violations, [], JSON.stringify(program));
    calls += verdict.calls;
  }
  ok(calls > 10, `${calls} calls`);
});

const step = (op: CallStep["op"], more?: Partial<CallStep>): CallStep => ({
  ...{ after: 0, client: 0, wait: true, op },
  ...more,
});

/** Reads the events of jobs. */
const READS: Program = {
  ...{ seed: 1, nodes: 1, isCalm: true, latency: [1, 1], faults: [] },
  clients: [{
    ...{ reconnect: true, maxRetries: 10, timeout: 30_000, isBalanced: false },
    ...{ hasFreshTokens: false, transport: "socket", credits: 100_000 },
  }],
  steps: [
    step({ do: "subscribe", channel: "jobs", pick: 0 }),
    step({ do: "enqueue", name: "noop", value: "object" }, { times: 20 }),
  ],
};

test("finds that an event is missing without a gap", async () => {
  deepEqual((await run(READS)).violations, []);
  const lost: Fault = {
    do: "drop",
    when: { direction: "out", event: "job.enqueued", chance: 0.5 },
  };
  const { violations } = await run(READS, { faults: [lost], calm: 1 });
  ok(violations.length > 0);
  // Those that the observer missed itself were "never published".
  for (const text of violations) match(text, /^4: .* (?:without a gap|nobody published)$/);
});

test("knows of jobs that clients over HTTP have cancelled", async () => {
  const client = { ...READS.clients[0]!, transport: "rpc" as const };
  const steps = [
    step({ do: "enqueue", name: "nobody", value: "short" }),
    step({ do: "waitJob", pick: 0 }, { wait: false }),
    step({ do: "cancel", pick: 0 }),
  ];
  const { violations, calls } = await run({ ...READS, clients: [client], steps }, { calm: 1 });
  deepEqual(violations, []);
  ok(calls === 3);
});
