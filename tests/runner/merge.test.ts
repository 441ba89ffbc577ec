import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { HistoryStore } from "../../runner/history/store.ts";
import type { RecipeEvent } from "../../runner/mod.ts";
import { REPORTERS } from "../../runner/report/registry.ts";
import { options } from "../history/_history.ts";
import { dataOf } from "../report/_html.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { runnerCli } from "./_cli.ts";
import { eventsOf, withRecipes } from "./_streams.ts";

const FILES = {
  "a.yaml": `
name: Passes
matrix: { region: [eu, us, ap] }
steps:
  - id: job
    enqueue: noop
  - wait: job
  - log: ${"${{ matrix.region }}"} is done
`,
  "b.yaml": `
name: Fails
steps:
  - assert: 1 == 2
    soft: true
  - expect: { true: { equals: false } }
    retry: { attempts: 2, backoff: 1ms }
`,
  "c.yaml": "name: Checks nothing\nsteps: [{ stats: {} }]\n",
};

/** Matches the frames of a failed step, as objects or rows. */
const FRAMES = (() => {
  const string = String.raw`"(?:[^"\\]|\\.)*"`;
  const item = String.raw`[[{](?:[^"\]}]|${string})*[\]}]`;
  return new RegExp(String.raw`"frames":\s*\[(?:\s|,|${item})*\],?\s*`, "g");
})();

/** Leaves out times, ids and frames, in which two runs differ. */
function withoutTimes(text: string): string {
  return text
    .replaceAll(FRAMES, "")
    .replaceAll(/\b(?:job|wfrun|evt)_[0-9a-z]{26}/g, "ID")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z?/g, "TIME")
    .replaceAll(/"(\w*_ms|duration|start|stop)":( ?)\d+(\.\d+)?/g, '"$1":$20')
    .replaceAll(/\bduration_ms: [\d.]+/g, "duration_ms: 0")
    .replaceAll(/\btime="[\d.]+"/g, 'time="0"')
    .replaceAll(/\b[\d.]+ m?s\b/g, "0 ms");
}

/** What a page shows, without its times, which are numbers. */
function shownOn(page: string): unknown {
  const { run, cases } = dataOf(page);
  const { verdict, exitCode, counts, plannedCases, warnings, files, tags, shapes } = run;
  return {
    ...{ verdict, exitCode, counts, plannedCases, warnings, files, tags },
    cases: run.cases.map(([number, name, file, status, , , , flags, tags, failure], i) => {
      const { steps, logs, attempts, vars, matrix, quarantine, failure: own } = cases[i]!;
      return {
        ...{ number, name, file, status, flags, tags, failure, own, vars, matrix, quarantine },
        steps: steps.map(([shape, status]) => [shapes[shape], status]),
        logs: logs?.map(([, text]) => text),
        attempts: attempts?.length,
      };
    }),
  };
}

test("merged shards have the events of the whole run, but for times and ids", async () => {
  await withRecipes(FILES, async ({ store, merge, path }) => {
    const whole = await store("whole.jsonl", ["--seed", "3"]);
    const expected = withoutTimes(await readFile(path("whole.jsonl"), "utf8"));
    await rm(path("whole.jsonl"));
    for (const shards of [1, 2, 3, 7]) {
      const files: string[] = [];
      for (let i = 1; i <= shards; i++) {
        files.push(path(`${i}.jsonl`));
        await store(`${i}.jsonl`, ["--seed", "3", "--parallel", "2", "--shard", `${i}/${shards}`]);
      }
      // In any order.
      const merged = await merge(...files.toReversed());
      assert.equal(merged.code, whole.code);
      assert.equal(withoutTimes(merged.out), expected, `${shards} shards`);
    }
  });
});

