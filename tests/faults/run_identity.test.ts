// How the client finds out which run belongs to which start, with a server that begins, describes
// and answers runs in any order.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Frame, ScriptedPeer } from "../../testing/mod.ts";
import { seededRandom } from "../../runtime/random.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { type Faulty, scripted } from "../helpers/peers.ts";
import { runRecord, serve } from "../helpers/scripts.ts";

interface Start {
  request: Frame;
  peer: ScriptedPeer;
  /** The input as the server stores it. */
  input: string;
}

interface Scenario extends Faulty {
  /** The starts that the server has received, in the order of the client's calls. */
  starts: Start[];
  /** The requests for records of runs, which nothing answers. */
  reads: { runId: string; answer(input: string): void }[];
  /** Publishes that a run of the workflow `noop` has started, to every lane. */
  begin(runId: string): void;
}

/** Starts `noop` with each input, and waits until the server has received all starts. */
async function startAll(
  inputs: unknown[],
): Promise<Scenario & { runs: Promise<string>[]; settled: Set<number> }> {
  const starts: Start[] = [];
  const reads: Scenario["reads"] = [];
  const it = await scripted(
    (peer) =>
      serve(peer, (request) => {
        if (request.method === "workflow.start") {
          const text = (peer.received as string[]).find((each) => each.includes("workflow.start"))!;
          const input = btoa(/"input":(.*)\}\}$/s.exec(text)![1]!);
          starts.push({ request, peer, input });
        } else if (request.method === "workflow.get") {
          const runId = (request.data as { run_id: string }).run_id;
          const answer = (input: string) =>
            peer.answer(request, runRecord("running", { id: runId, input }));
          reads.push({ runId, answer });
        } else return false;
        return true;
      }),
    { random: seededRandom(7) },
  );
  const settled = new Set<number>();
  const runs: Promise<string>[] = [];
  for (const [i, input] of inputs.entries()) {
    const run = it.client.startWorkflow("noop", input).then(({ run_id }) => run_id);
    run.then(() => settled.add(i), () => settled.add(i));
    runs.push(run);
    await eventually(() => starts.length > i);
  }
  return {
    ...it,
    starts,
    reads,
    runs,
    settled,
    begin(runId) {
      const data = { run_id: runId, name: "noop" };
      for (const { peer } of starts) peer.publish("workflow.started", `workflow:${runId}`, data);
    },
    [Symbol.asyncDispose]: it[Symbol.asyncDispose],
  };
}

test("a start never takes the run of another client, even with the same name and input", async () => {
  await using it = await startAll([{ n: 1 }]);
  it.begin("wfrun_foreign");
  await eventually(() => it.reads.length === 1);
  it.reads[0]!.answer(btoa('{"n":1}'));
  await breathe();
  assert.equal(it.settled.size, 0);
  // The other run is known now, so that another event of it is no reason to read it again.
  it.begin("wfrun_foreign");
  it.begin("wfrun_own");
  await eventually(() => it.reads.length === 2);
  assert.equal(it.reads[1]!.runId, "wfrun_own");
  it.reads[1]!.answer(it.starts[0]!.input);
  assert.equal(await within(it.runs[0]!, "the start"), "wfrun_own");
});

test("starts find their runs even if the records arrive in another order", async () => {
  await using it = await startAll([{ n: 1 }, { n: 1 }, { n: 1 }]);
  for (const i of [1, 2, 0]) it.begin(`wfrun_${i}`);
  await eventually(() => it.reads.length === 3);
  for (const i of [0, 2, 1]) {
    const read = it.reads.find(({ runId }) => runId === `wfrun_${i}`)!;
    read.answer(it.starts[i]!.input);
    await eventually(() => it.settled.has(i));
  }
  assert.deepEqual(await Promise.all(it.runs), ["wfrun_0", "wfrun_1", "wfrun_2"]);
});

test("starts whose inputs cannot carry a mark wait for their answers", async () => {
  await using it = await startAll([5, 5, 6]);
  for (const i of [2, 1, 0]) it.begin(`wfrun_${i}`);
  await breathe(10);
  assert.equal(it.settled.size, 0);
  // Nothing in their records could prove whose they are.
  assert.equal(it.reads.length, 0);
  for (const i of [1, 0, 2]) {
    const { peer, request } = it.starts[i]!;
    peer.answer(request, { run_id: `wfrun_${i}`, name: "noop", state: "completed" });
    await eventually(() => it.settled.has(i));
  }
  assert.deepEqual(await Promise.all(it.runs), ["wfrun_0", "wfrun_1", "wfrun_2"]);
});

test("an answer settles its own start, whichever start was sent first", async () => {
  await using it = await startAll([{ n: 1 }, { n: 2 }]);
  for (const i of [1, 0]) {
    const { peer, request } = it.starts[i]!;
    peer.answer(request, { run_id: `wfrun_${i}`, name: "noop", state: "completed" });
    await eventually(() => it.settled.has(i));
    assert.equal(it.settled.size, 2 - i);
  }
  assert.deepEqual(await Promise.all(it.runs), ["wfrun_0", "wfrun_1"]);
});

test("reads the record of a run once, however many lanes report that it began", async () => {
  await using it = await startAll([{ n: 1 }, { n: 2 }]);
  it.begin("wfrun_0");
  it.begin("wfrun_0");
  await eventually(() => it.reads.length > 0);
  it.reads[0]!.answer(it.starts[0]!.input);
  await within(it.runs[0]!, "the first start");
  it.begin("wfrun_1");
  await eventually(() => it.reads.length > 1);
  it.reads.at(-1)!.answer(it.starts[1]!.input);
  await within(it.runs[1]!, "the second start");
  assert.deepEqual(it.reads.map(({ runId }) => runId), ["wfrun_0", "wfrun_1"]);
});
