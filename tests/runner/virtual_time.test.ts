import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { RecipeEvent } from "../../runner/mod.ts";
import { listDirectory } from "../../runtime/file.ts";
import { systemClock } from "../../runtime/mod.ts";
import { runnerCli } from "./_cli.ts";
import { ends, type RecipeResult, runRecipe, withFiles } from "./_recipe.ts";
import { scriptModule } from "./_script.ts";

const DEV = pathToFileURL(join(process.cwd(), "dev/mod.ts")).href;
const DAY = 86_400_000;

/** Jobs and workflows that wait for days, or do something that takes real time. */
const WORKLOAD = `import { defineCron, defineJob, defineWorkflow } from ${JSON.stringify(DEV)};
const real = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const report = defineJob("report", () => {});
export const slow = defineJob("slow", { maxRetries: 0 }, () => real(20));
export const monthly = defineCron("monthly", { schedule: "@every 720h", job: "report" });
export const reminder = defineWorkflow("reminder", async (wf) => {
  await wf.sleep("a day", "24h");
  await wf.step("remind", () => {});
});
export const order = defineWorkflow("order", async (wf) => {
  await wf.step("reserve", () => real(20));
  await real(20);
  if (!await wf.waitForEvent("paid", "5m")) throw new Error("payment timed out");
  await wf.step("ship", () => {});
});
`;

/** Runs a recipe against the workload, in virtual time. The runner's own clock is the machine's. */
function runVirtual(
  text: string,
  args: readonly string[] = [],
  files: Record<string, string> = {},
): Promise<RecipeResult> {
  return withFiles({ "jobs.ts": WORKLOAD, ...files }, (directory) => {
    const dev = ["--dev", join(directory, "jobs.ts"), "--clock", "virtual"];
    return runRecipe(text, [...dev, ...args], { clock: systemClock });
  });
}

/** Runs a recipe in TypeScript against the workload, in virtual time. */
function runVirtualScript(body: string): Promise<RecipeResult> {
  const made = `recipe("Script", async (t) => {\n${body}\n})`;
  const files = { "jobs.ts": WORKLOAD, "r.recipe.ts": scriptModule(made) };
  return withFiles(files, async (directory) => {
    const args = ["--dev", join(directory, "jobs.ts"), "--clock", "virtual"];
    const file = join(directory, "r.recipe.ts");
    const result = await runnerCli([file, "--reporter", "jsonl", ...args], { clock: systemClock });
    return { ...result, events: eventsOf(result.out) };
  });
}

function eventsOf(out: string): RecipeEvent[] {
  return out.split("\n").filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as RecipeEvent);
}

/** The time that a run took, in milliseconds of virtual time. */
function duration({ events }: RecipeResult): number {
  return events.find((event) => event.type === "run.finished")!.duration_ms;
}

test("a recipe over 31 days passes: a sleep, a payment that does not come, and a cron entry", async () => {
  const result = await runVirtual(`steps:
  - id: reminder
    start: reminder
  - wait: reminder
    within: 25h
  - id: order
    start: order
  - advance: 5m
  - id: read
    get: order
  - assert: read.state == "failed" && read.error == "payment timed out"
  - wait: { channel: jobs, where: event.type == "job.completed" }
    within: 31d
`);
  assert.equal(result.code, 0, result.out + result.err);
  const [, reminder, , advance, , , cron] = ends(result.events);
  assert.ok(Math.abs(reminder!.duration_ms - DAY) < 1_000);
  assert.ok(Math.abs(advance!.duration_ms - 300_000) < 1_000);
  assert.ok(Math.abs(cron!.duration_ms - 29 * DAY) < 600_000);
});

/** What a reader sees of a run, apart from times and ids. Progress depends on when states are read. */
function course(events: readonly RecipeEvent[]): unknown[] {
  return events.filter(({ type }) => type !== "step.progress").map((event) => {
    const { type, case: number, step, attempt, status, attempts, detail, failure, observed } =
      event as RecipeEvent & Record<string, unknown>;
    const withoutId = (text: unknown) => String(text).replaceAll(/_[0-9a-z]{26}/g, "");
    return {
      ...{ type, number, step, attempt, status, attempts },
      detail: withoutId(detail),
      failure: withoutId((failure as { message: string } | undefined)?.message),
      steps: (observed as { timeline: { step_name: string }[] } | undefined)?.timeline
        .map(({ step_name }) => step_name),
    };
  });
}

