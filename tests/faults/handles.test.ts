// A handle is the caller's own run, whatever is started at the same time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Dispatch } from "../../mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { workflowServer } from "../helpers/workflow_server.ts";
import { startServer } from "../helpers/server.ts";

const LONG = 'A text that is long enough to carry a mark, with "quotes", \\ and 漢字.';

/** Inputs of every kind, some of which are the same for all starts. */
const INPUTS: ((n: number) => unknown)[] = [
  () => undefined,
  () => null,
  () => 5,
  (n) => n,
  () => true,
  () => "x",
  (n) => `short ${n}`,
  () => LONG,
  (n) => `${LONG} ${n}`,
  () => ({}),
  (n) => ({ n }),
  () => ({ n: "same" }),
  () => [],
  (n) => [n],
  () => ["same"],
];

/** Workflows that take any input. */
const NAMES = ["parallel", "failing", "process-item"];

/** Each input with each name several times; more if no run was seen running, as on a busy machine. */
const STARTS = 800;
const MOST = 8 * STARTS;

test(
  "each of 800 or more starts of four clients gets its own run",
  { timeout: 120_000 },
  async () => {
    await using server = await startServer();
    const connect = () => Dispatch.connect({ url: server.url, token: "demo-token", timeout: 0 });
    const clients = await Promise.all([connect(), connect(), connect(), connect()]);
    const ids = new Set<string>();
    let next = 0;
    let early = 0;
    const work = async (client: Dispatch) => {
      while (next < STARTS || (early === 0 && next < MOST)) {
        const n = next++;
        const input = INPUTS[n % INPUTS.length]!(n);
        const name = NAMES[n % 7 % NAMES.length]!;
        const run = await client.startWorkflow(name, input);
        if (run.state === "running") early++;
        const record = await run.get();
        assert.equal(run.name, name);
        assert.equal(record.name, name);
        assert.deepEqual(record.input, input === undefined ? {} : input);
        assert(!ids.has(run.run_id), `${run.run_id} was given to two starts`);
        ids.add(run.run_id);
      }
    };
    await Promise.all(clients.flatMap((client) => Array.from({ length: 8 }, () => work(client))));
    assert.equal(ids.size, next);
    assert(early > 0, "some runs are known while they run");
    await Promise.all(clients.map((client) => client.close()));
  },
);

test("a start without input never gets the run of a start with another name", async () => {
  await using server = await startServer();
  await using client = await Dispatch.connect({ url: server.url, token: "demo-token" });
  for (let i = 0; i < 20; i++) {
    const [first, second] = await Promise.all([
      client.startWorkflow("parallel"),
      client.startWorkflow("order-payment"),
    ]);
    assert.deepEqual([first.name, second.name], ["parallel", "order-payment"]);
    assert.equal((await first.get()).name, "parallel");
    assert.equal((await second.get()).name, "order-payment");
  }
});

test("a start whose input cannot be marked never gets another client's run", async () => {
  await using it = await workflowServer();
  const starting = it.client.startWorkflow("noop", "x");
  const marked = it.client.startWorkflow("noop", {});
  let settled = 0;
  void Promise.allSettled([starting.then(() => settled++), marked.then(() => settled++)]);
  await eventually(() => it.runs.length === 2);
  const own = it.runs.find(({ input }) => input === '"x"')!;
  const other = { ...own, id: "wfrun_other" };
  it.runs.push(other);
  it.publish(other);
  it.publish(own);
  it.publish(it.runs.find(({ input }) => input.startsWith("{"))!);
  await within(marked, "the marked start");
  assert.equal(settled, 1);
  own.end();
  assert.equal((await within(starting, "the start")).run_id, own.id);
});

test("two clients with the same fixed `random` do not mistake each other's runs", async () => {
  await using server = await startServer();
  const random = () => 0.5;
  const connect = () => Dispatch.connect({ url: server.url, token: "demo-token", random });
  const clients = await Promise.all([connect(), connect()]);
  const runs = await Promise.all(
    clients.flatMap((client) => Array.from({ length: 20 }, () => client.startWorkflow("parallel"))),
  );
  assert.equal(new Set(runs.map(({ run_id }) => run_id)).size, 40);
  await Promise.all(clients.map((client) => client.close()));
});

test("a run whose name differs from the start's is not its run, even with the same input", async () => {
  await using it = await workflowServer();
  const starting = it.client.startWorkflow("noop", {});
  let settled = false;
  void starting.finally(() => settled = true);
  await eventually(() => it.runs.length === 1);
  const [own] = it.runs;
  const renamed = { ...own!, id: "wfrun_other", name: "other" };
  it.runs.push(renamed);
  it.publish({ ...renamed, name: "noop" });
  await breathe(10);
  assert.equal(settled, false);
  it.publish(own!);
  assert.equal((await within(starting, "the start")).run_id, own!.id);
});
