// Runs are recorded from an embedded server, and their recipes run on it and, in virtual time, on
// another one.
import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import {
  createVirtualClock,
  type DevServer,
  type DevServerOptions,
  referenceWorkload,
  type VirtualClock,
} from "../../dev/mod.ts";
import { loadWorkload } from "../../dev/load_workload.ts";
import { createScriptedServer } from "../../testing/mod.ts";
import { systemClock } from "../../runtime/clock.ts";
import { nextTurn } from "../../runtime/real_timers.ts";
import { connected } from "../helpers/server.ts";
import { type CliOptions, runnerCli } from "./_cli.ts";
import { runRecipe, withFiles } from "./_recipe.ts";

const MOD = pathToFileURL(join(process.cwd(), "dev/mod.ts")).href;

/** Starts a server, whose time is virtual unless `clock` is undefined. */
async function serve(options: DevServerOptions = {}) {
  const clock = createVirtualClock();
  const it = await connected({}, { clock, ...options });
  const server = ["--url", it.server.url, "--token", "demo-token"];
  const record = (args: readonly string[], more: CliOptions = {}) =>
    runnerCli(["record", ...args, ...server], { clock: systemClock, ...more });
  return {
    ...it,
    clock,
    record,
    /** Starts a workflow and waits for its end. */
    async run(name: string, input: unknown, events: readonly [string, unknown][] = []) {
      const run = await it.client.startWorkflow(name, input);
      for (const [event, payload] of events) await it.client.publishEvent(event, payload);
      await run.wait().catch(() => {});
      return run.run_id;
    },
    /** Runs a recipe on this server. */
    replay: (text: string, more: CliOptions = {}) =>
      runRecipe(text, server, { clock: systemClock, ...more }),
    [Symbol.asyncDispose]: () => it[Symbol.asyncDispose](),
  };
}

/** Advances the clock of a server while a run is there that has not ended. */
async function passTime<T>(
  clock: VirtualClock,
  { store }: DevServer,
  work: Promise<T>,
): Promise<T> {
  let isDone = false;
  const done = () => void (isDone = true);
  work.then(done, done);
  while (!isDone) {
    // Otherwise time would run out for a client that is still connecting.
    if (store.runs().some(({ state }) => state === "running")) await clock.advance("1s");
    else await new Promise<void>(nextTurn);
  }
  return await work;
}

/** Runs a recipe on another embedded server, in virtual time. */
function atHome(text: string, args: readonly string[] = [], more: CliOptions = {}) {
  return runRecipe(text, ["--clock", "virtual", ...args], { clock: systemClock, ...more });
}

const PAYMENT: [string, unknown] = ["payment-received", { order_id: "ORD-7", amount: 12.5 }];

/** A run of each workflow of the reference workload, and failures. */
const REFERENCE: [name: string, input: unknown, events?: [string, unknown][]][] = [
  ["order-pipeline", { order_id: "ORD-7", items: ["a", "yes", "0012"] }],
  ["order-pipeline", { order_id: "" }],
  ["order-pipeline", "not an order"],
  ["order-payment", { order_id: "ORD-7" }, [PAYMENT]],
  ["order-payment", { order_id: "late" }],
  ["failing", null],
  ["sleeper", { ms: 86_400_000 }],
  ["parallel", null],
  ["process-item", { item_id: "i" }],
  ["batch-process", { item_ids: ["a", "b"] }],
];

test("there is a recorded run of each reference workflow", () => {
  const names = new Set(REFERENCE.map(([name]) => name));
  assert.deepEqual(
    referenceWorkload().workflows!.map(({ name }) => name).filter((name) => !names.has(name)),
    [],
  );
});

for (const [name, input, events = []] of REFERENCE) {
  const title = `${name} ${JSON.stringify(input)}`;
  test(`the recipe of ${title} passes where it was recorded, and at home`, async () => {
    const clock = createVirtualClock();
    await using it = await serve({ clock });
    // The clock skips a sleep by itself, but never to the end of a wait for an event.
    const late = name === "order-payment" && events.length === 0;
    const running = it.run(name, input, events);
    const { code, out, err } = await it.record([
      await (late ? passTime(clock, it.server, running) : running),
    ]);
    assert.equal(code, 0, err);
    const replaying = it.replay(out);
    const replayed = await (late ? passTime(clock, it.server, replaying) : replaying);
    assert.equal(replayed.code, 0, out + replayed.out + replayed.err);
    const home = await atHome(out);
    assert.equal(home.code, 0, out + home.out + home.err);
    assert.doesNotMatch(home.err, /warning/);
  });
}