/** The recipes of the project: those to copy, and those of the docs. */
async function projectRecipes(): Promise<{ name: string; text: string }[]> {
  const files = (await listDirectory("recipes")).filter((name) => name.endsWith(".yaml"));
  const read = (name: string) => readFile(`recipes/${name}`, "utf8");
  const copied = await Promise.all(
    files.map(async (name) => ({ name, text: await read(name) })),
  );
  const page = await readFile("docs/recipes.md", "utf8");
  const shown = [...page.matchAll(/<!-- (?:runs|exit: \d) -->\n+```yaml\n([^]*?)```\n/g)];
  return [...copied, ...shown.map(([, text], i) => ({ name: `example ${i}`, text: text! }))]
    .filter(({ text }) => !text.includes("use: "));
}

test("each recipe of the project ends alike in real and in virtual time, with the same events", async () => {
  const recipes = await projectRecipes();
  assert.ok(recipes.length > 8);
  for (const { name, text } of recipes) {
    const real = await runRecipe(text);
    const virtual = await runRecipe(text, ["--clock", "virtual"], { clock: systemClock });
    assert.equal(virtual.code, real.code, name);
    assert.deepEqual(course(virtual.events), course(real.events), name);
  }
});

test("a failing wait ends at its deadline, with the same failure as in real time", async () => {
  const text = `steps:
  - id: order
    start: order-payment
    input: { order_id: ORD-7 }
  - wait: order
    within: 3s
`;
  const real = await runRecipe(text);
  const virtual = await runRecipe(text, ["--clock", "virtual"], { clock: systemClock });
  assert.equal(virtual.code, 1);
  assert.deepEqual(course(virtual.events), course(real.events));
  assert.equal(ends(virtual.events)[1]!.duration_ms, 3_000);
});