test("every reporter writes of merged shards what it writes of the whole run", async () => {
  // Exports have ids only.
  const names = Object.keys(REPORTERS).filter((name) => name !== "otel");
  const files = {
    ...FILES,
    "d.yaml": `
quarantine: { until: 2099-01-01, reason: SHOP-7 }
steps: [{ assert: false }]
always: [{ expect: { vars.n: 2 } }]
vars: { n: 1 }
`,
    "e.yaml": `
matrix: { n: [1, 2] }
steps:
  - for_each: { items: [1, 2], parallel: 2 }
    enqueue: noop
  - assert: matrix.n == 1
`,
  };
  await withRecipes(files, async ({ store, directory, path }) => {
    const reporters = (kind: string) =>
      names.flatMap((name) => ["--reporter", `${name}=${join(directory, `${name}.${kind}`)}`]);
    const args = ["--retries", "1", "--repeat", "2", "--seed", "6"];
    const whole = await store("whole.jsonl", [...args, ...reporters("whole")]);
    await rm(path("whole.jsonl"));
    for (const i of [1, 2, 3]) await store(`${i}.jsonl`, [...args, "--shard", `${i}/3`]);
    const result = await runnerCli(["merge", join(directory, "streams"), ...reporters("merged")]);
    assert.equal(result.code, 1, result.err);
    assert.equal(whole.code, 1);
    for (const name of names) {
      const read = async (kind: string) => {
        const text = await readFile(join(directory, `${name}.${kind}`), "utf8");
        return withoutTimes(name === "html" ? JSON.stringify(shownOn(text), undefined, 1) : text);
      };
      assert.equal(await read("merged"), await read("whole"), name);
    }
  });
});

test("a missing shard is named, and the exit code is 3 even if all else passed", async () => {
  await withRecipes({ "a.yaml": FILES["a.yaml"] }, async ({ store, merge }) => {
    await store("1.jsonl", ["--shard", "1/3"]);
    await store("3.jsonl", ["--shard", "3/3"]);
    const { code, warnings, events } = await merge();
    assert.equal(code, 3);
    assert.deepEqual(warnings, ["shard 2/3 is missing: there is no stream of it"]);
    const end = events.at(-1)!;
    assert.ok(end.type === "run.finished" && end.counts.passed === 2 && end.exit_code === 3);
  });
});

test("a stream that is cut anywhere gives an incomplete run, and loses no case that had ended", async () => {
  await withRecipes({ "a.yaml": FILES["a.yaml"] }, async ({ store, merge, path }) => {
    await store("1.jsonl");
    const whole = await readFile(path("1.jsonl"), "utf8");
    const begins = whole.indexOf("\n") + 1;
    const lengths = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: begins - 1, max: whole.length - 2 }) },
      fc.integer({ min: 0, max: begins - 2 }),
    );
    await fc.assert(
      fc.asyncProperty(lengths, async (length) => {
        const text = whole.slice(0, length);
        await writeFile(path("1.jsonl"), text);
        const { code, warnings, events, err } = await merge();
        assert.equal(code, 3);
        if (length < begins - 1) {
          assert.match(err, /^error: Cannot merge: no stream has an event, so its process was/);
          return;
        }
        assert.match(
          warnings.at(-1)!,
          /^the stream, '1.jsonl', has no end: its process was killed/,
        );
        // The last event can be whole but for the end of its line.
        const isWhole = whole.startsWith("}\n", length - 1);
        const kept = eventsOf(isWhole ? text : text.slice(0, text.lastIndexOf("\n") + 1));
        const ended = (list: readonly RecipeEvent[]) =>
          list.filter((event) => event.type === "case.finished");
        const last = kept.findLast(({ type }) => type.startsWith("case."));
        const isOpen = last?.type === "case.started" ? 1 : 0;
        assert.equal(ended(events).length, ended(kept).length + isOpen);
        for (const event of ended(kept)) assert.ok(JSON.stringify(events).includes(event.ts));
        const end = events.at(-1)!;
        assert.ok(end.type === "run.finished" && end.counts.errored === isOpen);
      }),
      { numRuns: 25 },
    );
  });
});

