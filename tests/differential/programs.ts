// Runs the simulation's random programs on a real server, with faults by a TCP proxy:
// `deno task differential:programs --url ws://127.0.0.1:8787/dwp --minutes 30`.
// `--seed N --only K` runs a program again that was printed.
import process from "node:process";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { programs } from "../simulation/strata.ts";
import { runOnServer } from "./run_on_server.ts";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    seed: { type: "string" },
    only: { type: "string" },
    minutes: { type: "string" },
  },
});
const print = (text: string) => void process.stdout.write(text + "\n");
if (values.url === undefined) {
  process.stderr.write("usage: deno task differential:programs --url ws://127.0.0.1:8787/dwp\n");
  process.exit(2);
}
/** How many programs share a seed. The next ones have the next seed. */
const BATCH = 100;
const first = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const end = performance.now() + Number(values.minutes ?? 1) * 60_000;
const total = { programs: 0, calls: 0, events: 0, failed: 0, unjudged: 0 };
let printedAt = performance.now();
for (let seed = first; performance.now() < end; seed++) {
  for (const [index, program] of fc.sample(programs, { seed, numRuns: BATCH }).entries()) {
    if (performance.now() >= end) break;
    if (values.only !== undefined && Number(values.only) !== index) continue;
    const { violations, calls, events, isBlind, trace } = await runOnServer(program, values.url);
    total.programs++;
    total.calls += calls;
    total.events += events;
    if (isBlind) total.unjudged++;
    if (violations.length > 0) {
      total.failed++;
      process.exitCode = 1;
      print(`\n--seed ${seed} --only ${index}\n${JSON.stringify(program)}`);
      print([...trace, ...violations, ""].join("\n"));
    }
    if (performance.now() - printedAt < 30_000) continue;
    printedAt = performance.now();
    print(`seed ${seed}: ${JSON.stringify(total)}`);
  }
  if (values.only !== undefined) break;
}
print(JSON.stringify(total));
