import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { DiagnosticJson } from "../../runner/language/diagnostic.ts";
import { startServer } from "../helpers/server.ts";
import { runnerCli } from "./_cli.ts";
import { firstFailure, runRecipe, withFiles } from "./_recipe.ts";
import { scriptModule } from "./_script.ts";

const DEV = pathToFileURL(join(process.cwd(), "dev/mod.ts")).href;

const JOBS = `import { defineCron, defineJob, defineWorkflow } from ${JSON.stringify(DEV)};
const schema = (problem) => ({
  "~standard": { version: 1, vendor: "test", validate: (value) => problem(value) },
});
const item = schema(async (value) => {
  const at = (value?.items ?? []).findIndex(({ count }) => !(count > 0));
  if (at === -1) return { value };
  return { issues: [{ message: "must be positive", path: ["items", { key: at }, "count"] }] };
});
const text = schema((value) => {
  if (typeof value === "string") return { value };
  throw new Error("not a text");
});
export const charge = defineJob("charge", { queue: "money", payload: item }, () => {});
export const note = defineJob("note", { payload: text }, () => {});
export const order = defineWorkflow("order", { input: item }, async (wf, input) => {
  await wf.step("reserve", () => {});
  await wf.parallel("pack", [() => {}, () => {}]);
  await wf.waitForEvent("payment-received", "5m");
  await wf.waitForAny(["shipped", 'lost'], "5m");
});
`;
/** A workflow whose source does not show which events it waits for. */
const COMPUTED = `
const wait = (wf) => wf.waitForEvent("anything", "5m");
export const other = defineWorkflow("other", (wf) => wait(wf));
`;

/** What a command reports about the steps of a recipe: the code, the place and the hint. */
async function report(
  steps: string,
  command: string[] = ["check"],
  jobs = JOBS,
): Promise<string[]> {
  const files = { "jobs.ts": jobs, "r.yaml": `steps:\n${steps}  - assert: true\n` };
  return await withFiles(files, async (directory) => {
    const [name, ...options] = command;
    const dev = options.includes("--url") ? [] : ["--dev", join(directory, "jobs.ts")];
    const args = [name!, join(directory, "r.yaml"), ...dev, ...options, "--format", "json"];
    const { out } = await runnerCli(args);
    const found = out.split("\n").filter((line) => line.startsWith('{"code"'))
      .map((line) => JSON.parse(line) as DiagnosticJson);
    return found.map(({ code, line, column, message, label = "" }) =>
      `${code} ${line}:${column} ${(label || message).replaceAll(directory, "")}`
    );
  });
}

test("unknown jobs, workflows, queues, events and steps are errors with a suggestion", async () => {
  assert.deepEqual(
    await report(`  - enqueue: chrage
  - start: ordr
  - enqueue: charge
    queue: mony
  - publish: payment-recieved
  - id: o
    start: order
  - wait: o
    until_step: reserv
  - wait: o
    until_step: wait:payment-recieved
`),
    [
      "unknown-job 2:14 did you mean `charge`?",
      "unknown-workflow 3:12 did you mean `order`?",
      "unknown-queue 5:12 did you mean `money`?",
      "unknown-event 6:14 did you mean `payment-received`?",
      "unknown-checkpoint 10:17 did you mean `reserve`?",
      "unknown-checkpoint 12:17 did you mean `wait:payment-received`?",
    ],
  );
});

test("without a suggestion, the hint lists the names, or says what the name is", async () => {
  assert.deepEqual(
    await report(`  - enqueue: order
  - start: charge
  - enqueue: something-else
  - publish: something-else
  - parallel:
      - enqueue: charge
        queue: elsewhere
`),
    [
      "unknown-job 2:14 it is a workflow: use `start`",
      "unknown-workflow 3:12 it is a job: use `enqueue`",
      "unknown-job 4:14 it has `charge`, `note`",
      "unknown-event 5:14 they wait for `payment-received`, `shipped`, `lost`",
      "unknown-queue 8:16 the workers of \`/jobs.ts\` read `default`, `money`",
    ],
  );
});

