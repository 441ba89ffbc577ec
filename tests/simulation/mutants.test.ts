import { deepEqual, equal, match } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { MUTANTS } from "./mutants.ts";
import { DETAIL_MUTANTS } from "./mutants_of_details.ts";
import { applyEdits, hunt } from "./plant.ts";
import { RUNNER_MUTANTS } from "./recipes/mutants.ts";

const ALL = [...MUTANTS, ...DETAIL_MUTANTS, ...RUNNER_MUTANTS];

const source = (file: string) => readFile(new URL(`../../${file}`, import.meta.url), "utf8");

test("every mutant fits the sources", async () => {
  const stale: string[] = [];
  for (const mutant of ALL) {
    const text = await source(mutant.file);
    try {
      if (applyEdits(mutant, text) === text) stale.push(`${mutant.what}: changes nothing`);
    } catch (error) {
      stale.push((error as Error).message);
    }
  }
  deepEqual(stale, []);
  equal(new Set(ALL.map(({ what }) => what)).size, ALL.length);
});

const SEED = 13;

/** Mutants that few programs find. `deno task simulate:mutants` tries them all. */
const QUICK: Record<string, RegExp> = {
  "a lane is dropped before its answer": /^6: .* dropped \[.*\] before an answer/,
  "a deadline does not move the timer forward":
    /^1: .* settled \d+ ms after its deadline|^6: .* still keeps .* idle/,
  "a failure in `always` ends it": /^1: always /,
  "a closed client keeps its last link": /^7: a \w+ is reachable from the client after close/,
  "reconnecting begins although it is off": /^6: .* reconnects although it must not/,
};

// The tool is the same everywhere, so one runtime is enough. Bun is no judge of memory.
const skip = "Bun" in globalThis || "Deno" in globalThis;
for (const [what, violation] of Object.entries(QUICK)) {
  test(`the simulation finds that ${what}`, { skip }, async () => {
    const mutant = ALL.find((it) => it.what === what)!;
    match((await hunt(mutant, SEED, 200)).violation ?? "nothing", violation);
  });
}
