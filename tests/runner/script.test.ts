import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import type { RunEvent } from "../../runner/mod.ts";
import { runnerCli } from "./_cli.ts";
import { ends, withFiles } from "./_recipe.ts";

const MOD = pathToFileURL(join(process.cwd(), "runner/mod.ts")).href;

async function run(body: string, args: string[] = []) {
  const text = `import { recipe } from ${JSON.stringify(MOD)};\nexport default ${body};\n`;
  return await withFiles({ "r.recipe.ts": text }, async (directory) => {
    const file = join(directory, "r.recipe.ts");
    const result = await runnerCli([file, "--reporter", "jsonl", ...args]);
    const lines = result.out.split("\n").filter((line) => line.startsWith("{"));
    return { ...result, events: lines.map((line) => JSON.parse(line) as RunEvent) };
  });
}

test("each call is a step, with the line it stands on", async () => {
  const { code, events, out } = await run(`recipe("Calls", { tags: ["a"] }, async (t) => {
  const job = await t.enqueue("noop", null, { queue: "email", priority: 3 });
  await t.wait(job, { until: "completed", within: "10s" });
  t.expect(job.priority).toBe(3);
  const found = await t.events("jobs", { where: (e) => e.type === "job.nope", within: "20ms", soft: true })
    .catch(() => []);
  t.expect(found).toEqual([]);
  t.log("done");
})`);
  assert.equal(code, 0, out);
  assert.deepEqual(
    ends(events).map(({ kind, status, place }) => `${kind} ${status} ${place.line}`),
    [
      "enqueue passed 3",
      "wait passed 4",
      "assert passed 5",
      "wait failed 6",
      "assert passed 8",
    ],
  );
});

test("a failed expectation shows what differs, and stops the recipe", async () => {
  const { code, events } = await run(`recipe("Fails", async (t) => {
  t.expect({ a: 1, b: [1, 2] }).toEqual({ a: 1, b: [1, 3] });
  t.log("not this");
})`);
  assert.equal(code, 1);
  assert.deepEqual(ends(events)[0]?.failure?.lines, ["- b[1]: 3", "+ b[1]: 2"]);
  assert.ok(!events.some((e) => e.type === "log"));
});

test("a failure that is caught fails the recipe all the same", async () => {
  const { code } = await run(`recipe("Caught", async (t) => {
  try { t.assert(false, "this"); } catch { t.log("caught"); }
})`);
  assert.equal(code, 1);
});

test("an error of the recipe's own is told with its place", async () => {
  const { code, events } = await run(`recipe("Throws", async (t) => {
  t.assert(true);
  throw new RangeError("too far");
})`);
  assert.equal(code, 1);
  const { failure } = events.findLast((e) => e.type === "case.finished")!;
  assert.deepEqual([failure?.kind, failure?.message, failure?.place?.line], [
    "thrown",
    "too far",
    4,
  ]);
});

test("a recipe that never ends is ended when its time is over", async () => {
  const { code, events } = await run(`recipe("Hangs", { timeout: "30ms" }, async (t) => {
  t.assert(true);
  t.always(async () => { t.log("cleaned up"); });
  await new Promise(() => {});
})`);
  assert.equal(code, 1);
  assert.equal(events.findLast((e) => e.type === "case.finished")?.failure?.kind, "deadline");
  assert.ok(events.some((e) => e.type === "log" && e.text === "cleaned up"));
});

test("always runs the last first, and its failure does not hide the first", async () => {
  const { code, events } = await run(`recipe("Cleans", async (t) => {
  t.always(() => t.log("first given"));
  t.always(() => { throw new Error("broke"); });
  t.always(async () => { await t.sleep("1ms"); t.log("last given"); });
  t.assert(false, "this");
})`);
  assert.equal(code, 1);
  assert.deepEqual(events.flatMap((e) => e.type === "log" ? [e.text] : []), [
    "last given",
    "first given",
  ]);
  assert.equal(
    events.findLast((e) => e.type === "case.finished")?.failure?.message,
    "this does not hold",
  );
  assert.ok(events.some((e) => e.type === "warning" && e.text === "clean-up failed: broke"));
  assert.ok(ends(events).some((e) => e.phase === "always" && e.kind === "sleep"));
});

test("a step that nobody awaited is waited for", async () => {
  const { code, events } = await run(`recipe("Floating", async (t) => {
  t.assert(true);
  t.sleep("20ms");
})`);
  assert.equal(code, 0);
  assert.equal(ends(events).at(-1)?.status, "passed");
});

test("each runs the recipe for each of its values; vars, env and secrets are there", async () => {
  const { code, events } = await run(
    `recipe.each([{ n: 1 }, { n: 2 }])("Each", { vars: { a: 1 } }, async (t) => {
  t.expect(t.matrix.n).toBeLessThan(3);
  t.expect(t.vars.a).toBe(5);
})`,
    ["--var", "a=5"],
  );
  assert.equal(code, 0);
  assert.deepEqual(events.flatMap((e) => e.type === "case.started" ? [e.name] : []), [
    "Each [n=1]",
    "Each [n=2]",
  ]);
});

for (
  const [what, text, message] of [
    ["a default export that is no recipe", "export default 3;", "default export is no recipe"],
    ["a module that throws", 'throw new Error("at load");', "cannot be loaded: at load"],
    ["a syntax error", "const = 1;", "cannot be loaded"],
  ] as const
) {
  test(`${what} is an error before anything runs`, async () => {
    await withFiles({ "r.recipe.ts": text }, async (directory) => {
      const { code, err } = await runnerCli(["check", join(directory, "r.recipe.ts")]);
      assert.equal(code, 2);
      assert.ok(err.includes(message), err);
    });
  });
}

test("a step that is not awaited is told, and its failure is the recipe's, not the process's", async () => {
  const { code, events } = await run(`recipe("Forgotten", async (t) => {
  const job = await t.enqueue("always-fails");
  t.wait(job, { within: "10s" });
})`);
  assert.equal(code, 1);
  const warning = events.find((event) => event.type === "warning");
  assert.match(
    warning?.text ?? "",
    /^`wait for always-fails` is not awaited \(.*r\.recipe\.ts:4\)$/,
  );
  const last = events.find((event) => event.type === "case.finished");
  assert.equal(last?.failure?.kind, "wait");
});

test("what still runs when a recipe throws is stopped", async () => {
  const { events } = await run(`recipe("Throws", async (t) => {
  t.sleep("1h");
  throw new Error("boom");
})`);
  assert.deepEqual(ends(events).map(({ status }) => status), ["interrupted"]);
  const last = events.find((event) => event.type === "case.finished");
  assert.equal(last?.failure?.message, "boom");
});

test("options that are wrong are found before anything runs, where the recipe is made", async () => {
  for (
    const [options, message] of [
      ["{ tgs: ['a'] }", "unknown option `tgs`; did you mean `tags`?"],
      ["{ tags: 'a' }", "`tags` must be a list of texts"],
      ["{ timeout: 'soon' }", "`timeout`: `soon` is no duration"],
    ] as const
  ) {
    const { code, out } = await run(`recipe("Wrong", ${options}, () => {})`, ["--format", "json"]);
    assert.equal(code, 2);
    const diagnostic = JSON.parse(out.trim());
    assert.equal(diagnostic.message, message);
    assert.equal(diagnostic.line, 2);
  }
});