test("a shard that was killed before its first event is missing, unless another attempt is there", async () => {
  await withRecipes({ "a.yaml": FILES["a.yaml"] }, async ({ store, merge, path }) => {
    for (const i of [1, 2]) await store(`${i}.jsonl`, ["--shard", `${i}/2`]);
    await writeFile(path("again.jsonl"), "");
    const killed = "'again.jsonl' has no event: its process was killed";
    const whole = await merge();
    assert.deepEqual([whole.code, whole.warnings], [0, [killed]]);
    await rm(path("2.jsonl"));
    const missing = await merge();
    assert.equal(missing.code, 3);
    assert.deepEqual(missing.warnings, [killed, "shard 2/2 is missing: there is no stream of it"]);
    const places = await merge("--quorum", "1/2");
    assert.equal(places.code, 3);
    assert.deepEqual(places.warnings.slice(0, 1), [killed]);
    // It is another file, and not the beginning of a stream.
    await writeFile(path("again.jsonl"), "{");
    assert.equal((await merge()).code, 3);
    await writeFile(path("again.jsonl"), "order");
    assert.equal((await merge()).code, 2);
  });
});

test("a call that ends the process decides over the failures of other shards", async () => {
  const files = {
    "a.recipe.ts": `
      import process from "node:process";
      import { recipe } from "@dispatch/sdk/runner";
      export default recipe("Exits", () => process.exit(0));
    `,
    "b.yaml": "steps: [{ assert: 1 == 2 }]",
  };
  await withRecipes(files, async ({ store, merge, path }) => {
    const { code } = await store("whole.jsonl");
    await rm(path("whole.jsonl"));
    for (const i of [1, 2]) await store(`${i}.jsonl`, ["--shard", `${i}/2`]);
    assert.deepEqual([(await merge()).code, code], [3, 3]);
  });
});

test("a secret that is also a number of the stream keeps it readable", async () => {
  const recipe = "secrets: [PIN]\nmatrix: { n: [1, 2] }\nsteps: [{ assert: true }]\n";
  await withRecipes({ "a.yaml": recipe }, async ({ store, merge }) => {
    await store("1.jsonl", ["--seed", "12345"], { PIN: "12345" });
    const { code, events } = await merge();
    assert.equal(code, 0);
    assert.ok(events[0]!.type === "run.started" && events[0]!.seed === 12345);
  });
});

test("the newest attempt of a shard counts, and earlier ones and copies are told", async () => {
  await withRecipes(FILES, async ({ store, merge, path, directory }) => {
    const attempt = (count: number) => ({ DISPATCH_RETRY_COUNT: String(count) });
    await store("old.jsonl", ["--shard", "2/2"], attempt(0));
    await writeFile(join(directory, "b.yaml"), FILES["b.yaml"]);
    await store("new.jsonl", ["--shard", "2/2"], attempt(1));
    await store("one.jsonl", ["--shard", "1/2"], attempt(0));
    await writeFile(path("copy.jsonl"), await readFile(path("one.jsonl")));
    const { warnings, events } = await merge();
    assert.deepEqual(warnings, [
      "'one.jsonl' is a copy of 'copy.jsonl'",
      "'old.jsonl' is an earlier attempt of shard 2/2; 'new.jsonl' counts",
    ]);
    assert.equal(events.filter(({ type }) => type === "case.finished").length, 5);
  });
});

test("of copies of a stream the one that has most counts, whatever their names are", async () => {
  await withRecipes({ "a.yaml": FILES["a.yaml"] }, async ({ store, merge, path }) => {
    await store("2.jsonl");
    const whole = await readFile(path("2.jsonl"), "utf8");
    const lines = whole.split("\n");
    const cut = (count: number) => lines.slice(0, count).join("\n");
    for (const [file, count] of [["1.jsonl", 4], ["3.jsonl", 9]] as const) {
      await writeFile(path(file), cut(count));
    }
    const { code, warnings, events } = await merge();
    assert.equal(code, 0);
    assert.deepEqual(warnings, [
      "'3.jsonl' is a copy of '2.jsonl'",
      "'1.jsonl' is a copy of '2.jsonl'",
    ]);
    assert.equal(events.filter(({ type }) => type === "case.finished").length, 3);
    // Of two that are cut, the longer one.
    await rm(path("2.jsonl"));
    const longer = await merge();
    assert.equal(longer.code, 3);
    assert.deepEqual(longer.warnings.slice(0, 1), ["'1.jsonl' is a copy of '3.jsonl'"]);
  });
});