test("what the definitions know is no error, and neither is a name that is computed", async () => {
  const steps = `  - enqueue: charge
    queue: default
    payload: { items: [{ count: 1 }] }
  - id: o
    start: order
  - publish: lost
  - wait: o
    until_step: parallel:pack:1
  - wait: o
    until_step: waitany:shipped,lost
  - enqueue: \${{ "nobody" }}
  - publish: \${{ "nobody" }}
`;
  assert.deepEqual(await report(steps), []);
  assert.deepEqual(await report("  - publish: nobody\n", ["check"], JOBS + COMPUTED), []);
});

test("a payload that the schema refuses is an error at the part that is wrong", async () => {
  assert.deepEqual(
    await report(`  - enqueue: charge
    payload:
      items:
        - count: 2
        - count: 0
  - enqueue: note
    payload: 7
  - enqueue: note
  - start: order
    input: { items: [{}] }
  - enqueue: note
    payload: \${{ 7 }}
`),
    [
      "refused-payload 6:18 `charge` refuses this payload: items.1.count: must be positive",
      "refused-payload 8:14 `note` refuses this payload: not a text",
      "refused-payload 9:14 `note` refuses a step without payload: not a text",
      "refused-payload 11:22 `order` refuses this input: items.0.count: must be positive",
    ],
  );
});

