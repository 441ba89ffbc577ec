/**
 * Measures the executable that `deno task binary host` builds: `node bench/executable.ts`. First the
 * whole process of one recipe, beside the sources on Bun. Then 200 recipe files in one invocation,
 * each of which enqueues a job and waits for it, beside hurl, which does the same over RPC, if it is
 * installed. All take turns.
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { buildBinary, hostPlatform } from "../packaging/binary.ts";
import { median, row } from "./_measure.ts";
import { startServer } from "./_server.ts";

const STARTS = 25;
const ROUNDS = 9;
const FILES = 200;
/** How many recipes run at a time, here and in hurl. */
const PARALLEL = 8;
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "dispatch-bench-"));

/** A job, and its payload in the file of a number. */
interface Job {
  name: string;
  /** How often hurl asks whether it has ended, in milliseconds. */
  interval: number;
  payload(number: number): object;
}

const JOBS: Job[] = [
  { name: "noop", interval: 1, payload: (n) => ({ n }) },
  // It takes 20 ms.
  {
    name: "send-email",
    interval: 5,
    payload: (n) => ({ to: `user${n}@example.com`, subject: "Hello" }),
  },
];

/** A program that runs the files of a folder. */
interface Contender {
  name: string;
  command: string[];
  file(job: Job, number: number): { name: string; text: string };
}

function request(method: string, data: string, token: string): string {
  return `{"id": "1", "type": "request", "method": "${method}", "token": "${token}", ` +
    `"data": ${data}, "ts": "2026-01-01T00:00:00Z"}`;
}

function recipeFile(job: Job, number: number) {
  const text = `name: Recipe ${number}
steps:
  - id: job
    enqueue: ${job.name}
    payload: ${JSON.stringify(job.payload(number))}
  - wait: job
    until: completed
    within: 30s
`;
  return { name: `r${number}.yaml`, text };
}

function hurlFile(job: Job, number: number) {
  const data = JSON.stringify({ name: job.name, payload: job.payload(number) });
  const text = `POST {{url}}/rpc
Content-Type: application/json
${request("job.enqueue", data, "{{token}}")}
HTTP 200
[Captures]
job: jsonpath "$.data.job_id"

POST {{url}}/rpc
Content-Type: application/json
[Options]
retry: 1000
retry-interval: ${job.interval}ms
${request("job.get", `{"job_id": "{{job}}"}`, "{{token}}")}
HTTP 200
[Asserts]
jsonpath "$.data.state" == "completed"
`;
  return { name: `r${number}.hurl`, text };
}

/** Runs a program in a folder, and returns how long it took, in milliseconds. */
function run([command, ...args]: readonly string[], cwd = root): number {
  const begun = performance.now();
  const { status, error, stdout, stderr } = spawnSync(command!, args, { cwd, encoding: "utf8" });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} exited with ${status}: ${stdout}${stderr}`);
  return performance.now() - begun;
}

function isInstalled(command: string): boolean {
  return spawnSync(command, ["--help"]).error === undefined;
}

/** Runs commands by turns, and prints their times beside the first one's. */
function compare(
  title: string,
  rounds: number,
  contenders: { name: string; run: () => number }[],
): void {
  const times = contenders.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      const ms = contender.run();
      // The first round only warms the caches.
      if (round >= 0) times[i]!.push(ms);
    }
  }
  for (const [i, { name }] of contenders.entries()) {
    const ratio = median(times[i]!.map((ms, round) => ms / times[0]![round]!));
    row(title, name, `${median(times[i]!).toFixed(0)} ms`, `${ratio.toFixed(2)}×`);
  }
}

const platform = hostPlatform();
if (platform === undefined) {
  console.log("No executable is built for this machine.");
  process.exit();
}
const binary = buildBinary(platform, folder);
const bun = join(root, "node_modules", "bun", "bin", "bun.exe");
const smoke = join("recipes", "order-smoke.yaml");
row("what", "with", "median", "of the first");
row("---", "---", "---", "---");
compare("the order recipe", STARTS, [
  { name: "the sources on Bun", run: () => run([bun, "runner.ts", smoke]) },
  { name: "the executable", run: () => run([binary, smoke]) },
]);

await using server = await startServer();
const http = server.url.replace(/^ws/, "http");
const ours = ["--url", server.url, "--token", "demo-token", "--parallel", `${PARALLEL}`];
const variables = ["--variable", `url=${http}`, "--variable", "token=demo-token"];
const contenders: Contender[] = [
  {
    name: "hurl",
    command: ["hurl", "--test", "--jobs", `${PARALLEL}`, ...variables],
    file: hurlFile,
  },
  { name: "the executable", command: [binary, ...ours], file: recipeFile },
  {
    name: "the sources on Bun",
    command: [bun, join(root, "runner.ts"), ...ours],
    file: recipeFile,
  },
];
const present = contenders.filter(({ command }) => isInstalled(command[0]!));
for (const job of JOBS) {
  const candidates = present.map(({ name, command, file }, i) => {
    const directory = join(folder, `${job.name}-${i}`);
    mkdirSync(directory);
    for (let number = 0; number < FILES; number++) {
      const { name, text } = file(job, number);
      writeFileSync(join(directory, name), text);
    }
    // The command is the last argument that is no option.
    return { name, run: () => run([...command, "."], directory) };
  });
  compare(`${FILES} files, ${job.name}`, ROUNDS, candidates);
}
rmSync(folder, { recursive: true });
