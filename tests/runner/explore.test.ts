// The command `explore`: workloads with planted mistakes, and their mended versions.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { systemClock } from "../../runtime/clock.ts";
import { type CliResult, runnerCli as run } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

/** Runs a command. Its runs have virtual time of their own; a fake clock would only end early. */
function runnerCli(args: readonly string[]): Promise<CliResult> {
  return run(args, { clock: systemClock });
}

const MOD = pathToFileURL(join(process.cwd(), "dev/mod.ts")).href;

/** A file of definitions; `report` returns what `state` returns as the data of its step. */
function definitions(text: string, state = "({})"): string {
  return `import { defineJob, defineWorkflow } from ${JSON.stringify(MOD)};
${text}
export const report = defineWorkflow("report", async (wf) => {
  await wf.step("state", () => ${state});
});
`;
}

/** A recipe that ends with a look at the report. */
function recipe(steps: string, assertion: string): string {
  return `name: Planted
steps:
${steps}
  - id: report
    start: report
    input: {}
  - wait: report
  - assert: ${assertion.replaceAll("STATE", "report.steps[0].data")}
`;
}

/** Explores a recipe with a file of definitions. */
async function explore(
  dev: string,
  yaml: string,
  args: readonly string[] = [],
): Promise<CliResult & { only: string[] }> {
  let result: CliResult | undefined;
  await withFiles({ "dev.ts": dev, "r.yaml": yaml }, async (directory) => {
    const files = [join(directory, "r.yaml"), "--dev", join(directory, "dev.ts")];
    result = await runnerCli(["explore", ...files, ...args]);
  });
  const [, command = ""] = /Repeat it: (.*)/.exec(result!.out) ?? [];
  return { ...result!, only: [...command.matchAll(/--only (\S+)/g)].map(([, key]) => key!) };
}

const ORDER = `  - id: order
    start: order
    input: { id: a }
  - wait: order
    until: [completed, failed]`;
const ONE_JOB = `  - id: charge
    enqueue: charge
    payload: { id: a }
  - wait: charge`;
const TWO_JOBS = `  - id: a
    enqueue: withdraw
    payload: { id: a, amount: 30 }
  - id: b
    enqueue: withdraw
    payload: { id: b, amount: 20 }
  - wait: a
  - wait: b`;
const TWO_ORDERS = `  - id: a
    start: order
    input: { id: a }
  - id: b
    start: order
    input: { id: b }
  - publish: paid
    payload: { id: a }
  - publish: paid
    payload: { id: b }
  - wait: a
  - wait: b`;

interface Planted {
  name: string;
  wrong: string;
  right: string;
  yaml: string;
  /** What the faults look like. */
  fault: RegExp;
}

const chargeOnce = "if (!charged.has(id)) { charged.add(id); count++; }";
const order = (charge: string, compensate = "") =>
  definitions(
    `const charged = new Set<string>();
let count = 0, shipped = 0;
const ships = new Set<string>();
export const order = defineWorkflow("order", async (wf, { id }: { id: string }) => {
  await wf.step("charge", () => { ${charge} }${compensate});
  await wf.step("ship", () => { if (!ships.has(id)) { ships.add(id); shipped++; } });
});`,
    "({ count, shipped })",
  );
const refund = ", { compensate: () => { if (charged.delete(id)) count--; } }";
const charge = (body: string) =>
  definitions(
    `const charged = new Set<string>();
let count = 0;
export const charge = defineJob("charge", ({ id }: { id: string }) => { ${body} });`,
    "({ count })",
  );
const withdraw = (body: string) =>
  definitions(
    `let balance = 100;
let last: Promise<unknown> = Promise.resolve();
const seen = new Set<string>();
const read = async () => await Promise.resolve(balance);
export const withdraw = defineJob("withdraw", async (p: { id: string; amount: number }) => {
  const change = async () => {
    const before = await read();
    if (!seen.has(p.id)) balance = before - p.amount;
    seen.add(p.id);
  };
  ${body}
});`,
    "({ balance })",
  );
const paidOrder = (wait: string) =>
  definitions(
    `const paid = new Set<string>();
export const order = defineWorkflow("order", async (wf, { id }: { id: string }) => {
  await wf.step("reserve", () => {});
  const event = await wf.${wait};
  await wf.step("ship", () => { if ((event!.payload as { id: string }).id === id) paid.add(id); });
});`,
    "({ paid: paid.size })",
  );

