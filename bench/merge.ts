/**
 * Merging 100 shards of 1,000 cases each: `bun bench/merge.ts`. Bun says how much processor time and
 * memory each process has taken. `--reporter html` measures that report only, `--reporter history` a
 * report with a history, and `--keep DIRECTORY` keeps the streams.
 *
 * @module
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { option, row } from "./_measure.ts";

const SHARDS = 100;
const CASES = 1_000;
const ROUNDS = 3;
const root = join(import.meta.dirname!, "..");

// The checker has only the types of the runtime that it belongs to.
// deno-lint-ignore no-explicit-any
const { Bun } = globalThis as any;
if (!Bun) throw new Error("Only Bun tells what a process has taken: bun bench/merge.ts");

const PROGRAMS: Record<string, string[]> = {
  Deno: ["deno", "run", "-A", join(root, "runner.ts")],
  Bun: ["bun", join(root, "runner.ts")],
  Node: ["node", join(root, "runner.mjs")],
};

const RECIPES: Record<string, string> = {
  "an assertion": "steps: [{ assert: 1 + 1 == 2 }]\n",
  "a job": "steps:\n  - id: job\n    enqueue: noop\n  - wait: job\n  - assert: 1 + 1 == 2\n",
};

/** Writes the streams of all shards, each of the events of one case again and again. */
async function writeStreams(folder: string, recipe: string): Promise<number> {
  const [file, stream] = [join(folder, "recipe.yaml"), join(folder, "one.jsonl")];
  writeFileSync(file, recipe);
  const args = [file, "--reporter", `jsonl=${stream}`];
  Bun.spawnSync([...PROGRAMS.Bun!, ...args], { stderr: "ignore" });
  const lines = (await Bun.file(stream).text()).trimEnd().split("\n");
  const [first, ...events] = lines;
  const started = JSON.parse(first!);
  const finished = JSON.parse(events.pop()!);
  finished.counts.passed = CASES;
  const streams = join(folder, "streams");
  mkdirSync(streams);
  let bytes = 0;
  for (let shard = 0; shard < SHARDS; shard++) {
    const cases = Array.from({ length: CASES }, (_, i) => i * SHARDS + shard);
    const part = { index: shard + 1, total: SHARDS, cases, planned: SHARDS * CASES };
    const all = cases.flatMap((number, i) =>
      events.map((line: string) =>
        line.replace('"case":0', `"case":${i}`)
          .replace(/"name":"(?!noop)[^"]*"/, `"name":"Case ${number}"`)
      )
    );
    const text = [JSON.stringify({ ...started, cases: CASES, shard: part }), ...all]
      .concat(JSON.stringify(finished), "").join("\n");
    writeFileSync(join(streams, `${shard + 1}.jsonl`), text);
    bytes += text.length;
  }
  return bytes;
}

/** How many runs of each case a history has before the merge; undefined without a history. */
const HISTORIES: Record<string, number> = {
  "console, a new history": 0,
  "console, a history of 20 runs": 20,
};

/** Merges them, and returns the seconds of the processor and the megabytes that it took. */
function merge(program: string[], folder: string, reporter: string): [number, number] {
  const [name] = reporter.split(",");
  const args = [
    "merge",
    join(folder, "streams"),
    "--reporter",
    `${name}=${join(folder, "report")}`,
  ];
  const runs = HISTORIES[reporter];
  if (runs !== undefined) {
    const history = join(folder, "history.db");
    rmSync(history, { force: true });
    if (runs > 0) copyFileSync(historyOf(folder, runs), history);
    args.push("--history", history);
  }
  const { exitCode, resourceUsage, stderr } = Bun.spawnSync([...program, ...args]);
  if (exitCode !== 0) throw new Error(`Cannot merge: ${stderr}`);
  return [Number(resourceUsage.cpuTime.total) / 1e6, resourceUsage.maxRSS / 1e6];
}

const histories = new Map<string, string>();

/** Makes a history of so many earlier runs of each case. */
function historyOf(folder: string, runs: number): string {
  const known = histories.get(folder);
  if (known) return known;
  const file = join(folder, "runs.db");
  rmSync(file, { force: true });
  histories.set(folder, file);
  const args = ["merge", join(folder, "streams"), "--reporter", "tap", "--history", file];
  Bun.spawnSync([...PROGRAMS.Bun!, ...args]);
  const database = new DatabaseSync(file);
  const cases = SHARDS * CASES;
  database.exec(`BEGIN; UPDATE run SET at = at - 86400000 * ${runs}`);
  for (let first = cases; first < runs * cases; first += cases) {
    database.exec(`
      INSERT INTO run SELECT id + ${first}, case_id, at + 86400000 * ${
      first / cases
    }, status, flaky,
        duration_ms FROM run WHERE id <= ${cases};
      INSERT INTO step SELECT run_id + ${first}, phase, number, label, status, attempts, duration_ms
        FROM step WHERE run_id <= ${cases}`);
  }
  database.exec("COMMIT");
  database.close();
  return file;
}

const kept = option("keep");
const chosen = option("reporter");
const reporters = chosen === undefined
  ? ["console", "junit", "json", "ctrf", "html", "jsonl", ...Object.keys(HISTORIES)]
  : chosen === "history"
  ? Object.keys(HISTORIES)
  : [chosen];
row("each case has", "report", ...Object.keys(PROGRAMS));
row(...Array(2 + Object.keys(PROGRAMS).length).fill("---"));
for (const [what, recipe] of Object.entries(RECIPES)) {
  const folder = kept === undefined
    ? mkdtempSync(join(tmpdir(), "dispatch-merge-"))
    : join(kept, what.replaceAll(" ", "-"));
  mkdirSync(folder, { recursive: true });
  const bytes = await writeStreams(folder, recipe);
  for (const reporter of reporters) {
    if (reporter in HISTORIES && what !== "an assertion") continue;
    const cells = Object.values(PROGRAMS).map((program) => {
      const rounds = Array.from({ length: ROUNDS }, () => merge(program, folder, reporter));
      const [seconds, megabytes] = [0, 1].map((i) => Math.min(...rounds.map((one) => one[i]!)));
      return `${seconds!.toFixed(1)} s, ${megabytes!.toFixed(0)} MB`;
    });
    row(`${what}, ${(bytes / 1e6).toFixed(0)} MB`, reporter, ...cells);
  }
  if (kept === undefined) rmSync(folder, { recursive: true });
}
