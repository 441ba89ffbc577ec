// Runs random programs until one contradicts a rule, and prints after how many as JSON.
// Arguments: the seed and the most programs. `plant.ts` runs it on sources with a mutant.
import process from "node:process";
import { search } from "./search.ts";

const [seed, programs] = process.argv.slice(2).map(Number);
let violation: string | undefined;
const { ran, failure } = await search({
  seed: seed!,
  programs: programs!,
  shrinks: false,
  onProgram: (_, { violations }) => violation = violations[0],
});
process.stdout.write(JSON.stringify({ ran, violation: failure && violation }) + "\n");
process.exit();
