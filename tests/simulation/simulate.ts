// Runs random programs of clients, servers and faults in virtual time: `deno task simulate`.
// `--seed N` and `--path P` repeat what was printed; `--programs N` and `--minutes M` limit it.
// `--recipes` runs recipes instead.
import process from "node:process";
import { parseArgs } from "node:util";
import type { Verdict } from "./run_program.ts";
import { CLIENTS, describeFailure, search, type Subject } from "./search.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    path: { type: "string" },
    programs: { type: "string" },
    minutes: { type: "string" },
    recipes: { type: "boolean" },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
const programs = Number(values.programs ?? (minutes === undefined ? 1_000 : 1e9));
const subject = values.recipes
  ? (await import("./recipes/run_recipes.ts")).RECIPES as Subject<unknown>
  : CLIENTS as Subject<unknown>;

const print = (text: string) => void process.stdout.write(text + "\n");
const start = performance.now();
let printedAt = start;
let last: Verdict | undefined;
print(`seed ${seed}`);
const result = await search({
  seed,
  path: values.path,
  programs,
  ms: minutes === undefined ? undefined : minutes * 60_000,
  onProgram: (ran, verdict) => {
    last = verdict;
    if (performance.now() - printedAt < 10_000) return;
    printedAt = performance.now();
    print(`${ran} programs, ${Math.round(ran / (printedAt - start) * 1_000)} a second`);
  },
}, subject);
const seconds = (performance.now() - start) / 1_000;
print(`${result.ran} programs in ${seconds.toFixed(1)} s`);
if (result.failure) {
  print(describeFailure(result, subject));
  process.exitCode = 1;
} else print(`trace ${last?.hash()}`);
