/**
 * The speed of recipes: `deno run -A bench/recipes.ts`. It runs 200 recipes of one step over one
 * client, and one recipe of 2,000 steps, whose last steps must not be slower than its first.
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { createDevServer, referenceWorkload } from "../dev/mod.ts";
import { Dispatch } from "../client/dispatch.ts";
import { systemClock } from "../runtime/clock.ts";
import type { RecipeEvent } from "../runner/mod.ts";
import { planCases, runCases } from "../runner/engine/run.ts";
import { readRecipe } from "../runner/recipe/read_recipe.ts";
import type { Recipe } from "../runner/language/model.ts";

const server = await createDevServer(referenceWorkload());
const client = await Dispatch.connect({ url: server.url, token: "demo-token" });

async function read(name: string, text: string): Promise<Recipe> {
  const { recipe, diagnostics } = await readRecipe(name, text);
  if (!recipe) throw new Error(`Cannot measure '${name}': ${diagnostics[0]?.message}`);
  return recipe;
}

async function run(recipes: Recipe[], parallel: number): Promise<RecipeEvent[]> {
  const events: RecipeEvent[] = [];
  const { exitCode } = await runCases(planCases(recipes), {
    client,
    clock: systemClock,
    random: Math.random,
    report: (event) => void events.push(event),
    server: "embedded",
    env: () => undefined,
    signal: new AbortController().signal,
    parallel,
  });
  if (exitCode !== 0) throw new Error(`Cannot measure: the run exited with ${exitCode}`);
  return events;
}

for (
  const [what, text] of [
    ["one assertion", "steps:\n  - assert: 1 + 1 == 2\n"],
    ["stats and an assertion", "steps:\n  - id: s\n    stats:\n    expect: { s.connections: 0 }\n"],
  ] as const
) {
  const began = performance.now();
  const recipes: Recipe[] = [];
  for (let i = 0; i < 200; i++) recipes.push(await read(`r${i}.yaml`, text));
  const read200 = performance.now();
  await run(recipes, 8);
  const done = performance.now();
  console.log(
    `200 recipes, ${what}: ${(done - began).toFixed(0)} ms ` +
      `(checked in ${(read200 - began).toFixed(0)} ms, run in ${(done - read200).toFixed(0)} ms)`,
  );
}

const steps = Array.from(
  { length: 1000 },
  (_, i) => `  - id: s${i}\n    set: { n: "\${{ vars.n + 1 }}" }\n  - assert: vars.n == ${i + 1}\n`,
);
const began = performance.now();
const long = await read("long.yaml", `vars: { n: 0 }\nsteps:\n${steps.join("")}`);
const checked = performance.now();
const events = await run([long], 1);
const done = performance.now();
const times = events.flatMap((event) =>
  event.type === "step.finished" ? [Date.parse(event.ts)] : []
);
const part = (from: number, to: number) => times[to - 1]! - times[from]!;
console.log(
  `a recipe of 2,000 steps: checked in ${(checked - began).toFixed(0)} ms, ` +
    `run in ${(done - checked).toFixed(0)} ms; its first 500 in ${part(0, 500)} ms, ` +
    `its last 500 in ${part(1500, 2000)} ms`,
);
await client.close();
await server.close();