test("run and list report the same, before anything is sent", async () => {
  for (const command of [["run"], ["run", "--dry-run"]]) {
    assert.deepEqual(
      await report("  - enqueue: chrage\n", command),
      ["unknown-job 2:14 did you mean `charge`?"],
      command.join(" "),
    );
  }
  const files = { "jobs.ts": JOBS, "r.yaml": "steps:\n  - enqueue: chrage\n" };
  await withFiles(files, async (directory) => {
    const { code, err } = await runnerCli(["list", directory, "--dev", join(directory, "jobs.ts")]);
    assert.equal(code, 2);
    assert.match(err, /did you mean `charge`\?$/m);
  });
  const { code, out, err } = await runRecipe("steps:\n  - enqueue: noop\n  - enqueue: nop\n", [
    "--verbose",
  ]);
  assert.equal(code, 2);
  assert.equal(out, "");
  assert.match(err, /^error: the embedded server has no job `nop`$/m);
  assert.match(err, /\^\^\^ did you mean `noop`\?$/m);
  assert.doesNotMatch(err, /#1 →/);
});

test("the embedded server says which names it knows, and how to use others", async () => {
  const { err } = await runRecipe("steps:\n  - id: job\n    enqueue: charge\n  - wait: job\n");
  assert.match(err, /it has `send-email`, .*`sleep`; `--dev FILE` has your own$/m);
});

test("steps of used recipes and of `always` are checked", async () => {
  const files = {
    "inner.yaml": "steps:\n  - enqueue: chrage\n",
    "r.yaml": "steps:\n  - use: inner.yaml\n  - assert: true\nalways:\n  - publish: nobody\n",
    "jobs.ts": JOBS,
  };
  await withFiles(files, async (directory) => {
    const path = (name: string) => join(directory, name);
    const { code, err } = await runnerCli(["run", path("r.yaml"), "--dev", path("jobs.ts")]);
    assert.equal(code, 2);
    assert.match(err, /inner\.yaml:2:14/);
    assert.match(err, /r\.yaml:5:14/);
  });
});

test("without --dev and --url, check looks only at recipes that the embedded server could run", async () => {
  const check = async (steps: string, options: string[] = []) => {
    return await withFiles(
      { "r.yaml": `steps:\n${steps}  - assert: true\n` },
      async (directory) => {
        return (await runnerCli(["check", directory, ...options])).code;
      },
    );
  };
  assert.equal(await check("  - enqueue: send-emial\n"), 2);
  assert.equal(await check("  - enqueue: charge-card\n  - enqueue: send-emial\n"), 0);
  assert.equal(await check("  - enqueue: send-emial\n", ["--url", "ws://127.0.0.1:1/dwp"]), 0);
});

test("a server that runs elsewhere is not checked", async () => {
  await using server = await startServer();
  const text = "steps:\n  - publish: nobody\n  - assert: true\n";
  assert.equal((await runRecipe(text, ["--url", server.url])).code, 0);
});

test("a computed name of an unknown job fails at once, in YAML and in TypeScript", async () => {
  const { code, events } = await runRecipe('steps:\n  - enqueue: ${{ "nop" }}\n');
  assert.equal(code, 1);
  const problem = "the embedded server has no job `nop`; did you mean `noop`?";
  assert.equal(firstFailure(events).message, problem);
  const made = `recipe("R", (t) => t.enqueue(String("charge")))`;
  await withFiles({ "r.recipe.ts": scriptModule(made) }, async (directory) => {
    const { code, out } = await runnerCli([join(directory, "r.recipe.ts")]);
    assert.equal(code, 1);
    assert.match(out, /the embedded server has no job `charge`; it has `send-email`, /);
  });
});

test("what a recipe in TypeScript computes is checked before it is sent", async () => {
  const wrong: [string, RegExp][] = [
    [
      't.enqueue(String("chrge"), {})',
      /^`.*jobs\.ts` has no job `chrge`; did you mean `charge`\?$/,
    ],
    ['t.enqueue(String("order"))', /has no job `order`; it is a workflow: use `start`$/],
    [
      't.enqueue("note", "a", { queue: String("mony") })',
      /reads queue `mony`; did you mean `money`\?$/,
    ],
    ['t.enqueue("note", Number(7))', /^`note` refuses this payload: not a text$/],
    ['t.start(String("ordr"))', /has no workflow `ordr`; did you mean `order`\?$/],
    [
      't.start("order", { items: [Object()] })',
      /^`order` refuses this input: items\.0\.count: must be/,
    ],
    ['t.publish(String("shiped"))', /waits for event `shiped`; did you mean `shipped`\?$/],
    ['t.step("publish", { publish: String("shiped") })', /waits for event `shiped`; did you mean/],
  ];
  for (const [call, problem] of wrong) {
    const { failure, sent } = await failureOf(call);
    assert.match(failure, problem);
    assert.deepEqual(sent, []);
  }
  const wait = 't.wait(await t.start("order"), { untilStep: String("reserv") })';
  const { failure, sent } = await failureOf(wait);
  assert.match(failure, /^workflow `order` has no step `reserv`; did you mean `reserve`\?$/);
  assert.ok(sent.includes("workflow.start"));
});

test("a wait of a recipe in TypeScript for a step does not need the input again", async () => {
  const start = 't.start("order", { items: [] })';
  const jobs = JOBS.replace("?.items ?? []", ".items");
  const wait = `t.wait(await ${start}, { untilStep: "reserve" }); t.assert(false, "it went on")`;
  assert.equal((await failureOf(wait, jobs)).failure, "the assertion failed: it went on");
});

test("what a recipe in TypeScript sends with `t.call` and `t.client` is not checked", async () => {
  for (const call of ['t.call("job.enqueue", { name: "x" })', 't.client.enqueue("note", 7)']) {
    assert.deepEqual((await failureOf(`t.assert(await ${call})`)).failure, "");
  }
});

/** How a call of `t` fails against the definitions, and the requests that were sent. */
async function failureOf(
  call: string,
  jobs = JOBS,
): Promise<{ failure: string; sent: string[] }> {
  const files = {
    "jobs.ts": jobs,
    "r.recipe.ts": scriptModule(`recipe("R", async (t) => { await ${call}; })`),
  };
  return await withFiles(files, async (directory) => {
    const dev = ["--dev", join(directory, "jobs.ts"), "--reporter", "jsonl"];
    const { out } = await runnerCli([join(directory, "r.recipe.ts"), ...dev]);
    const events = out.trimEnd().split("\n").map((line) => JSON.parse(line));
    const step = events.find(({ failure, step }) => failure && step);
    const frames: { direction: string; text: string }[] = step?.frames ?? [];
    const sent = frames.filter(({ direction }) => direction === "sent")
      .map(({ text }) => JSON.parse(text).method)
      .filter((method) => method !== "auth" && method !== "subscribe");
    return { failure: step?.failure.message ?? "", sent };
  });
}