test("a mistake at the end of the last stream leaves no report, and prints nothing", async () => {
  await withRecipes(FILES, async ({ store, path, directory }) => {
    for (const i of [1, 2]) await store(`${i}.jsonl`, ["--shard", `${i}/2`]);
    const stream = await readFile(path("2.jsonl"), "utf8");
    const shards = join(directory, "streams");
    for (const last of ['{"type":"log"}\n', "half\n"]) {
      await writeFile(path("2.jsonl"), stream + last);
      for (const reporter of ["console", "tap", "jsonl", "github", "json"]) {
        const { code, out, err } = await runnerCli(["merge", shards, "--reporter", reporter]);
        assert.deepEqual([code, out], [2, ""], reporter);
        assert.match(err, /^error: Cannot read stream '.*2\.jsonl', line \d+: /);
      }
      const history = join(directory, "h.db");
      for (const reporter of ["jsonl", "junit", "html"]) {
        const report = join(directory, `report.${reporter}`);
        await writeFile(report, "before");
        const merging = ["merge", shards, "--history", history, "--reporter"];
        assert.equal((await runnerCli([...merging, `${reporter}=${report}`])).code, 2);
        assert.equal(await readFile(report, "utf8"), "before");
      }
      const recorded = await HistoryStore.open(history, options());
      assert.deepEqual(recorded.cases(), []);
      recorded.close();
    }
  });
});

