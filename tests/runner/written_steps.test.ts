// Names and values that are written in a recipe in TypeScript are checked before it runs.
import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { DiagnosticJson } from "../../runner/language/diagnostic.ts";
import { startServer } from "../helpers/server.ts";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";
import { scriptModule } from "./_script.ts";

const DEV = pathToFileURL(join(process.cwd(), "dev/mod.ts")).href;

const JOBS = `import { defineJob, defineWorkflow } from ${JSON.stringify(DEV)};
const positive = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => value?.count > 0
      ? { value }
      : { issues: [{ message: "must be positive", path: ["count"] }] },
  },
};
export const charge = defineJob("charge", { queue: "money", payload: positive }, () => {});
export const order = defineWorkflow("order", async (wf) => {
  await wf.step("reserve", () => {});
  await wf.waitForEvent("paid", "5m");
});
`;

/** What a command reports about a module of recipes: the place, what is marked, and the hint. */
async function report(module: string, command = "check"): Promise<string[]> {
  const files = { "jobs.ts": JOBS, "r.recipe.ts": module };
  return await withFiles(files, async (directory) => {
    const dev = ["--dev", join(directory, "jobs.ts"), "--format", "json"];
    const { code, out } = await runnerCli([command, join(directory, "r.recipe.ts"), ...dev]);
    const found = out.split("\n").filter((line) => line.startsWith('{"code"'))
      .map((line) => JSON.parse(line) as DiagnosticJson);
    if (command === "check") assert.equal(code, found.length === 0 ? 0 : 2, out);
    const lines = module.split("\n");
    return found.map(({ line, column, end_line, end_column, message, label }) => {
      assert.equal(line, end_line);
      const marked = lines[line - 1]!.slice(column - 1, end_column - 1);
      return `${marked}: ${label ?? message}`;
    });
  });
}

/** A module with one recipe whose function has some lines. */
function body(lines: string): string {
  return scriptModule(`recipe("R", async (t) => {\n${lines}\nt.assert(true);\n})`);
}

test("names that are written in calls are errors at their place, before anything is sent", async () => {
  const module = body(`
await t.enqueue("chrge", { count: 1 });
await t.enqueue('charge', { count: 1 }, { priority: 1, queue: "mony" });
const run = await t.start(\`ordr\`);
await t.publish("piad", {});
await t.step("start", { start: "odrer" });
await Promise.all([1].map(() => t.enqueue("crharge")));`);
  const expected = [
    '"chrge": did you mean `charge`?',
    '"mony": did you mean `money`?',
    "`ordr`: did you mean `order`?",
    '"piad": did you mean `paid`?',
    '"odrer": did you mean `order`?',
    '"crharge": did you mean `charge`?',
  ];
  assert.deepEqual(await report(module), expected);
  assert.deepEqual(await report(module, "run"), expected);
});

test("payloads and inputs that are written are checked by the schema", async () => {
  assert.deepEqual(
    await report(body(`
await t.enqueue("charge", { "a": [1, { b: null }], count: -2.5, });
await t.enqueue("charge", { count: 0 } as never);
await t.enqueue("charge", { count: 0, ...{ count: 1 } });
await t.enqueue("charge", { count: 0 + 1 });
await t.enqueue("charge", { count: Number("1") });
await t.step("enqueue", { enqueue: "charge", payload: { count: 1_000 } });
await t.enqueue("charge");`)),
    [
      "-2.5: `charge` refuses this payload: count: must be positive",
      "0: `charge` refuses this payload: count: must be positive",
      '"charge": `charge` refuses this payload: count: must be positive',
    ],
  );
});

test("a wait for a step that the workflow of a known run does not have is an error", async () => {
  assert.deepEqual(
    await report(body(`
const run = await t.start("order");
await t.wait(run, { within: "1s", untilStep: "reserv" });
await t.wait(await t.start("order"), { untilStep: "wait:piad" });
await t.wait(run, { untilStep: "reserve" });
let other = await t.start("order");
other = await t.start(String("order"));
await t.wait(other, { untilStep: "nobody knows" });`)),
    ['"reserv": did you mean `reserve`?', '"wait:piad": did you mean `wait:paid`?'],
  );
});

test("what only looks like a call of the recipe is not checked", async () => {
  assert.deepEqual(
    await report(body(`
// t.start("nope")
/* t.start("nope") */
const text = 't.start("nope")' + \`t.start("nope") \${"t.start('nope')"}\`;
const pattern = /"t.start\\("nope"\\)/;
const it = { t: { start: (name: string) => name } };
it.t.start("nope");
t.client.enqueue;
const name = "nope";
if (text === "") await t.start(name);
if (pattern.test("")) await t.start("no" + "pe");
if (it.t.start("") !== "") await t.start(String("nope"));`)),
    [],
  );
  for (
    const lines of [
      `[{ start: (name: string) => name }].map((t) => t.start("nope"));`,
      `[{ start: (name: string) => name }].map(t => t.start("nope"));`,
      `function inner(t: { start(name: string): void }): void { t.start("nope"); }\ninner;`,
      `{ const t = { start: (name: string) => name };\nt.start("nope"); }`,
    ]
  ) assert.deepEqual(await report(body(lines)), []);
});

test("each recipe of a module is checked by itself, however its function is written", async () => {
  const each = scriptModule(
    `recipe.each([{ a: 1 }, { a: 2 }])("Each", { tags: ["x"] }, async function (dispatch) {
  dispatch.assert(true);
  await dispatch.publish("piad");
})`,
  );
  const named = `
const start = (name: string) => name;
export const second = recipe("Second", async t => { t.assert(true); await t.publish("pad") })
export const third = recipe("Third", async ({ publish }) => { start("nope"); })
const elsewhere = (t: never) => { t; };
export const fourth = recipe("Fourth", elsewhere);
start("t.start('nope')");
`;
  assert.deepEqual(await report(each + named), [
    '"piad": did you mean `paid`?',
    '"pad": did you mean `paid`?',
  ]);
});

test("workflows are checked with a server that runs elsewhere, too", async () => {
  await using server = await startServer();
  await withFiles(
    { "r.recipe.ts": body(`await t.enqueue("nope");\nawait t.start("order-paymnet");`) },
    async (directory) => {
      const recipe = join(directory, "r.recipe.ts");
      const { code, err } = await runnerCli(["run", recipe, "--url", server.url]);
      assert.equal(code, 2, err);
      assert.match(err, /\^{15} did you mean `order-payment`\?$/m);
      assert.deepEqual(server.store.jobs(), []);
    },
  );
});