const PLANTED: Planted[] = [
  {
    name: "a step that charges twice when it is repeated",
    wrong: order("charged.add(id); count++;", refund),
    right: order(chargeOnce, refund),
    yaml: recipe(ORDER, "STATE.count == STATE.shipped"),
    fault: /^crash:step:order:charge$/,
  },
  {
    name: "a charge that stays when a later step fails",
    wrong: order(chargeOnce),
    right: order(chargeOnce, refund),
    yaml: recipe(ORDER, "STATE.count == STATE.shipped"),
    fault: /^fail:step:order:ship$/,
  },
  {
    name: "a job without a key that makes it idempotent",
    wrong: charge("count++;"),
    right: charge(chargeOnce),
    yaml: recipe(ONE_JOB, "STATE.count == 1"),
    fault: /^(?:crash|error):job:charge$|^duplicate:enqueue:charge$/,
  },
  {
    name: "a balance that two jobs read before either writes it",
    wrong: withdraw("await change();"),
    right: withdraw("await (last = last.then(change));"),
    yaml: recipe(TWO_JOBS, "STATE.balance == 50"),
    fault: /^order:job:withdraw$/,
  },
  {
    name: "an event that another run takes",
    wrong: paidOrder('waitForEvent("paid", "10m")'),
    right: paidOrder('waitForMatch("paid", "10m", (e) => (e.payload as { id: string }).id === id)'),
    yaml: recipe(TWO_ORDERS, "STATE.paid == 2"),
    fault: /^(?:crash|order|delay):/,
  },
];