test("a stream whose last event does not count its cases, or that has one twice, is refused", async () => {
  await withRecipes({ "a.yaml": FILES["a.yaml"] }, async ({ store, merge, path }) => {
    await store("1.jsonl");
    const lines = (await readFile(path("1.jsonl"), "utf8")).trimEnd().split("\n");
    const isOf = (line: string, type: string) => line.includes(`"type":"${type}"`);
    const refusal = async (changed: readonly string[]) => {
      await writeFile(path("1.jsonl"), `${changed.join("\n")}\n`);
      const { code, out, err } = await merge();
      assert.deepEqual([code, out], [2, ""]);
      return err.replaceAll(path("/"), "").split("\n")[0];
    };
    const lie = (line: string) =>
      isOf(line, "case.finished") ? line.replace('"status":"passed"', '"status":"failed"') : line;
    const cannot = "error: Cannot merge '1.jsonl': ";
    assert.equal(
      await refusal(lines.map(lie)),
      `${cannot}its last event counts 3 passed, but its cases are 3 failed`,
    );
    assert.equal(
      await refusal(lines.filter((line) => !isOf(line, "case.finished"))),
      `${cannot}its last event counts 3 passed, but its cases are none`,
    );
    assert.equal(
      await refusal(lines.filter((line) => !line.includes('"case":1,'))),
      `${cannot}its last event counts 3 passed, but its cases are 2 passed`,
    );
    const [begin, ...others] = lines;
    const end = others.pop()!;
    assert.equal(
      await refusal([begin!, ...others, ...others, end]),
      `${cannot}it has case 0 twice`,
    );
    assert.equal(
      await refusal(lines.filter((line) => !isOf(line, "case.started"))),
      `${cannot}it has an event \`step.started\` of case 0 before the case begins`,
    );
    assert.equal(
      await refusal(lines.filter((line) => !/"type":"(case\.started|step|log)/.test(line))),
      `${cannot}it has an event \`case.finished\` of case 0 before the case begins`,
    );
    assert.equal(
      await refusal(lines.flatMap((line) => isOf(line, "case.started") ? [line, line] : line)),
      `${cannot}it has case 0 twice`,
    );
    // A step that is told twice changes no verdict, and neither does a stream without an end.
    await writeFile(
      path("1.jsonl"),
      lines.flatMap((line) => isOf(line, "step.started") ? [line, line] : line).join("\n"),
    );
    assert.equal((await merge()).code, 0);
  });
});

test("a file that is no stream is refused with what it is", async () => {
  await withRecipes({ "a.yaml": FILES["a.yaml"] }, async ({ store, merge, path }) => {
    await store("1.jsonl");
    const text = await readFile(path("1.jsonl"));
    const table: [Uint8Array, RegExp][] = [
      [gzipSync(text), /line 1: it is compressed with gzip; decompress it first/],
      [Buffer.from(text.toString(), "utf16le"), /line 1: it is not UTF-8 text/],
    ];
    for (const [bytes, message] of table) {
      await writeFile(path("2.jsonl"), bytes);
      const { code, err } = await merge(path("2.jsonl"));
      assert.equal(code, 2);
      assert.match(err, message);
      const report = await runnerCli(["report", path("2.jsonl")]);
      assert.equal(report.code, 2);
      assert.match(report.err, /^error: Cannot read stream '[^\n]*\nTry: [^\n]*\n$/);
    }
    const { code, err } = await merge("/dev/null");
    assert.equal(code, 2);
    assert.match(err, /Cannot merge '\/dev\/null': it is no regular file/);
    // A byte order mark and the line ends of Windows change nothing.
    await writeFile(path("2.jsonl"), `\ufeff${text.toString().replaceAll("\n", "\r\n")}`);
    assert.equal((await merge(path("2.jsonl"))).code, 0);
  });
});

test("a place that has left nothing is named, and leaves the run incomplete", async () => {
  await withRecipes({ "a.yaml": FILES["a.yaml"] }, async ({ store, merge, directory, path }) => {
    const places = ["eu", "us", "ap"].map((name) => join(directory, name));
    for (const place of places.slice(0, 2)) {
      await mkdir(place);
      await store("1.jsonl");
      await rename(path("1.jsonl"), join(place, "1.jsonl"));
    }
    for (const make of [() => Promise.resolve(), () => mkdir(places[2]!)]) {
      await make();
      const { code, warnings } = await merge(...places, "--quorum", "2/3");
      assert.equal(code, 3);
      assert.deepEqual(warnings, [
        `'${places[2]}' has no stream`,
        "only 2 of 3 places have streams",
      ]);
    }
    const { code, err } = await merge(places[2]!, join(directory, "none"), "--quorum", "1/2");
    assert.equal(code, 2);
    assert.match(err, /none of the places has a stream/);
    // Without a quorum a path that does not exist is a mistake.
    assert.equal((await merge(places[0]!, join(directory, "none"))).code, 2);
  });
});

test("streams that do not belong together are refused with exit code 2", async () => {
  await withRecipes(FILES, async ({ store, merge, path, directory }) => {
    await store("1.jsonl", ["--shard", "1/2"]);
    await store("other.jsonl", ["--shard", "2/3"]);
    const refused = async (...files: string[]) => {
      const { code, err } = await merge(
        ...files.map((file) => file.endsWith(".jsonl") ? path(file) : file),
      );
      assert.equal(code, 2);
      return err.replaceAll(path("/"), "");
    };
    assert.match(
      await refused("1.jsonl", "other.jsonl"),
      /'1.jsonl' with 'other.jsonl': it is part 1 of 2, not of 3/,
    );
    await writeFile(path("foreign.jsonl"), '{"type":"order","id":1}\n');
    assert.match(
      await refused("foreign.jsonl"),
      /stream 'foreign.jsonl', line 1: a stream begins with/,
    );
    const [first, ...rest] = (await readFile(path("1.jsonl"), "utf8")).split("\n");
    const change = async (file: string, more: object, lines = rest) => {
      const started = JSON.stringify({ ...JSON.parse(first!), ...more });
      await writeFile(path(file), [started, ...lines].join("\n"));
    };
    await change("bare.jsonl", { plan: undefined });
    assert.match(await refused("bare.jsonl"), /its first event names no plan/);
    const { shard } = JSON.parse(first!);
    await change("again.jsonl", { shard: { ...shard, index: 2 } });
    assert.match(await refused("1.jsonl", "again.jsonl"), /both ran case 1 of the plan/);
    // All shards are there, but none has the last case.
    const none = { planned: 6, total: 2 };
    await change("one.jsonl", { shard: { ...shard, ...none } });
    await change("two.jsonl", { shard: { ...shard, ...none, index: 2, cases: [1, 3] } });
    assert.match(
      await refused("one.jsonl", "two.jsonl"),
      /Cannot merge the 2 shards: they were cut with different histories: none has case 6 of/,
    );
    await change("small.jsonl", { shard: { ...shard, cases: [0] } });
    const [report, history] = [path("report.json"), path("h.db")];
    assert.match(
      await refused("small.jsonl", "--reporter", `json=${report}`, "--history", history),
      /an event of case 1, but its first event has no such/,
    );
    await assert.rejects(readFile(report), { code: "ENOENT" });
    await change("far.jsonl", { shard: { ...shard, cases: [0, 2, 9] } });
    assert.match(await refused("far.jsonl"), /names case 9 of a plan that has 5/);
    for (
      const [other, message] of [
        [{ total: 1e12 }, /its first event names part 1 of 1000000000000/],
        [{ index: 4 }, /its first event names part 4 of 2/],
        [{ planned: 1e12 }, /its first event names a plan of 1000000000000 cases/],
      ] as const
    ) {
      await change("odd.jsonl", { shard: { ...shard, ...other } });
      assert.match(await refused("odd.jsonl"), message);
    }
    await writeFile(join(directory, "c.yaml"), `${FILES["c.yaml"]}# changed\n`);
    await store("2.jsonl", ["--shard", "2/2"]);
    assert.match(
      await refused("1.jsonl", "2.jsonl"),
      /'2.jsonl' with '1.jsonl': it is of another plan/,
    );
    assert.match((await runnerCli(["merge"])).err, /Nothing to merge: name files or a directory/);
    assert.match((await runnerCli(["merge", directory])).err, /has no file that ends with .jsonl/);
    assert.match((await runnerCli(["merge", path("none")])).err, /Cannot read stream '.*none'/);
    assert.match((await runnerCli(["merge", directory, "--quorum", "3/2"])).err, /must be K\/N/);
    const own = await runnerCli([
      "merge",
      path("1.jsonl"),
      "--reporter",
      `json=${path("1.jsonl")}`,
    ]);
    assert.match(own.err, /is a stream that is read/);
  });
});

test("the history of a merged run is written once, with repetitions under one name", async () => {
  await withRecipes({ "a.yaml": FILES["a.yaml"] }, async ({ store, merge, directory, path }) => {
    const history = join(directory, "h.db");
    const args = ["--history", history, "--repeat", "2"];
    for (const i of [1, 2]) await store(`${i}.jsonl`, ["--shard", `${i}/2`, ...args]);
    const mergeAgain = async () => {
      const { code, err, events } = await merge("--history", history);
      assert.equal(code, 0, err);
      const recorded = await HistoryStore.open(history, options());
      const runs = recorded.cases().map((key) => recorded.runs(key, 10));
      const names = recorded.cases().map(({ name }) => name);
      recorded.close();
      assert.deepEqual(names, ["ap", "eu", "us"].map((region) => `Passes [region=${region}]`));
      return { err, counts: runs.map(({ length }) => length), events };
    };
    const first = await mergeAgain();
    assert.deepEqual([first.counts, first.err], [[2, 2, 2], ""]);
    // The same streams again are the same run, of which no case is compared with itself.
    const second = await mergeAgain();
    assert.deepEqual(second.counts, [2, 2, 2]);
    assert.match(second.err, /^warning: 6 cases of this run are in the history already\n$/);
    assert.ok(second.events.every((event) => !("usual" in event) || event.usual?.runs === 1));
    // Of another attempt of one shard only its own cases are new.
    await store("again.jsonl", ["--shard", "1/2", ...args], { DISPATCH_RETRY_COUNT: "1" });
    await rm(path("1.jsonl"));
    const third = await mergeAgain();
    assert.equal(third.counts.reduce((sum, count) => sum + count, 0), 6 + 3);
    assert.match(third.err, /^warning: 3 cases of this run are in the history already\n$/);
  });
});

test("with a quorum a case fails when so many places say so, and the report says who saw what", async () => {
  const recipe = 'vars: { place: eu }\nsteps:\n  - assert: vars.place != "down"\n';
  await withRecipes({ "a.yaml": recipe }, async ({ store, merge, path }) => {
    await store("eu.jsonl");
    await store("us.jsonl", ["--var", "place=down"]);
    await store("ap.jsonl");
    const two = await merge("--quorum", "2/3");
    assert.equal(two.code, 0, two.err);
    assert.match(
      two.warnings[0]!,
      /^the places do not agree: passed in ap.jsonl, passed in eu.jsonl, failed in us.jsonl \(/,
    );
    const end = two.events.at(-1)!;
    assert.ok(end.type === "run.finished" && end.counts.passed === 1 && end.counts.warnings === 1);
    assert.equal((await merge("--quorum", "1/3")).code, 1);
    await store("ap.jsonl", ["--var", "place=down"]);
    assert.equal((await merge("--quorum", "2/3")).code, 1);
    // A place that is missing leaves the run incomplete.
    const incomplete = await merge("--quorum", "1/4");
    assert.equal(incomplete.code, 3);
    assert.equal(incomplete.warnings.at(-1), "only 3 of 4 places have streams");
    assert.equal((await merge("--quorum", "1/2")).code, 2);
    // A copy is no other place, also if it is cut off.
    const whole = await readFile(path("eu.jsonl"), "utf8");
    await writeFile(path("copy.jsonl"), whole);
    for (const places of [["copy", "eu"], ["eu", "eu"], ["eu", "copy"]]) {
      const twice = await merge(...places.map((name) => path(`${name}.jsonl`)), "--quorum", "2/2");
      assert.equal(twice.code, 3);
      assert.deepEqual(twice.warnings, [
        `'${places[1]}.jsonl' is a copy of '${places[0]}.jsonl', and no other place`,
        "only 1 of 2 places have streams",
      ]);
      await writeFile(path("copy.jsonl"), whole.slice(0, -20));
    }
  });
});

test("the order of the places changes no outcome, and no warning about their runs is lost", async () => {
  const files = {
    "a.yaml": 'vars: { place: eu }\nsteps: [{ assert: vars.place == "ap" }]\n',
    // With this seed the number is 83 in the first attempt.
    "d.yaml": "vars: { n: '${{ random(100) }}' }\nsteps: [{ assert: vars.n != 83 }]\n",
    "e.yaml": "steps: [{ publish: payment-received, payload: {} }, { assert: true }]\n",
  };
  await withRecipes(files, async ({ store, merge, path }) => {
    const [eu, us, ap] = ["eu.jsonl", "us.jsonl", "ap.jsonl"] as const;
    const args = ["--retries", "1"];
    await store(eu, [...args, "--seed", "6"]);
    await store(us, [...args, "--url", "ws://127.0.0.1:1/dwp"]);
    // Cases that run at the same time share the warning about the event that none consumed.
    await store(ap, [...args, "--var", "place=ap", "--parallel", "2"]);
    const told = new Set<string>();
    for (const order of [[eu, us, ap], [us, eu, ap], [ap, us, eu], [us, ap, eu]]) {
      const { code, events, warnings } = await merge(...order.map(path), "--quorum", "2/3");
      const end = events.at(-1)!;
      assert.ok(end.type === "run.finished");
      const { passed, failed, errored, flaky } = end.counts;
      // That an assertion is false says more than that a place could not be reached.
      assert.deepEqual({ code, passed, failed, errored, flaky }, {
        ...{ code: 1, passed: 2, failed: 1, errored: 0, flaky: 0 },
      });
      assert.equal(end.counts.warnings, warnings.length);
      told.add(warnings.filter((text) => text.startsWith("ap.jsonl: ")).join());
    }
    assert.equal(told.size, 1);
    assert.match([...told][0]!, /^ap\.jsonl: .*`payment-received`.* was not consumed/);
    // With one of three places a flaky case is flaky.
    const any = (await merge(path(ap), path(us), path(eu), "--quorum", "1/3")).events.at(-1)!;
    assert.ok(any.type === "run.finished" && any.counts.errored === 2 && any.counts.failed === 1);
  });
});

test("shards with retries, quarantines and --fail-on-flaky merge into the whole run", async () => {
  const late = "quarantine: { until: 2099-01-01, reason: SHOP-7 }\nsteps: [{ assert: false }]\n";
  const files = {
    "a.yaml": late,
    "b.yaml": "steps: [{ assert: true }]",
    "c.yaml": late,
    // With this seed the number is 83 in the first attempt.
    "d.yaml": "vars: { n: '${{ random(100) }}' }\nsteps: [{ assert: vars.n != 83 }]\n",
  };
  await withRecipes(files, async ({ store, merge, path }) => {
    const args = ["--retries", "1", "--fail-on-flaky", "--seed", "6"];
    const { code } = await store("whole.jsonl", args);
    const whole = withoutTimes(await readFile(path("whole.jsonl"), "utf8"));
    assert.match(whole, /"quarantined":2[^\n]*"failed_by":"flaky"/);
    await rm(path("whole.jsonl"));
    for (let i = 1; i <= 3; i++) await store(`${i}.jsonl`, [...args, "--shard", `${i}/3`]);
    const merged = await merge();
    assert.deepEqual([merged.code, merged.err], [code, ""]);
    assert.equal(code, 1);
    const ends = [merged.out, whole].map((text) => withoutTimes(text).trimEnd().split("\n").at(-1));
    assert.equal(ends[0], ends[1]);
  });
});

test("--wait waits until no shard is missing and all have ended, but not for ever", async () => {
  await withRecipes({ "a.yaml": FILES["a.yaml"] }, async ({ store, directory, path }) => {
    for (const i of [1, 2, 3]) await store(`${i}.jsonl`, ["--shard", `${i}/3`]);
    const [second, third] = [
      await readFile(path("2.jsonl"), "utf8"),
      await readFile(path("3.jsonl"), "utf8"),
    ];
    await writeFile(path("2.jsonl"), second.slice(0, 20));
    await rm(path("3.jsonl"));
    const changes: (() => Promise<void>)[] = [
      () => writeFile(path("2.jsonl"), second.slice(0, -20)),
      () => writeFile(path("3.jsonl"), third),
      () => writeFile(path("2.jsonl"), second),
    ];
    const clock = new FakeClock();
    const merging = runnerCli(["merge", join(directory, "streams"), "--wait", "10s"], { clock });
    for (const change of changes) {
      await clock.runUntil(new Promise<void>((resolve) => clock.setTimeout(resolve, 2_000)), 50);
      await change();
    }
    const { code, out, err } = await merging;
    assert.equal(code, 0, out + err);
    assert.match(err, /Waiting for the streams of all shards/);
    await rm(path("3.jsonl"));
    const late = await runnerCli(["merge", join(directory, "streams"), "--wait", "3s"]);
    assert.equal(late.code, 3);
    assert.match(late.out, /shard 3\/3 is missing/);
  });
});
