// Published events that no run has consumed, without a server.
import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { findLeftovers, leftoverWarning, SiblingLeftovers } from "../../runner/engine/leftovers.ts";
import type { RunnerClient } from "../../runner/steps/context.ts";
import { within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

type Entries = { step_name: string; data: unknown }[];

/** A client whose runs have these timelines. */
function clientOf(timelines: Record<string, Entries | Error>) {
  const asked: { id: string; timeout: number | undefined }[] = [];
  const client = {
    workflowTimeline(id: string, { timeout, signal }: { timeout: number; signal: AbortSignal }) {
      asked.push({ id, timeout });
      const timeline = timelines[id];
      if (timeline instanceof Error) return Promise.reject(timeline);
      return timeline ? Promise.resolve(timeline) : new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    },
  } as unknown as RunnerClient;
  return { client, asked };
}

const { signal } = new AbortController();
const PAID = { event_id: "evt_1", name: "paid" };
const SENT = { event_id: "evt_2", name: "sent" };
const RUN = { kind: "run", id: "run_1" } as const;
const OTHER = { kind: "run", id: "run_2" } as const;
const JOB = { kind: "job", id: "job_1" } as const;

const entry = (step_name: string, data: unknown = null) => ({ step_name, data });

test("returns the events whose ids are in no timeline", async () => {
  const { client, asked } = clientOf({
    run_1: [
      entry("a"),
      entry("wait:paid", { id: "evt_1" }),
      entry("b", "evt_2"),
      entry("c", undefined),
    ],
    run_2: [entry("d", { id: 2 }), entry("children", { name: "sent" })],
  });
  deepEqual(await findLeftovers([PAID, SENT], [JOB, RUN, OTHER], client, signal), [SENT]);
  deepEqual(asked, [{ id: "run_1", timeout: 2_000 }, { id: "run_2", timeout: 2_000 }]);
});

test("asks for no timeline if nothing was published", async () => {
  const { client, asked } = clientOf({});
  deepEqual(await findLeftovers([], [RUN], client, signal), []);
  deepEqual(asked, []);
  deepEqual(await findLeftovers([PAID], [JOB], client, signal), [PAID]);
  deepEqual(asked, []);
});

test("returns no events if a run has child runs, which may have consumed them", async () => {
  for (const name of ["child:a", "spawn:a", "fanout:a"]) {
    const { client } = clientOf({ run_1: [entry(name)], run_2: [] });
    deepEqual(await findLeftovers([PAID], [RUN, OTHER], client, signal), [], name);
  }
  const { client } = clientOf({ run_1: [entry("grandchild:a"), entry("child")] });
  deepEqual(await findLeftovers([PAID], [RUN], client, signal), [PAID]);
});

test("rejects if a timeline cannot be read", async () => {
  const { client } = clientOf({ run_1: new Error("lost") });
  await rejects(findLeftovers([PAID], [RUN], client, signal), /lost/);
});

test("warns of an event of parallel cases if no run of any of them has consumed it", async () => {
  const { client, asked } = clientOf({ run_1: [], run_2: [entry("wait:paid", { id: "evt_1" })] });
  const siblings = new SiblingLeftovers();
  const clock = new FakeClock();
  siblings.add("first", [], [RUN]);
  deepEqual(await siblings.warnings(client, clock), []);
  deepEqual(asked, []);
  siblings.add("second", [PAID, SENT], [JOB]);
  siblings.add("third", [{ event_id: "evt_3", name: "late" }], [OTHER]);
  deepEqual(await siblings.warnings(client, clock), [
    `second: ${leftoverWarning(SENT)}`,
    `third: ${leftoverWarning({ event_id: "evt_3", name: "late" })}`,
  ]);
  deepEqual(asked.map(({ id }) => id), ["run_1", "run_2"]);
  equal(clock.pending, 0);
  equal(
    leftoverWarning(SENT),
    "event `sent` (evt_2) was not consumed by this recipe's runs; it stays queued and will wake the next run that waits for `sent`",
  );
});

test("says that it cannot check, even when the server takes more than ten seconds", async () => {
  const failing = new SiblingLeftovers();
  failing.add("first", [PAID], [RUN]);
  deepEqual(
    await failing.warnings(clientOf({ run_1: new Error("lost") }).client, new FakeClock()),
    [
      "Cannot check for unconsumed events: lost",
    ],
  );

  const clock = new FakeClock();
  const silent = new SiblingLeftovers();
  silent.add("first", [PAID], [RUN]);
  const warnings = silent.warnings(clientOf({}).client, clock);
  deepEqual(clock.due, [10_000]);
  clock.advance(10_000);
  deepEqual(await within(warnings, "the warnings"), [
    "Cannot check for unconsumed events: the time is over",
  ]);
});
