import { equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import {
  constantBackoff,
  createDevServer,
  type QuirkName,
  referenceWorkload,
} from "../../dev/mod.ts";
import { Dispatch } from "../../mod.ts";
import { realTime } from "../conformance/replay_time.ts";
import { compare } from "./compare.ts";
import { describe } from "./describe.ts";
import type { Outcome } from "./run_sequence.ts";
import { search, type SearchOptions, type SearchResult } from "./search.ts";

const RUNS = 25;
const PLANTED = { seed: 1, runs: 100, tries: 1 };

/** Compares two embedded servers, of which one lacks a quirk. */
async function compareServers(
  options: Omit<SearchOptions, "urls">,
  off?: QuirkName,
): Promise<SearchResult> {
  const workload = () => ({ ...referenceWorkload(), backoff: constantBackoff(1) });
  await using first = await createDevServer(workload());
  const quirks = off && { [off]: false };
  await using second = await createDevServer({ ...workload(), quirks });
  return await search({ urls: [first.url, second.url], ...options });
}

const seed = Math.floor(Math.random() * 2 ** 31);
test(`two embedded servers do the same in random sequences, seed ${seed}`, async () => {
  const result = await compareServers({ seed, runs: RUNS });
  equal(result.found && describe(result.found, ["first", "second"]), undefined);
  equal(result.ran, RUNS);
  ok(result.exchanges > RUNS, "the sequences are not empty");
});

test("a job that somebody left on a server may begin anew", async () => {
  const workload = () => ({ ...referenceWorkload(), backoff: constantBackoff(1) });
  await using first = await createDevServer(workload());
  await using second = await createDevServer(workload());
  await using client = await Dispatch.connect({ url: first.url, token: "demo-token" });
  const { job_id } = await client.enqueue("always-fails", null);
  const retry = new URL(`/dispatch/v1/jobs/${job_id}/retry`, first.url.replace(/^ws/, "http"));
  let isOver = false;
  let begun = 0;
  const begin = async () => {
    // Refused while the job has not failed again.
    for (; !isOver; await realTime.pass(1)) {
      if ((await fetch(retry, { method: "POST" })).ok) begun++;
    }
  };
  const beginning = begin();
  const result = await search({ urls: [first.url, second.url], seed: 1, runs: RUNS });
  isOver = true;
  await beginning;
  equal(result.found && describe(result.found, ["first", "second"]), undefined);
  ok(begun > RUNS, "the job began anew in the sequences");
});

test("finds a method that one server lacks, and makes the sequence small", async () => {
  const { found } = await compareServers({ ...PLANTED, shrinkMs: 1_000 }, "methods-missing");
  const text = describe(found!, ["first", "second"]);
  ok(found!.path.includes(":"), "the path goes to a smaller sequence");
  match(text, /^ {2}first .*"code":405.*\n {2}second/m);
});

test("finds events that differ", async () => {
  const { found } = await compareServers({ ...PLANTED, shrinkMs: 0 }, "entity-channel");
  equal(found!.difference.exchange, undefined);
  match(found!.difference.text, /channel: expected "(?:job|workflow):/);
});

/** What a server did that only sent events of runs that no answer named. */
function outcomeOf(...runs: readonly { id: string; tenant: string }[]): Outcome {
  const events = runs.map(({ id, tenant }) => ({
    ...{ id: "1", type: "event", ts: "2026-11-24T08:00:00Z" },
    data: {
      type: "workflow.started",
      topic: `workflow:wfrun_${id.repeat(26)}`,
      data: { run_id: `wfrun_${id.repeat(26)}`, scope_app_id: tenant },
    },
  }));
  return { exchanges: [], received: [{ conn: "a", events, isSilent: false }], unsettled: 0 };
}

test("runs that no answer named may start in another order, but not be others", () => {
  const expected = outcomeOf({ id: "1", tenant: "app" }, { id: "2", tenant: "app2" });
  const reordered = outcomeOf({ id: "3", tenant: "app2" }, { id: "4", tenant: "app" });
  const other = outcomeOf({ id: "3", tenant: "app" }, { id: "4", tenant: "app" });
  equal(compare(expected, reordered), undefined);
  match(compare(expected, other)!.text, /scope_app_id: expected "app2", received "app"/);
  match(compare(expected, outcomeOf())!.text, /sends nothing/);
});