test("a recipe has the input, the event, the wait for it, and the end", async () => {
  await using it = await serve({ clock: undefined });
  const id = await it.run("order-payment", { order_id: "ORD-7" }, [PAYMENT]);
  const { out, err } = await it.record([id]);
  assert.equal(err, "");
  const [head, recorded, ...lines] = out.split("\n");
  assert.ok(head!.startsWith(`# Run ${id} of order-payment on ${it.server.url}, which completed`));
  assert.match(recorded!, /^# Recorded at \d{4}-\d\d-\d\dT/);
  assert.deepEqual(lines.slice(1).filter((line) => line !== "").join("\n").split("\n"), [
    "name: order-payment as recorded",
    "timeout: 3m",
    "steps:",
    "  - id: run",
    "    start: order-payment",
    "    input:",
    "      order_id: ORD-7",
    "  - wait: run",
    "    until_step: reserve",
    "    within: 30s",
    "  - publish: payment-received",
    "    payload:",
    "      order_id: ORD-7",
    "      amount: 12.5",
    "  - wait: run",
    "    until_step: wait:payment-received",
    "    within: 30s",
    "  - wait: run",
    "    until: completed",
    "    within: 30s",
    "  - expect:",
    "      run.state: completed",
    "      run.steps.map(s, s.step_name):",
    "        - reserve",
    "        - wait:payment-received",
    "        - ship",
  ]);
});

test("the recipe of a failed run fails when the run ends in another way", async () => {
  await using it = await serve();
  const { out } = await it.record([await it.run("failing", null)]);
  assert.match(out, /until: failed/);
  const other = await atHome(out.replace("start: failing", "start: parallel"));
  assert.equal(other.code, 1, other.out);
  const message = await atHome(out.replace("exploded", "imploded"));
  assert.equal(message.code, 1, message.out);
});

test("what is masked in a result or an error is not expected, and the rest of it is", async () => {
  await withShop(async (it, dev) => {
    const id = await it.run("echo", { token: "my demo-token here" });
    const { out, err } = await it.record([id]);
    assert.match(out, /token: my \*\*\* here\n/);
    assert.match(out, /run\.error:\n {8}matches: \^refused my \.\* here\$\n/);
    assert.match(err, /note: The result of same has something that is masked, so it is not/);
    assert.match(err, /note: The token was in a place or an encoding for which/);
    const home = await atHome(out, dev);
    assert.equal(home.code, 0, out + home.out + home.err);
  });
});

test("a record without times, and other data than that of a real server, is recorded", async () => {
  const run = { id: "wfrun_x", name: "n", state: "failed", input: btoa("<xml>"), error: "e" };
  const timeline = [
    { step_name: "wait:e" },
    { step_name: "sleep:s" },
    { step_name: "spawn:x", data: 5 },
  ];
  await using server = await createScriptedServer(async (peer) => {
    peer.answer(await peer.next(), run);
    peer.answer(await peer.next(), timeline);
    await peer.next();
  });
  const url = ["--url", server.url, "--token", "t"];
  const { code, out, err } = await runnerCli(["record", "wfrun_x", ...url], { clock: systemClock });
  assert.equal(code, 0, err);
  assert.match(err, /note: The input is not JSON, so it is not recorded\./);
  assert.match(out, /until_step: sleep:s\n {4}within: 30s\n/);
});

test("several runs become one recipe, one after the other", async () => {
  await using it = await serve();
  const ids = [await it.run("failing", null), await it.run("sleeper", { ms: 5000 })];
  const { code, out } = await it.record(ids);
  assert.equal(code, 0);
  assert.match(out, /id: run_1[\s\S]*run_1\.state: failed[\s\S]*id: run_2[\s\S]*run_2\.state/);
  const home = await atHome(out);
  assert.equal(home.code, 0, home.out + home.err);
});

const SHOP = `import { defineWorkflow } from ${JSON.stringify(MOD)};
export const all = defineWorkflow("all", async (wf) => {
  const events = await wf.waitForAll(["a", "b"], "1m");
  const any = await wf.waitForAny(["c", "d"], "1m");
  return { events: events.map(({ payload }) => payload), any: any.name };
});
export const family = defineWorkflow("family", async (wf, input) => {
  const made = await wf.step("make", () => ({ id: crypto.randomUUID() }));
  const sum = await wf.step("sum", () => ({ lt: input.n + 0.5 }));
  const child = await wf.runChild("child", 1);
  const many = await wf.fanOut("child", [1, 2, 3]);
  await wf.spawnChild("waiting", null);
  return { sum, child, many, made };
});
export const child = defineWorkflow("child", async (wf, n) => {
  await wf.sleep("a moment", n * 100);
  return n;
});
export const waiting = defineWorkflow("waiting", async (wf) => {
  const event = await wf.waitForEvent("for the child", "1h");
  if (event === undefined) throw new Error("nothing came");
});
export const journey = defineWorkflow("journey", async (wf) => {
  await wf.runChild("night", {});
  const paid = await wf.waitForEvent("arrived", "10s");
  if (!paid) throw new Error("nothing came");
});
export const night = defineWorkflow("night", async (wf) => { await wf.sleep("sleep", "24h"); });
export const echo = defineWorkflow("echo", async (wf, input) => {
  await wf.step("same", () => input);
  throw new Error("refused " + (input.token ?? "nothing"));
});
export const early = defineWorkflow("early", async (wf) => {
  await wf.sleep("an hour", "1h");
  if (!await wf.waitForEvent("cancel", "1ms")) throw new Error("nobody cancelled it");
});
export const half = defineWorkflow("half", async (wf) => {
  await wf.parallel("group", [
    ({ sleep }) => sleep(10),
    async ({ sleep }) => { await sleep(20); throw new Error("one of them failed"); },
    ({ sleep }) => sleep(1000),
  ]);
});
export const refusing = defineWorkflow("refusing", async (wf) => {
  await wf.step('a "quoted" $' + '{{ name }}', () => null);
  await wf.fanOut("picky", [1, 2, 3]);
});
export const picky = defineWorkflow("picky", async (wf, n) => {
  await wf.sleep("a moment", n * 10);
  if (n === 2) throw new Error("not " + n);
});
export const unstable = defineWorkflow("unstable", async (wf) => {
  throw new Error("request " + crypto.randomUUID() + " (" + wf.run_id + ") failed");
});
`;

/** Serves the workflows above, and runs recipes with them at home. */
async function withShop(
  use: (it: Awaited<ReturnType<typeof serve>>, dev: string[]) => Promise<void>,
  options: DevServerOptions = {},
): Promise<void> {
  await withFiles({ "shop.ts": SHOP }, async (directory) => {
    const file = join(directory, "shop.ts");
    const quirks = { "outputs-lost": false, "gob-results": false };
    await using it = await serve({ ...await loadWorkload(file), quirks, ...options });
    await use(it, ["--dev", file]);
  });
}

test("waits for several events are recorded with all their payloads", async () => {
  await withShop(async (it, dev) => {
    const events: [string, unknown][] = [["a", { n: 1 }], ["b", [true, null]], ["d", "text"]];
    const { out, err } = await it.record([await it.run("all", {}, events)]);
    assert.equal(err, "");
    assert.match(out, /publish: a\n {4}payload:\n {6}"n": 1\n/);
    assert.match(out, /publish: d\n {4}payload: text\n/);
    assert.match(out, /"waitany:c,d"\)\[0\]\.data\.name'?: d\n/);
    const replayed = await it.replay(out);
    assert.equal(replayed.code, 0, out + replayed.out + replayed.err);
    const without = out.replace(/ {6}run\.output:[\s\S]*?(?= {6}run\.steps)/, "");
    const home = await atHome(without, dev);
    assert.equal(home.code, 0, without + home.out + home.err);
  }, { clock: undefined });
});

test("children, results and outputs are recorded, except what changes in each run", async () => {
  await withShop(async (it) => {
    const { out, err } = await it.record([await it.run("family", { n: 2 })]);
    assert.match(out, /# The output has ids or times, so it is not expected\./);
    assert.match(out, /# The result of make has ids or times, so it is not expected\./);
    assert.match(err, /note: The timeline does not say which run child:child was/);
    assert.match(out, /"sum"\)\[0\]\.data'?:\n {8}equals:\n {10}lt: 2\.5\n/);
    const spawned = /where: event\.type == "workflow\.failed" && event\.data\.name == "waiting"/;
    assert.ok(spawned.test(out) || /The spawned run wfrun_\w+ had not ended/.test(err), out + err);
    const replayed = await it.replay(out);
    assert.equal(replayed.code, 0, out + replayed.out + replayed.err);
  });
});

test("an error with ids is expected by its other parts", async () => {
  await withShop(async (it, dev) => {
    const { out } = await it.record([await it.run("unstable", {})]);
    assert.match(out, /matches: \^request \\S\+ \\\(\\S\+\\\) failed\$/);
    const home = await atHome(out, dev);
    assert.equal(home.code, 0, out + home.out + home.err);
  });
});

test("--secret writes an expression for the secret, and masks it where there can be none", async () => {
  const secret = "s3cret-Value";
  const env = { API_KEY: secret, OTHER: "never seen" };
  const encoded = btoa(JSON.stringify({ key: secret }));
  await withShop(async (it, dev) => {
    const input = {
      token: secret,
      header: `Bearer $${secret}, ${"${{ 1 }}"}`,
      encoded,
      [secret]: 1,
    };
    const id = await it.run("echo", input);
    const args = [id, "--secret", "API_KEY", "--secret", "OTHER"];
    const { code, out, err } = await it.record(args, { env });
    assert.equal(code, 0, err);
    assert.ok(!(out + err).includes(secret) && !out.includes(encoded), out + err);
    assert.match(out, /^secrets:\n {2}- API_KEY\n/m);
    assert.match(out, /token: \$\{\{ secrets\.API_KEY \}\}\n/);
    assert.match(out, /\*\*\*: 1\n|"\*\*\*": 1\n/);
    assert.match(out, /run\.error: refused \$\{\{ secrets\.API_KEY \}\}\n/);
    assert.match(err, /note: A secret or the token was in a place or an encoding/);
    assert.match(err, /note: The secret OTHER does not occur in what was recorded\./);
    const home = await atHome(out, dev, { env });
    assert.equal(home.code, 0, out + home.out + home.err);
    const again = it.client.startWorkflow("echo", { header: `Bearer $${secret}, ${"${{ 1 }}"}` });
    const other = await it.record([(await again).run_id, "--secret", "API_KEY"], { env });
    const replayed = await it.replay(other.out, { env });
    assert.equal(replayed.code, 0, other.out + replayed.out + replayed.err);
    const header = it.server.store.runs().map((run) => (run.input as typeof input).header);
    assert.equal(new Set(header).size, 1, header.join("\n"));
  });
});

test("hostile text stays what it is, and controls neither a terminal nor a CI system", async () => {
  const texts = {
    controls: "\x1b[31mred\x07\u202e\u200b\ud800",
    lines: "a\n::error::b\n##[group]c\n---\n- x: y",
    words: ["yes", "0012", "12:30", "1e3", "~", "null", "", " ", "# c", "*a", "“q”"],
    numbers: [0, -0, 1e21, 1e-7, 2 ** 53 - 1, -1.5],
    "::warning::": "${{ secrets.X }} $${{ x",
    ["k".repeat(1500)]: 1,
    "line\nkey": JSON.parse('{"__proto__": {"": 1}, "<<": 2, "? ": 3}'),
    nested: { __proto: { "a: b": [[[]]] } },
  };
  await withShop(async (it) => {
    const { code, out, err } = await it.record([await it.run("echo", texts)]);
    assert.equal(code, 0, err);
    // deno-lint-ignore no-control-regex -- The pattern is about control characters.
    assert.doesNotMatch(out, /[\x00-\x09\x0b-\x1f\x7f\u202e\u200b]|^\s*::|##\[/m);
    const replayed = await it.replay(out);
    assert.equal(replayed.code, 0, out + replayed.out + replayed.err);
    const [first, second] = it.server.store.runs().map(({ input }) => JSON.stringify(input));
    assert.equal(first, second);
  });
});

test("--dev starts a workflow of a file and records its run, in virtual time too", async () => {
  await withFiles({ "shop.ts": SHOP }, async (directory) => {
    const dev = ["--dev", join(directory, "shop.ts"), "--clock", "virtual"];
    const events = ['a={"n": 1}', "b", "c=[2]"].flatMap((event) => ["--publish", event]);
    const all = ["record", "all", "{}", ...events, ...dev];
    const { code, out, err } = await runnerCli(all, { clock: systemClock });
    assert.deepEqual([code, err], [0, ""]);
    assert.ok(out.includes(` on the embedded server with ${dev[1]}, which completed at `), out);
    assert.match(out, /publish: a\n {4}payload:\n {6}"n": 1\n[\s\S]*publish: b\n\n/);
    const home = await atHome(out, dev.slice(0, 2));
    assert.equal(home.code, 0, out + home.out + home.err);
    const failed = await runnerCli(["record", "waiting", ...dev], { clock: systemClock });
    assert.equal(failed.code, 0, failed.err);
    assert.match(failed.out, /# No event came within 1 h\./);
    assert.match(failed.out, /run\.error: nothing came\n/);
    const late = await atHome(failed.out, dev.slice(0, 2));
    assert.equal(late.code, 0, failed.out + late.out + late.err);
  });
});

test("a wait for an event begins when the child before it has ended", async () => {
  await withFiles({ "shop.ts": SHOP }, async (directory) => {
    const dev = ["--dev", join(directory, "shop.ts")];
    const options = ["--publish", "arrived", "--clock", "virtual"];
    const { code, out, err } = await runnerCli(["record", "journey", "{}", ...dev, ...options], {
      clock: systemClock,
    });
    assert.equal(code, 0, err);
    assert.match(out, /publish: arrived\n\n {2}- wait: run\n.*wait:arrived\n {4}within: 49h\n/);
    const home = await atHome(out, dev);
    assert.equal(home.code, 0, out + home.out + home.err);
  });
});

test("the end of a spawned run is recorded, and the events that it took", async () => {
  await withFiles({ "shop.ts": SHOP }, async (directory) => {
    const dev = ["--dev", join(directory, "shop.ts"), "--clock", "virtual"];
    const family = ["record", "family", '{"n": 1}', ...dev];
    const failed = await runnerCli(family, { clock: systemClock });
    assert.match(failed.out, /where: event\.type == "workflow\.failed" && .*"waiting"/);
    const paid = await runnerCli([...family, "--publish", "for the child=[7]"], {
      clock: systemClock,
    });
    assert.match(paid.out, /until_step: spawn:waiting\n[^-]*- publish: for the child\n/);
    assert.match(paid.out, /where: event\.type == "workflow\.completed" && .*"waiting"/);
    for (const { out } of [failed, paid]) {
      const home = await atHome(out, dev.slice(0, 2));
      assert.equal(home.code, 0, out + home.out + home.err);
    }
  });
});

test("an event that came before the run asked for it is published before", async () => {
  await withFiles({ "shop.ts": SHOP }, async (directory) => {
    const dev = ["--dev", join(directory, "shop.ts"), "--clock", "virtual"];
    const args = ["record", "early", "--publish", "cancel", ...dev];
    const { out } = await runnerCli(args, { clock: systemClock });
    assert.match(out, /publish: cancel\n[\s\S]*until_step: sleep:an hour\n[\s\S]*until: completed/);
    const home = await atHome(out, dev.slice(0, 2));
    assert.equal(home.code, 0, out + home.out + home.err);
  });
  await using it = await serve();
  await it.client.publishEvent(...PAYMENT);
  await it.clock.advance("1s");
  const { out } = await it.record([await it.run("order-payment", { order_id: "ORD-7" })]);
  assert.match(out, /steps:\n {2}- publish: payment-received\n[\s\S]*start: order-payment/);
  const replayed = await it.replay(out);
  assert.equal(replayed.code, 0, out + replayed.out + replayed.err);
});

test("a group of which one part failed is recorded without the other parts", async () => {
  await withFiles({ "shop.ts": SHOP }, async (directory) => {
    const dev = ["--dev", join(directory, "shop.ts"), "--clock", "virtual"];
    for (const [name, group] of [["half", "parallel:group"], ["refusing", "child:picky"]]) {
      const { code, out, err } = await runnerCli(["record", name!, ...dev], { clock: systemClock });
      assert.equal(code, 0, err);
      assert.ok(err.includes(`note: Which steps of ${group} completed before one failed`), err);
      assert.match(out, /run\.error: .*(?:one of them failed|not 2)/);
      const home = await atHome(out, dev.slice(0, 2));
      assert.equal(home.code, 0, out + home.out + home.err);
    }
  });
});

test("--dev refuses unknown workflows, runs and events that are not JSON", async () => {
  await withFiles({ "shop.ts": SHOP }, async (directory) => {
    const dev = ["--dev", join(directory, "shop.ts")];
    const wrong: [string[], RegExp][] = [
      [["ecko"], /^error: .*shop\.ts` has no workflow `ecko`; did you mean `echo`\?/],
      [["wfrun_01h455vb4pex5vsknk084sn02q"], /^error: With --dev, record starts a run itself/],
      [[], /^error: record needs NAME/],
      [["echo", "{"], /^error: Cannot read JSON/],
      [["echo", "--publish", "a={"], /^error: Cannot read JSON/],
      [["echo", "--publish", "=1"], /^error: --publish takes NAME or NAME=JSON/],
      [["echo", "--url", "ws://127.0.0.1:1/dwp"], /^error: --dev runs a server inside/],
    ];
    for (const [args, message] of wrong) {
      const result = await runnerCli(["record", ...args, ...dev], { clock: systemClock });
      assert.deepEqual([result.code, result.out], [2, ""], args.join(" "));
      assert.match(result.err, message);
    }
  });
});

test("a run that has not ended is refused, and nothing is printed", async () => {
  await using it = await serve({ clock: undefined });
  const { run_id } = await it.client.startWorkflow("sleeper", { ms: 60_000 });
  const ended = await it.run("failing", null);
  const { code, out, err } = await it.record([ended, run_id]);
  assert.deepEqual([code, out], [3, ""]);
  assert.equal(
    err,
    `error: Cannot record ${run_id}: it has not ended\nWait for it: dispatch wait ${run_id}\n`,
  );
});

test("a wrong command line is an error, and nothing is sent", async () => {
  const url = ["--url", "ws://127.0.0.1:1/dwp"];
  const run = "wfrun_01h455vb4pex5vsknk084sn02q";
  const wrong: [string[], RegExp][] = [
    [[], /^error: record needs RUN/],
    [["job_01h455vb4pex5vsknk084sn02q"], /^error: record takes the ids of workflow runs/],
    [["order"], /^error: 'order' is the id of neither/],
    [[run, "--secret", "NOPE"], /^error: --secret NOPE: the environment variable is not set/],
    [[run, "--secret", "SHORT"], /^error: --secret SHORT: the value is too short/],
    [[run, "--publish", "a"], /^error: --publish needs --dev/],
    [[run, "--clock", "virtual"], /^error: --clock virtual needs a server inside the runner/],
    [[run, "--secret", "A-B"], /^error: --secret takes the name of an environment variable/],
  ];
  for (const [args, message] of wrong) {
    const result = await runnerCli(["record", ...args, ...url], { env: { SHORT: "ab" } });
    assert.deepEqual([result.code, result.out], [2, ""], args.join(" "));
    assert.match(result.err, message);
  }
  const none = await runnerCli(["record", run]);
  assert.deepEqual([none.code, none.out], [2, ""]);
  await using it = await serve();
  const unknown = await it.record([run]);
  assert.deepEqual([unknown.code, unknown.out], [1, ""]);
});
