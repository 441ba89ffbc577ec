import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createDevServer, referenceWorkload } from "../../dev/mod.ts";
import { RunnerProcess } from "./_process.ts";
import { withFiles } from "./_recipe.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const PROGRAM = join(root, "tests", "runner", "_loaded_modules.ts");

/** How many modules the run of a recipe without expressions loads. Each takes part of its start. */
const MOST_MODULES = 270;

/** What only some recipes and command lines need. */
const RARE = [
  /^runner\/(health|merge|notify|schedule|script|status)\//,
  // The key of a case is part of what identifies a run.
  /^runner\/history\/(?!case_key\.ts)/,
  /^runner\/recipe\/read_(alert|heartbeat|inputs|matrix|quarantine|schedule)\.ts$/,
  /^runner\/recipe\/check_expressions\.ts$/,
  /^runner\/report\/(report_file\.ts|(ctrf|github|html|json|junit|markdown|otel|tap)\/(?!settings|workflow_command))/,
  /^runner\/cli\/(dry_run|frame_log|last_failed|print_diagnostics|program|shard|vars_file|virtual_run)\.ts$/,
  /^runner\/cli\/(calls|cases|complete|explore|health|manifest|record)\//,
  /^runner\/expression\/(pattern|value_tree)\.ts$/,
  // They load the `yaml` package, which plain recipes do not need.
  /^runner\/language\/_(parse_yaml|yaml_nodes)\.ts$/,
  /^client\/http\//,
  /^dev\/(cron_|define_cron|load_workload|reference_crons|serve\.ts|virtual_clock)/,
  /^dev\/listen\/_/,
  /^dev\/wire\/(http|_admin|_sse)/,
  /^dev\/_handler_/,
];

const RECIPE = `
steps:
  - id: job
    enqueue: noop
  - wait: job
    within: 10s
`;

/** Runs a recipe in a process of its own; returns the modules that it has loaded. */
function modulesOf(recipe: string, ...options: string[]): Promise<string[]> {
  return modulesOfRun(recipe, "recipe.yaml", options);
}

/** Runs a recipe that is named by its file or its directory. */
async function modulesOfRun(recipe: string, path: string, options: string[]): Promise<string[]> {
  let found: string | undefined;
  await withFiles({ "recipe.yaml": recipe }, async (directory) => {
    const runner = new RunnerProcess([PROGRAM, join(directory, path), ...options]);
    assert.equal(await runner.exit(), 0, runner.output);
    found = /^loaded (.*)$/m.exec(runner.output)?.[1];
  });
  return JSON.parse(found!);
}

const isRare = (path: string) => RARE.some((pattern) => pattern.test(path));

test("a run loads no more modules than it did, and none that only other recipes need", async () => {
  const loaded = await modulesOf(RECIPE);
  assert.deepEqual(loaded.filter(isRare), []);
  assert.ok(loaded.includes("runner/cli/commands/run.ts"), "a module of each run was not seen");
  const ours = loaded.filter((name) => name.endsWith(".ts"));
  assert.ok(ours.length <= MOST_MODULES, `${ours.length} modules`);
  // It has Node's classes of events and sockets, which take a tenth of a start.
  assert.deepEqual(loaded.filter((name) => name.includes("undici")), []);
});

test("a run of a directory against another server loads no embedded one", async () => {
  await using server = await createDevServer(referenceWorkload());
  // Whether a recipe in a directory has expressions is only known when it has been read.
  const loaded = await modulesOfRun(RECIPE, ".", ["--url", server.url]);
  assert.deepEqual(loaded.filter((path) => path.startsWith("dev/") || isRare(path)), []);
  assert.ok(!loaded.includes("runner/cli/check_server_names.ts"));
});

test("a recipe with rare keys loads what reads them", async () => {
  const loaded = await modulesOf(
    `
inputs:
  name: { default: me }
matrix: { size: [1] }
quarantine: { until: 2999-01-01, reason: it is slow }
schedule: { every: 1m }
alert: { to: ops }
steps:
  - id: job
    enqueue: noop
  - wait: job
`,
    "--shard",
    "1/1",
  );
  for (const name of ["inputs", "matrix", "quarantine", "schedule", "alert"]) {
    assert.ok(loaded.includes(`runner/recipe/read_${name}.ts`), name);
  }
  assert.ok(loaded.includes("runner/cli/shard.ts"));
});

test("each pattern of rare modules matches some", () => {
  const files = ["runner", "client", "dev", "protocol"].flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
      .map((path) => `${room}/${path.replaceAll("\\", "/")}`)
  );
  for (const pattern of RARE) assert.ok(files.some((file) => pattern.test(file)), `${pattern}`);
});
