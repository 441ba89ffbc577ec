// Runs random programs until one contradicts a rule. Prints after each program how many have run, as
// JSON, and in the last line what the last one contradicts.
// Arguments: the seed, the maximum number of programs, and `recipes` to run recipes instead. `plant.ts`
// runs it on sources with a mutant.
import process from "node:process";
import { CLIENTS, search, type Subject } from "./search.ts";

const [seed, programs, kind] = process.argv.slice(2);
const subject = kind === "recipes"
  ? (await import("./recipes/run_recipes.ts")).RECIPES as Subject<unknown>
  : CLIENTS as Subject<unknown>;
const print = (hunt: { ran: number; violation?: string }) =>
  void process.stdout.write(JSON.stringify(hunt) + "\n");
print({ ran: 0 });
const { ran, failure } = await search({
  seed: Number(seed),
  programs: Number(programs),
  shrinks: false,
  onProgram: (ran) => print({ ran }),
}, subject);
print({ ran, violation: failure?.verdict.violations[0] });
process.exit();