test("`timeout` is virtual time, but what `advance` skips does not count for it", async () => {
  const text = (step: string) => `timeout: 10m\nsteps:\n  - ${step}\n  - assert: true\n`;
  assert.equal((await runVirtual(text("advance: 30d"))).code, 0);
  const { code, events } = await runVirtual(text("sleep: 11m"));
  assert.equal(code, 1);
  const [sleep] = ends(events);
  assert.match(sleep!.failure!.message, /^not done when the recipe's time was over, after 10 m$/);
});

test("what `advance` skips in `always` takes no time from used recipes, nor from those around", async () => {
  const virtual = (text: string, inner: string) =>
    runRecipe(text, ["--clock", "virtual"], {
      clock: systemClock,
      files: { "inner.yaml": inner },
    });
  const outer = await virtual(
    "steps:\n  - assert: true\nalways:\n  - advance: 1h\n  - use: inner.yaml\n",
    "steps:\n  - sleep: 1s\nalways:\n  - sleep: 1s\n",
  );
  assert.deepEqual(ends(outer.events).map(({ status }) => status), Array(5).fill("passed"));
  const inner = await virtual(
    "timeout: 1m\nsteps:\n  - use: inner.yaml\n    within: 30s\n  - stats:\n  - assert: true\n",
    "steps:\n  - assert: true\nalways:\n  - advance: 1h\n  - sleep: 1s\n",
  );
  assert.equal(inner.code, 0, inner.out);
  // The recipe has failed, so that both clean up in the same ten seconds.
  const stopped = await virtual(
    "timeout: 2s\nsteps:\n  - use: inner.yaml\nalways:\n  - sleep: 5s\n",
    "steps:\n  - sleep: 3s\nalways:\n  - advance: 1h\n",
  );
  assert.equal(ends(stopped.events).at(-1)!.status, "passed");
});

test("`within` of a step beside an `advance` goes on", async () => {
  const { events } = await runVirtual(`steps:
  - id: order
    start: order
  - parallel:
      - advance: 1h
      - wait: order
        within: 30s
`);
  const failed = ends(events).find(({ step }) => step === "2.2")!;
  assert.match(failed.failure!.message, /is still running after 30\.0 s/);
});

test("time does not run away while handlers and recipes do something real", async () => {
  const result = await runVirtualScript(`
    const real = () => new Promise((resolve) => setTimeout(resolve, 20));
    const slow = await t.enqueue("slow");
    await real();
    const order = await t.start("order");
    await real();
    await t.publish("paid");
    await t.wait(order);
    await t.wait(slow);
    const other = await t.start("order");
    const waiting = t.wait(other);
    await real();
    await t.publish("paid");
    await waiting;
    t.always(async () => {
      await real();
      t.log((await order.refresh()).state);
    });`);
  assert.equal(result.code, 0, result.out + result.err);
  assert.ok(duration(result) < 10_000, `${duration(result)} ms`);
  assert.ok(duration(result) > 20, `${duration(result)} ms`);
});

test("a job that hangs is stopped by its timeout, which runs in real time then", async () => {
  const jobs = `import { defineJob } from ${JSON.stringify(DEV)};
    const options = { timeout: "30ms", maxRetries: 0 };
    export const hangs = defineJob("hangs", options, (_, { signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))));`;
  await withFiles({ "jobs.ts": jobs }, async (directory) => {
    const text = "steps:\n  - id: job\n    enqueue: hangs\n  - wait: job\n    until: failed\n";
    const args = ["--dev", join(directory, "jobs.ts"), "--clock", "virtual"];
    const { code, out, err } = await runRecipe(text, args, { clock: systemClock });
    assert.equal(code, 0, out + err);
  });
});

test("`t.advance` and waits of `t.client` let time pass", async () => {
  const result = await runVirtualScript(`
    const order = await t.start("order");
    await t.advance("5m");
    t.assert((await order.refresh()).state === "failed");
    const run = await t.client.startWorkflow("reminder", {});
    await run.wait({ timeout: 0 });
    for await (const event of (await t.client.startWorkflow("reminder", {})).events()) t.log(event);
    `);
  assert.equal(result.code, 0, result.out + result.err);
  assert.ok(duration(result) > 2 * DAY);
});

test("`advance` is an error in real time, before anything is sent", async () => {
  const { code, out, err } = await runRecipe("steps:\n  - stats:\n  - advance: 5m\n", ["-v"]);
  assert.equal(code, 2);
  assert.equal(out, "");
  assert.match(err, /^error: `advance` needs virtual time$/m);
  assert.match(err, /r\.yaml:3:5$/m);
  assert.doesNotMatch(err, /#1 →/);
  const check = async (...args: string[]) => {
    return await withFiles(
      { "r.yaml": "steps:\n  - advance: 5m\n  - assert: true\n" },
      (directory) => runnerCli(["check", directory, ...args]),
    );
  };
  assert.equal((await check()).code, 2);
  assert.equal((await check("--clock", "virtual")).code, 0);
  const used = { "inner.yaml": "steps:\n  - parallel:\n      - advance: 5m\n" };
  const outer = "steps:\n  - use: inner.yaml\n  - assert: true\n";
  assert.equal((await runRecipe(outer, ["--dry-run"], { files: used })).code, 2);
});

test("a recipe in TypeScript fails at `t.advance` in real time", async () => {
  const files = { "r.recipe.ts": scriptModule(`recipe("R", (t) => t.advance("5m"))`) };
  await withFiles(files, async (directory) => {
    const { code, out } = await runnerCli([join(directory, "r.recipe.ts")]);
    assert.equal(code, 1);
    assert.match(out, /`advance` needs virtual time: run the recipe with `--clock virtual`/);
  });
});

test("--clock virtual is refused with a server that runs elsewhere, and an unknown clock", async () => {
  const refused = async (args: string[], env: Record<string, string> = {}) => {
    const { code, err } = await runnerCli(["run", "recipes", ...args], { env });
    assert.equal(code, 2);
    return err.split("\n")[0]!;
  };
  const url = "ws://127.0.0.1:1/dwp";
  assert.equal(
    await refused(["--clock", "virtual", "--url", url]),
    "error: --clock virtual needs a server inside the runner, but it cannot be used with --url",
  );
  assert.equal(
    await refused(["--clock", "virtual"], { DISPATCH_URL: url }),
    "error: --clock virtual needs a server inside the runner, but DISPATCH_URL is set",
  );
  assert.equal(
    await refused(["--clock", "fast"]),
    "error: --clock must be real or virtual, not 'fast'",
  );
});

test("reports say that the time was virtual, and show both durations", async () => {
  await withFiles({ "r.yaml": "steps:\n  - sleep: 30d\n  - assert: true\n" }, async (directory) => {
    const report = (name: string) => join(directory, name);
    const args = ["console", `json=${report("r.json")}`, `html=${report("r.html")}`]
      .flatMap((reporter) => ["--reporter", reporter]);
    const { code, out, err } = await runnerCli(
      ["run", directory, "--clock", "virtual", "--history", report("h.db"), ...args],
      { clock: systemClock },
    );
    assert.equal(code, 0, out + err);
    assert.match(out, /^Using the embedded server in virtual time$/m);
    assert.match(out, /^1 passed in 30 d of virtual time, [\d.]+ m?s of real time$/m);
    assert.match(err, /^warning: this run is not recorded .*, because its time is virtual$/m);
    const json = JSON.parse(await readFile(report("r.json"), "utf8"));
    assert.deepEqual([json.clock, json.duration_ms], ["virtual", 30 * DAY]);
    assert.ok(json.real_ms >= 0 && json.real_ms < 60_000);
    const html = await readFile(report("r.html"), "utf8");
    assert.match(html, /30 d of virtual time, [\d.]+ m?s of real time/);
  });
});
