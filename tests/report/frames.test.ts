// The frames of failed steps.
import { deepEqual, equal, match } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { RecipeEvent } from "../../runner/mod.ts";
import { runnerCli } from "../runner/_cli.ts";
import { ends, runRecipe, withFiles } from "../runner/_recipe.ts";
import { dataOf } from "./_html.ts";

const SECRET = "a very secret value";
const FAILS = `
secrets: [KEY]
steps:
  - id: job
    enqueue: noop
    payload: { key: "\${{ secrets.KEY }}", text: ${"long".repeat(2000)} }
  - call: job.nothing
`;

const framesOf = (events: readonly RecipeEvent[], step: string) =>
  ends(events).find((one) => one.step === step)!.frames ?? [];

test("a step that fails has the frames that were exchanged while it ran", async () => {
  const { code, events } = await runRecipe("steps: [{ call: job.nothing }]");
  equal(code, 3);
  const frames = framesOf(events, "1");
  const last = frames.slice(-2);
  deepEqual(last.map(({ direction, socket }) => [direction, socket]), [
    ...[["sent", 1], ["received", 1]],
  ]);
  match(last[0]!.text, /"method":"job\.nothing"/);
  match(last[1]!.text, /"type":"error"|error/);
});

test("a step that sends nothing has the frames before it, and one that passes has none", async () => {
  const { events } = await runRecipe("steps: [{ id: s, stats: {} }, { assert: false }]");
  deepEqual(framesOf(events, "1"), []);
  const frames = framesOf(events, "2");
  match(frames.at(-2)!.text, /"method":"stats"/);
  equal(frames.length <= 10, true);
});

test("frames are cut, at most fifty, and without secrets", async () => {
  const recipe = `${FAILS.replace("  - call: job.nothing\n", "")}  - for_each: { items: ${
    JSON.stringify(Array.from({ length: 100 }, (_, i) => i))
  } }
    use: one.yaml
  - wait: { job: none }
    within: 1s
`;
  const { events, out } = await runRecipe(recipe, [], {
    env: { KEY: SECRET },
    files: { "one.yaml": "steps: [{ stats: {} }]" },
  });
  const frames = ends(events).flatMap((event) => event.frames ?? []);
  equal(frames.length > 0 && frames.length <= 50, true);
  equal(out.includes(SECRET), false);
  equal(out.includes(btoa(SECRET).slice(0, 12)), false);
});

test("a frame with a secret is masked before it is cut", async () => {
  const { events, out } = await runRecipe(FAILS, [], {
    env: { KEY: SECRET },
  });
  const frames = ends(events).flatMap((event) => event.frames ?? []);
  equal(out.includes(SECRET), false);
  equal(frames.some(({ text }) => /more characters\)$/.test(text)), true);
  for (const { text } of frames) equal(text.length < 2_100, true);
});

test("the page has them, and reports without html or jsonl do not", async () => {
  await withFiles({ "a.yaml": "steps: [{ call: job.nothing }]" }, async (directory) => {
    const [html, json] = [join(directory, "r.html"), join(directory, "r.json")];
    await runnerCli([directory, `--reporter=html=${html}`]);
    const page = await readFile(html, "utf8");
    const text = JSON.stringify(dataOf(page));
    match(text, /job\.nothing/);
    await runnerCli([directory, `--reporter=json=${json}`]);
    equal((await readFile(json, "utf8")).includes('"frames"'), false);
  });
});

test("why there is no connection is said as without frames", async () => {
  const args = ["--url", "ws://127.0.0.1:1/dwp"];
  await withFiles({ "a.yaml": "steps: [{ assert: true }]" }, async (directory) => {
    const plain = await runnerCli([directory, ...args]);
    const html = await runnerCli([directory, ...args, `--reporter=html=${join(directory, "h")}`]);
    equal(html.err, plain.err);
    equal(html.code, 3);
  });
});
