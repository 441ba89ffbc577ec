import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runnerCli } from "./_cli.ts";
import { ends, withFiles } from "./_recipe.ts";
import { failureOf, runScript } from "./_script.ts";

test("reports each call as a step, with its line", async () => {
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

test("a failed expectation shows a diff and stops the recipe", async () => {
  const { code, events } = await runScript(`recipe("Fails", async (t) => {
  t.expect({ a: 1, b: [1, 2] }).toEqual({ a: 1, b: [1, 3] });
  t.log("not this");
})`);
  assert.equal(code, 1);
  assert.deepEqual(ends(events)[0]?.failure?.lines, ["- b[1]: 3", "+ b[1]: 2"]);
  assert.ok(!events.some((e) => e.type === "log"));
});

test("a failure that the recipe catches still fails it", async () => {
  const { code } = await runScript(`recipe("Caught", async (t) => {
  try { t.assert(false, "this"); } catch { t.log("caught"); }
})`);
  assert.equal(code, 1);
});

test("reports an error of the recipe's code with its place", async () => {
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

test("stops a recipe whose function never returns, and runs its clean-up", async () => {
  const { code, events } = await runScript(`recipe("Hangs", { timeout: "30ms" }, async (t) => {
  t.assert(true);
  t.always(async () => { t.log("cleaned up"); });
  await new Promise(() => {});
})`);
  assert.equal(code, 1);
  assert.equal(events.findLast((e) => e.type === "case.finished")?.failure?.kind, "deadline");
  assert.ok(events.some((e) => e.type === "log" && e.text === "cleaned up"));
});

test("runs clean-up functions in reverse order, and keeps the first failure", async () => {
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
    "the assertion failed: this",
  );
  assert.ok(events.some((e) => e.type === "warning" && e.text === "clean-up failed: broke"));
  assert.ok(ends(events).some((e) => e.phase === "always" && e.kind === "sleep"));
});

test("an assertion without a message is called `assert`", async () => {
  const { code, events } = await runScript(`recipe("Fails", (t) => t.assert(false))`);
  assert.equal(code, 1);
  const [step] = ends(events);
  assert.equal(step!.label, "assert");
  assert.equal(step!.failure!.message, "the assertion failed");
});

test("waits for a step that the recipe does not await", async () => {
  const { code, events } = await runScript(`recipe("Floating", async (t) => {
  t.assert(true);
  t.sleep("20ms");
})`);
  assert.equal(code, 0);
  assert.equal(ends(events).at(-1)?.status, "passed");
});

test("`recipe.each` runs a case for each value, with variables", async () => {
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
    ["a default export that is not a recipe", "export default 3;", "is not a recipe"],
    [
      "a module that throws",
      'throw new Error("at load");',
      "cannot load the recipe's module: at load",
    ],
    ["a syntax error", "const = 1;", "cannot load the recipe's module"],
  ] as const
) {
  test(`reports ${what} before anything runs`, async () => {
    await withFiles({ "r.recipe.ts": text }, async (directory) => {
      const { code, err } = await runnerCli(["check", join(directory, "r.recipe.ts")]);
      assert.equal(code, 2);
      assert.ok(err.includes(message), err);
    });
  });
}

test("shows the line of a syntax error, and of an import that fails", async () => {
  const places: Record<string, [text: string, line: number, note?: RegExp]> = {
    "own.recipe.ts": ["export default 1;\nconst ok = 2;\nconst a = ;\n", 3],
    "import.recipe.ts": ['export default 1;\nimport "./nope.ts";\n', 2],
    "name.recipe.ts": ['export default 1;\nimport { nope } from "./one.ts";\nnope();\n', 2],
    "several.recipe.ts": ["export default 1;\nconst a = {;\nconst b = [;\n", 2],
    "other.recipe.ts": ['import "./bad.ts";\n', 1, /at .*bad\.ts:2:/],
  };
  const files = {
    "one.ts": "export const one = 1;\n",
    "bad.ts": "export const a = 1;\nlet b = ;\nlet c = {;\n",
  };
  const recipes = Object.entries(places).map(([name, [text]]) => [name, text]);
  await withFiles({ ...files, ...Object.fromEntries(recipes) }, async (directory) => {
    for (const [name, [, line, note]] of Object.entries(places)) {
      const path = join(directory, name);
      const { code, out } = await runnerCli(["check", path, "--format", "json"]);
      assert.equal(code, 2);
      assert.equal(JSON.parse(out).line, line, out);
      if (note) assert.match((await runnerCli(["check", path])).err, note);
    }
  });
});

test("warns about a step that is not awaited, and its failure fails the recipe", async () => {
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

test("stops running steps when the recipe throws", async () => {
  const { events } = await runScript(`recipe("Throws", async (t) => {
  t.sleep("1h");
  throw new Error("boom");
})`);
  assert.deepEqual(ends(events).map(({ status }) => status), ["interrupted"]);
  const last = events.find((event) => event.type === "case.finished");
  assert.equal(last?.failure?.message, "boom");
});

test("reports invalid options at the call of `recipe`", async () => {
  for (
    const [options, message] of [
      ["{ tgs: ['a'] }", "unknown option `tgs`; did you mean `tags`?"],
      ["{ tags: 'a' }", "`tags` must be a list of strings"],
      ["{ timeout: 'soon' }", "`timeout`: `soon` is not a duration"],
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

test("reports values that are not JSON, and an empty matrix", async () => {
  for (
    const [made, message] of [
      [
        "recipe.each([])('E', () => {})",
        "the list for `recipe.each` is empty, so the recipe would not run",
      ],
      ["recipe.each([1])('E', () => {})", "`recipe.each` takes a list of objects"],
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

test("reports a thrown value that is not an error", async () => {
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

test("a step fails for an unknown setting or a wrong handle", async () => {
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
      [
        'await t.wait(await t.enqueue("noop"), { until: "complete" })',
        "a job is never `complete`; did you mean `completed`?",
      ],
      [
        'await t.wait(await t.start("failing"), { until: ["failed", "pending"] })',
        "a run is never `pending`; it can be running, completed, failed",
      ],
      [
        'await t.wait(await t.enqueue("noop"), { failOn: "retryng" })',
        "a job is never `retryng`; did you mean `retrying`?",
      ],
      [
        'await t.wait(await t.enqueue("noop"), { untilStep: "reserve" })',
        "a job has no steps to wait for; use `until`",
      ],
      [
        'await t.wait(await t.start("failing"), { until: "failed", untilStep: "a" })',
        "`until` and `untilStep` in one wait",
      ],
      ["await t.cancel({})", "`t.cancel` takes a handle from `t.enqueue`, not {}"],
    ] as const
  ) {
    assert.equal(await failureOf(line), message);
  }
});

test("`t.log` prints any value", async () => {
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

test("goes on after a soft step has failed, until it uses the missing result", async () => {
  const { code, events } = await runScript(`recipe("Soft", async (t) => {
  const soft = { soft: true };
  const run = await t.start(["nope"].join(), {}, soft);
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

test("`t.step` runs a step of any kind, and returns a handle or the result", async () => {
  const { code, events, out } = await runScript(
    `recipe("Steps", { channels: ["jobs"] }, async (t) => {
  const job = await t.enqueue("noop", { n: 1 });
  const read = await t.step("get", { get: job }, { within: "5s", name: "read the job" });
  t.expect(read.job_id).toBe(job.job_id);
  const { events } = await t.step("wait", {
    wait: { channel: "jobs", where: (event) => event.type === "job.completed" },
  });
  t.expect(events[0].data.job_id).toBe(job.job_id);
  const published = await t.step("publish", { publish: "payment-received", payload: { list: [null, true] } });
  t.expect(published.name).toBe("payment-received");
  t.expect((await t.step("enqueue", { enqueue: "noop", payload: "\${{ 1 + 1 }}" })).payload).toBe("\${{ 1 + 1 }}");
  t.expect(await t.step("sleep", { sleep: "1ms" })).toBe(undefined);
})`,
  );
  assert.equal(code, 0, out);
  assert.deepEqual(
    ends(events).flatMap(({ kind, label }) => kind === "assert" ? [] : `${kind}: ${label}`),
    [
      "enqueue: enqueue noop",
      "get: read the job",
      "wait: wait for events of jobs",
      "publish: publish payment-received",
      "enqueue: enqueue noop",
      "sleep: sleep 1ms",
    ],
  );
});

test("`t.step` reports invalid fields as for YAML", async () => {
  for (
    const [line, message] of [
      ['await t.step("gt", {})', "unknown step kind `gt`; did you mean `get`?"],
      ['await t.step("get", {})', "a get step needs `get`"],
      [
        'await t.step("get", { get: "order" })',
        "`order` must be a handle of a job or run",
      ],
      [
        'await t.step("sleep", { sleep: "soon" })',
        "`sleep`: `soon` is not a duration; write it as `250ms`, `10s`, `1m30s`",
      ],
      [
        'await t.step("enqueue", { enqueue: "noop", priority: -1 })',
        "`priority` must be at least 0",
      ],
      [
        'await t.step("enqueue", { enqueue: "noop", payload: { a: [1n] } })',
        "`payload.a[0]` must be JSON, not a bigint",
      ],
      [
        'await t.step("enqueue", { enqueue: "noop", payload: () => 1 })',
        "only conditions can be functions",
      ],
      [
        'await t.step("wait", { wait: { channel: "jobz" } })',
        "`jobz` is not a channel; did you mean `jobs`?",
      ],
      [
        'await t.step("wait", { wait: { channel: "jobs", where: "true" } })',
        "`where` must be a function",
      ],
      [
        'await t.step("parallel", { parallel: [] })',
        "`t.step` cannot run a parallel step: use functions and `Promise.all`",
      ],
      ['await t.step("log", null)', "the fields of a step must be an object"],
      [
        "const a = {}; a.a = a; await t.step('log', { log: a })",
        "`log.a` must be JSON and contains itself",
      ],
    ] as const
  ) {
    assert.equal(await failureOf(line), message);
  }
});
