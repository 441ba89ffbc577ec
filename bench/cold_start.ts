/**
 * How long it takes to start, as a multiple of an empty file's, measured in turns in the same run:
 * `node bench/cold_start.ts`. What a recipe itself waits for is taken off.
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
writeFileSync(empty, "");

interface Result {
  ms: number;
  out: string;
}

function start(command: string, ...args: string[]): Result {
  const begun = performance.now();
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}: ${stderr}`);
  return { ms: performance.now() - begun, out: stdout };
}

/** What the steps that wait took, as the report says. */
function waited({ out }: Result): number {
  const waits = out.matchAll(/wait for .*?\s(\d+(?:\.\d+)?) (ms|s)\b/g);
  return [...waits].reduce((sum, [, n, unit]) => sum + Number(n) * (unit === "s" ? 1_000 : 1), 0);
}

row("runtime", "what", "median", "of an empty file's");
row("---", "---", "---", "---");
for (const [runtime, ...run] of [["deno", "run", "-A"], ["bun"], ["node"]] as const) {
  const cases: [string, string[]][] = [
    ["an empty file", [empty]],
    ["importing the client", [imports]],
    ["the recipe, its waits taken off", ["runner.ts", recipe]],
  ];
  const times = new Map(cases.map(([name]) => [name, [] as number[]]));
  for (let round = -2; round < ROUNDS; round++) {
    for (const [name, args] of cases) {
      const result = start(runtime, ...run, ...args);
      // The first rounds warm the caches.
      if (round >= 0) times.get(name)!.push(result.ms - waited(result));
    }
  }
  const base = median(times.get("an empty file")!);
  for (const [name, all] of times) {
    row(runtime, name, `${median(all).toFixed(1)} ms`, `${(median(all) / base).toFixed(2)}×`);
  }
}
rmSync(folder, { recursive: true });
