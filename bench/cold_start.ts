/**
 * Measures cold starts, as multiples of the time that an empty file takes: `node bench/cold_start.ts`.
 * The cases take turns, and each process is timed from start to exit. The order recipe has two rows:
 * the first subtracts the duration of its run, to show the start alone; the second subtracts only the
 * time that its steps waited, to show the start and the work of the run. Node runs `runner.mjs`,
 * which keeps compiled modules in a cache.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median, row } from "./_measure.ts";

const ROUNDS = 30;
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "dispatch-bench-"));
const empty = join(folder, "empty.ts");
const imports = join(root, "bench", "_import_client.ts");
const recipe = join(root, "recipes", "order-smoke.yaml");
const oneStep = join(folder, "one-step.yaml");
writeFileSync(empty, "");
writeFileSync(
  oneStep,
  "name: One step\nsteps:\n  - enqueue: send-email\n    payload: { to: a@b.c }\n",
);

interface Result {
  ms: number;
  out: string;
}

function start(command: string, ...args: string[]): Result {
  const begun = performance.now();
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  // The recipe of one step checks nothing, so it exits with 4.
  if (status !== 0 && status !== 4) {
    throw new Error(`${command} ${args.join(" ")} exited with ${status}: ${stderr}`);
  }
  return { ms: performance.now() - begun, out: stdout };
}

/** Adds up the times in the report that match a pattern, in milliseconds. */
function reported({ out }: Result, pattern: RegExp): number {
  return [...out.matchAll(pattern)]
    .reduce((sum, [, n, unit]) => sum + Number(n) * (unit === "s" ? 1_000 : 1), 0);
}

const RUN = /passed in (\d+(?:\.\d+)?) (ms|s)\b/g;
const WAITS = /wait for .*?\s(\d+(?:\.\d+)?) (ms|s)\b/g;

/** Stands for the runtime's file that starts the runner. */
const RUNNER = "runner";

const CASES: { name: string; args: string[]; off?: RegExp }[] = [
  { name: "an empty file", args: [empty] },
  { name: "importing the client", args: [imports] },
  { name: "a recipe of one step", args: [RUNNER, oneStep] },
  { name: "the order recipe, until its first step", args: [RUNNER, recipe], off: RUN },
  { name: "the order recipe, without its waits", args: [RUNNER, recipe], off: WAITS },
];

row("runtime", "what", "median", "of an empty file");
row("---", "---", "---", "---");
for (const [runtime, ...run] of [["deno", "run", "-A"], ["bun"], ["node"]] as const) {
  const runner = runtime === "node" ? "runner.mjs" : "runner.ts";
  const times = CASES.map((): number[] => []);
  for (let round = -2; round < ROUNDS; round++) {
    for (const [i, { args, off }] of CASES.entries()) {
      const result = start(runtime, ...run, ...args.map((arg) => arg === RUNNER ? runner : arg));
      // The first rounds only warm the caches.
      if (round >= 0) times[i]!.push(off ? result.ms - reported(result, off) : result.ms);
    }
  }
  const base = median(times[0]!);
  for (const [i, { name }] of CASES.entries()) {
    const ms = median(times[i]!);
    row(runtime, name, `${ms.toFixed(1)} ms`, `${(ms / base).toFixed(2)}×`);
  }
}
rmSync(folder, { recursive: true });
