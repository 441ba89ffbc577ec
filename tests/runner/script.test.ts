import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runnerCli } from "./_cli.ts";
import { ends, withFiles } from "./_recipe.ts";
import { failureOf, runScript } from "./_script.ts";

test("each call is a step, with the line it stands on", async () => {
  const { code, events, out } = await runScript(`recipe("Calls", { tags: ["a"] }, async (t) => {
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
  const { code, events } = await runScript(`recipe("Fails", async (t) => {
  t.expect({ a: 1, b: [1, 2] }).toEqual({ a: 1, b: [1, 3] });
  t.log("not this");
})`);
  assert.equal(code, 1);
  assert.deepEqual(ends(events)[0]?.failure?.lines, ["- b[1]: 3", "+ b[1]: 2"]);
  assert.ok(!events.some((e) => e.type === "log"));
});

test("a failure that is caught fails the recipe all the same", async () => {
  const { code } = await runScript(`recipe("Caught", async (t) => {
  try { t.assert(false, "this"); } catch { t.log("caught"); }
})`);
  assert.equal(code, 1);
});

test("an error of the recipe's own is told with its place", async () => {
  const { code, events } = await runScript(`recipe("Throws", async (t) => {
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
  const { code, events } = await runScript(`recipe("Hangs", { timeout: "30ms" }, async (t) => {
  t.assert(true);
  t.always(async () => { t.log("cleaned up"); });
  await new Promise(() => {});
})`);
  assert.equal(code, 1);
  assert.equal(events.findLast((e) => e.type === "case.finished")?.failure?.kind, "deadline");
  assert.ok(events.some((e) => e.type === "log" && e.text === "cleaned up"));
});

test("always runs the last first, and its failure does not hide the first", async () => {
  const { code, events } = await runScript(`recipe("Cleans", async (t) => {
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
  const { code, events } = await runScript(`recipe("Floating", async (t) => {
  t.assert(true);
  t.sleep("20ms");
})`);
  assert.equal(code, 0);
  assert.equal(ends(events).at(-1)?.status, "passed");
});

test("each runs the recipe for each of its values; vars, env and secrets are there", async () => {
  const { code, events } = await runScript(
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
  const { code, events } = await runScript(`recipe("Forgotten", async (t) => {
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
  const { events } = await runScript(`recipe("Throws", async (t) => {
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
    const { code, out } = await runScript(`recipe("Wrong", ${options}, () => {})`, [
      "--format",
      "json",
    ]);
    assert.equal(code, 2);
    const diagnostic = JSON.parse(out.trim());
    assert.equal(diagnostic.message, message);
    assert.equal(diagnostic.line, 2);
  }
});

test("values of a recipe must be JSON, and there must be some", async () => {
  for (
    const [made, message] of [
      [
        "recipe.each([])('E', () => {})",
        "`recipe.each` is given no values: the recipe would not run",
      ],
      ["recipe.each([1])('E', () => {})", "`recipe.each` takes a list of maps"],
      ["recipe.each([{ n: 2n }])('E', () => {})", "`matrix[0].n` must be JSON, not a bigint"],
      [
        "recipe('E', { vars: { a: { b: [3n] } } }, () => {})",
        "`vars.a.b[0]` must be JSON, not a bigint",
      ],
      ["recipe('E', { vars: { a: new Map() } }, () => {})", "`vars.a` must be JSON, not a Map"],
      ["recipe('E', { vars: { a: NaN } }, () => {})", "`vars.a` must be JSON, not NaN"],
    ] as const
  ) {
    const { code, out } = await runScript(made, ["--format", "json"]);
    assert.equal(code, 2);
    assert.equal(JSON.parse(out.trim()).message, message);
  }
});

test("what is thrown and is no error is told all the same", async () => {
  for (const [value, shown] of [["null", "null"], ['"text"', "text"], ["{ a: 1 }", '{"a":1}']]) {
    const { code, events, err } = await runScript(`recipe("Throws", async (t) => {
  t.assert(true);
  t.always(() => { throw ${value}; });
  throw ${value};
})`);
    assert.equal(code, 1, err);
    const { failure } = events.findLast((event) => event.type === "case.finished")!;
    assert.equal(failure?.message, `the recipe threw ${shown}`);
    assert.equal(failure?.lines.length, 1);
    const warning = events.find((event) => event.type === "warning");
    assert.equal(warning?.text, `clean-up failed: the recipe threw ${shown}`);
  }
});

test("a setting that a step does not have fails it, whatever the recipe catches", async () => {
  for (
    const [line, message] of [
      [
        't.assert(true); await t.enqueue("noop", {}, { queu: "slow" }).catch(() => {});',
        "unknown setting `queu`; did you mean `queue`?",
      ],
      [
        'await t.wait(await t.enqueue("noop"), { untill: "failed" });',
        "unknown setting `untill`; did you mean `until`?",
      ],
      ['await t.events("jobs", { cuont: 2 })', "unknown setting `cuont`; did you mean `count`?"],
      ['await t.sleep("1ms", { sfot: true })', "unknown setting `sfot`; did you mean `soft`?"],
      [
        "await t.stats({ zzzzzz: 1 })",
        "unknown setting `zzzzzz`; the settings are name, within, soft",
      ],
      ['await t.stats("soon")', "the settings of a step must be an object"],
      [
        "await t.wait(undefined)",
        "`t.wait` takes a handle from `t.enqueue` or `t.start`, not undefined",
      ],
      [
        'await t.wait(t.enqueue("noop"))',
        "`t.wait` takes a handle from `t.enqueue` or `t.start`, not a promise: await it",
      ],
      ["await t.cancel({})", "`t.cancel` takes a handle from `t.enqueue`, not {}"],
    ] as const
  ) {
    assert.equal(await failureOf(line), message);
  }
});

test("log prints any value", async () => {
  const { events } = await runScript(`recipe("Logs", async (t) => {
  for (const value of ["a", { a: 1 }, [2n], undefined, null, new Date(0)]) t.log(value);
  t.log(await t.enqueue("noop", { n: 1 }));
})`);
  const logged = events.flatMap((event) => event.type === "log" ? [event.text] : []);
  assert.deepEqual(logged.slice(0, 6), [
    "a",
    '{"a":1}',
    '["2n"]',
    "undefined",
    "null",
    '{"Date":"1970-01-01T00:00:00.000Z"}',
  ]);
  assert.match(logged[6]!, /^{"job_id":".*"payload":{"n":1}/);
});

test("a recipe goes on when a soft step fails, until it uses what that step did not leave", async () => {
  const { code, events } = await runScript(`recipe("Soft", async (t) => {
  const soft = { soft: true };
  const run = await t.start("nope", {}, soft);
  t.assert(await t.call("nope", {}, soft));
  t.assert((await t.events("jobs", { within: "1ms", ...soft })).length === 0);
  t.log("went on");
  await t.wait(run);
})`);
  assert.equal(code, 1);
  assert.ok(events.some((event) => event.type === "log" && event.text === "went on"));
  const { failure } = ends(events).at(-1)!;
  assert.equal(failure?.message, "step 1 has failed and has no result");
  assert.equal(failure?.place?.line, 8);
});