for (const { name, wrong, right, yaml, fault } of PLANTED) {
  test(`explore finds ${name}`, async () => {
    const { code, out, err, only } = await explore(wrong, yaml, ["--seeds", "60", "--bail"]);
    assert.equal(code, 1, out + err);
    assert.match(out, /^1\. Planted fails with seed \d+/m);
    assert.match(out, /error: `report\.steps\[0\]\.data/);
    assert.equal(only.length, 1, out);
    assert.match(only[0]!, fault);
  });

  test(`explore finds nothing once this is mended: ${name}`, async () => {
    const { code, out, err } = await explore(right, yaml, ["--seeds", "25"]);
    assert.equal(code, 0, out + err);
    assert.match(out, /^25 seeds, 0 failures in /m);
  });
}

test("the printed command repeats the failure, and shows what happened", async () => {
  const { wrong, yaml } = PLANTED[0]!;
  const args = ["--seed", "9", "--only", "crash:step:order:charge"];
  const first = await explore(wrong, yaml, args);
  assert.equal(first.code, 1, first.out + first.err);
  assert.match(first.out, /0 ms {2}the recipe starts order$/m);
  assert.match(first.out, /step charge of workflow order crashed after its function returned/);
  assert.match(first.out, /error: `report\.steps\[0\]\.data/);
  const again = await explore(wrong, yaml, args);
  const lines = (text: string) => text.split("\n").filter((line) => !line.includes("r.yaml"));
  assert.deepEqual(lines(again.out).slice(1), lines(first.out).slice(1));
  const none = await explore(wrong, yaml, ["--seed", "9", "--only", "none"]);
  assert.equal(none.code, 0, none.out);
});

test("a job or run is not made to fail if the recipe does not accept that", async () => {
  const strict = recipe(
    ORDER.replace("\n    until: [completed, failed]", ""),
    "STATE.shipped == 1",
  );
  const { code, out } = await explore(order(chargeOnce, refund), strict, ["--seeds", "25"]);
  assert.equal(code, 0, out);
});

test("a handler that waits for ever fails the recipe, and does not stop the exploration", async () => {
  const dev = definitions(`const waiting = new Map<string, () => void>();
export const paid = defineJob("paid", ({ id }: { id: string }) => waiting.get(id)?.());
export const order = defineWorkflow("order", async (wf, { id }: { id: string }) => {
  await wf.step("reserve", () => {});
  await wf.step("payment", () => new Promise<void>((paid) => { waiting.set(id, paid); }));
});`);
  const steps = `steps:
  - id: order
    start: order
    input: { id: a }
  - enqueue: paid
    payload: { id: a }
  - wait: order
    within: 30s
`;
  const { code, out, err } = await explore(dev, steps, ["--seeds", "20", "--bail"]);
  assert.equal(code, 1, out + err);
  assert.match(out, /is still running after/);
});

test("timers, dates and random numbers of handlers follow the seed", async () => {
  const dev = definitions(
    `let at: unknown;
export const order = defineWorkflow("order", async (wf) => {
  await wf.step("nap", async () => {
    const before = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 3_600_000));
    at = { day: new Date(before).toISOString().slice(0, 10), ms: Date.now() - before };
  });
});`,
    "at",
  );
  const yaml = recipe(ORDER, 'STATE.day == "2026-01-01" && STATE.ms == 3600000');
  const { code, out, err } = await explore(dev, yaml, ["--seeds", "5", "--faults", "crash"]);
  assert.equal(code, 0, out + err);
});

test("state that outlives a run is found, and `reset` gives it its first values", async () => {
  const files = (reset: string) => ({
    "state.ts": "export const state = { count: 0 };\n",
    "dev.ts": definitions(
      `import { state } from "./state.ts";
export const charge = defineJob("charge", () => { state.count++; });
${reset}`,
      "state",
    ),
    "r.yaml": recipe(ONE_JOB, "STATE.count == 1"),
  });
  const exploreWith = async (reset: string) => {
    let result: CliResult | undefined;
    await withFiles(files(reset), async (directory) => {
      const paths = [join(directory, "r.yaml"), "--dev", join(directory, "dev.ts")];
      result = await runnerCli(["explore", ...paths, "--seeds", "4", "--faults", "delay"]);
    });
    return result!;
  };
  const stale = await exploreWith("");
  assert.equal(stale.code, 1);
  assert.match(stale.err, /some state outlives a run\..*export a function `reset`/);
  const { code, out, err } = await exploreWith("export const reset = () => { state.count = 0; };");
  assert.equal(code, 0, out + err);
});

test("a request that a fault delays for a minute is no failure of the workload", async () => {
  const text = `export const order = defineWorkflow("order", async (wf) => {
  const paid = await wf.waitForEvent("paid", "1h");
  if (!paid) throw new Error("payment timed out");
});`;
  const yaml = recipe(
    "  - id: order\n    start: order\n  - publish: paid\n  - wait: order",
    "true",
  );
  const delayed = ["--delay", "75s", "--seed", "8", "--only", "delay:start:order"];
  const { code, out } = await explore(definitions(text), yaml, delayed);
  assert.match(out, /the request to start order began 63369 ms late/);
  assert.equal(code, 0, out);
});

test("a recipe that fails without faults is not explored", async () => {
  const { yaml } = PLANTED[0]!;
  const wrong = definitions(
    `export const order = defineWorkflow("order", () => {});`,
    "({ count: 1, shipped: 2 })",
  );
  const { code, err } = await explore(wrong, yaml);
  assert.equal(code, 1);
  assert.match(err, /Cannot explore 'Planted': it fails without faults/);
});

test("--json prints a line for each failure and one for the end", async () => {
  const { wrong, yaml } = PLANTED[2]!;
  const { code, out } = await explore(wrong, yaml, ["--seeds", "10", "--json"]);
  assert.equal(code, 1);
  const [failure, end, ...rest] = out.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(rest, []);
  assert.equal(failure.type, "failure");
  assert.deepEqual(failure.faults.map(({ key }: { key: string }) => key), failure.only);
  assert.ok(failure.timeline.some(({ fault }: { fault?: string }) => fault === failure.only[0]));
  assert.equal(failure.failure.kind, "assertion");
  assert.deepEqual({ ...end, duration_ms: 0 }, {
    type: "summary",
    seeds: 10,
    failures: 1,
    duration_ms: 0,
  });
});

test("reports show the failing run with its faults and the command", async () => {
  const { wrong, yaml } = PLANTED[2]!;
  await withFiles({ "dev.ts": wrong, "r.yaml": yaml }, async (directory) => {
    const file = join(directory, "out.md");
    const { code, out, err } = await runnerCli([
      ...["explore", join(directory, "r.yaml"), "--dev", join(directory, "dev.ts")],
      ...["--seeds", "10", "--reporter", `jsonl=${file}`],
    ]);
    assert.equal(code, 1, out + err);
    const text = await readFile(file, "utf8");
    assert.match(text, /"text":"fault at 0 ms: job charge \(attempt 1\) crashed after its handler/);
    assert.match(text, /"text":"repeat it: dispatch explore .* --only crash:job:charge"/);
    assert.match(text, /"exit_code":1/);
  });
});

test("a wrong command line is refused with a reason", async () => {
  const refused: [string[], RegExp][] = [
    [[], /Nothing to explore: name a recipe or directory/],
    [["r.yaml", "--url", "ws://x/dwp"], /so --url cannot be used/],
    [["r.yaml", "--clock", "real"], /--clock cannot be 'real'/],
    [["r.yaml", "--faults", "crush"], /there is no fault 'crush'; did you mean `crash`\?/],
    [["r.yaml", "--seed", "1", "--only", "crsh:job:a"], /there is no fault 'crsh'/],
    [["r.yaml", "--only", "crash:job:a"], /--only repeats the run of one seed/],
    [["r.yaml", "--seeds", "0"], /--seeds must be a whole number of at least 1/],
    [["r.yaml", "--delay", "0s"], /--delay must be at least 1ms/],
  ];
  for (const [args, message] of refused) {
    const { code, err } = await runnerCli(["explore", ...args]);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, message);
  }
});
