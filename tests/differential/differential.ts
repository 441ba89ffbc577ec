// Sends random sequences of frames to the embedded server and to a real one with the workload of
// the transcripts, and compares what they do: `deno task differential --url ws://127.0.0.1:8787/dwp`.
// `--seed N` and `--path P` repeat what was printed; `--runs N` says how many sequences to send.
import process from "node:process";
import { parseArgs } from "node:util";
import { createDevServer, referenceWorkload } from "../../dev/mod.ts";
import { describe } from "./describe.ts";
import { search } from "./search.ts";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    seed: { type: "string" },
    path: { type: "string" },
    runs: { type: "string" },
  },
});
const print = (text: string) => void process.stdout.write(text + "\n");
if (values.url === undefined) {
  process.stderr.write("usage: deno task differential --url ws://127.0.0.1:8787/dwp\n");
  process.exit(2);
}
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
print(`seed ${seed}`);
const start = performance.now();
let printedAt = start;
await using server = await createDevServer(referenceWorkload());
const result = await search({
  urls: [values.url, server.url],
  seed,
  path: values.path,
  runs: Number(values.runs ?? 500),
  onRun: (ran) => {
    if (performance.now() - printedAt < 10_000) return;
    printedAt = performance.now();
    print(`${ran} sequences, ${(ran / (printedAt - start) * 1_000).toFixed(1)} a second`);
  },
});
const seconds = (performance.now() - start) / 1_000;
print(
  `${result.ran} sequences with ${result.exchanges} exchanges and ${result.events} events in ` +
    `${
      seconds.toFixed(1)
    } s; ${result.unsteady.length} differed once and not again, ${result.broken} were sent again`,
);
const NAMES = ["real", "embedded"];
for (const once of result.unsteady) print(`\nonce:\n${describe(once, NAMES)}`);
if (result.found) {
  print(`\n${describe(result.found, NAMES)}`);
  print(`\ndeno task differential --url ${values.url} --seed ${seed} --path ${result.found.path}`);
  process.exitCode = 1;
}
