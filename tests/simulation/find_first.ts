// Runs random programs until one contradicts a rule, and prints after how many as JSON.
// Arguments: the seed, the maximum number of programs, and `recipes` to run recipes instead. `plant.ts`
// runs it on sources with a mutant.
import process from "node:process";
import { CLIENTS, search, type Subject } from "./search.ts";

const [seed, programs, kind] = process.argv.slice(2);
const subject = kind === "recipes"
  ? (await import("./recipes/run_recipe.ts")).RECIPES as Subject<unknown>
  : CLIENTS as Subject<unknown>;
const { ran, failure } = await search({
  seed: Number(seed),
  programs: Number(programs),
  shrinks: false,
}, subject);
process.stdout.write(JSON.stringify({ ran, violation: failure?.verdict.violations[0] }) + "\n");
process.exit();
