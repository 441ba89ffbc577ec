// A schedule of many checks over one server: how late they start, how much memory they take, and how
// quickly the page answers meanwhile. The schedule and the server run in their own processes.
// `--virtual` runs a day of them in virtual time instead, in this process.
//
//   --checks N (1000)   --minutes N (10)   --every DURATION (60s)   --virtual

// deno-lint-ignore-file no-console

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { CheckPlan } from "../runner/cli/health/check_plans.ts";
import { Monitor } from "../runner/cli/health/monitor.ts";
import { HealthStore } from "../runner/health/health_store.ts";
import { intervalTimes } from "../runner/schedule/calendar.ts";
import { FakeClock } from "../tests/helpers/fake_clock.ts";
import { option, runtime } from "./_measure.ts";

const RUNNER = fileURLToPath(new URL("../runner.ts", import.meta.url));
const CHECKS = Number(option("checks") ?? 1_000);

/** How late 99 % of the runs may be, and how long 95 % of the answers may take, in milliseconds. */
const [MOST_LATE, MOST_SLOW] = [1_000, 50];

console.log(`${runtime()}, ${CHECKS} checks\n`);
if (process.argv.includes("--virtual")) await virtualDay();
else await realMinutes();

/** Runs a day in virtual time, and prints the memory after each sixth of it. */
async function virtualDay(): Promise<void> {
  const clock = new FakeClock();
  const stop = new AbortController();
  const store = await HealthStore.open(undefined, {
    ...{ clock, warn: console.log, sender: "1", keep: { ms: 90 * 86_400_000 } },
  });
  let runs = 0;
  const monitor = new Monitor({
    ...{ clock, store, random: Math.random, signal: stop.signal, parallel: CHECKS },
    run: (_, { slot, lateness }) => {
      runs++;
      const passed = runs % 97 !== 0;
      return Promise.resolve({
        ...{ slot, at: clock.now(), lateness_ms: lateness, duration_ms: runs % 50, steps: [] },
        ...{ verdict: passed ? "passed" : "failed", exitCode: passed ? 0 : 1, flaky: false },
        ...(passed ? {} : { failure: "it is false" }),
      });
    },
    wake: () => {},
    beat: () => {},
    onCaughtUp: () => Promise.resolve(),
  });
  for (let i = 0; i < CHECKS; i++) {
    const name = `check ${i}`;
    const plan: CheckPlan = {
      key: { name, file: `${i}.yaml`, server: "bench", tags: [], when: "every 1m" },
      ...{ file: `${i}.yaml`, cases: [], jitter: 0, maintenance: [], isTold: false },
      next: intervalTimes(60_000, name),
      alerting: { rules: { after: 2, resolveAfter: 1 }, targets: [] },
    };
    monitor.add(plan);
  }
  const ended = monitor.run(false);
  const begun = performance.now();
  for (let hour = 1; hour <= 24; hour++) {
    for (let second = 0; second < 3_600; second++) {
      clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (hour % 4 === 0) {
      const seconds = ((performance.now() - begun) / 1000).toFixed(0);
      console.log(`${hour} h: ${runs.toLocaleString("en")} runs, ${seconds} s, ${memory()} MB`);
    }
  }
  stop.abort();
  await ended;
  store.close();
}

function memory(): string {
  (globalThis as { gc?: () => void }).gc?.();
  return (process.memoryUsage().rss / 1e6).toFixed(0);
}

/** Runs for some minutes, asks the page meanwhile, and prints what came of it. */
async function realMinutes(): Promise<void> {
  const minutes = Number(option("minutes") ?? 10);
  const folder = await mkdtemp(join(tmpdir(), "dispatch-bench-health-"));
  const children: ChildProcess[] = [];
  try {
    const [, server] = await startChild(children, ["dev", "--port", "0"], /ws:\S+/);
    const every = option("every") ?? "60s";
    for (let i = 0; i < CHECKS; i++) {
      const recipe = `name: Check ${i}\nschedule: { every: ${every} }\n` +
        "steps:\n  - id: job\n    enqueue: noop\n  - wait: job\n";
      await writeFile(join(folder, `${String(i).padStart(5, "0")}.yaml`), recipe);
    }
    const [child, url] = await startChild(
      children,
      [
        ...["schedule", folder, "--url", server, "--history", join(folder, "health.db")],
        ...["--listen", "127.0.0.1:0", "--quiet"],
      ],
      /the page is at (http:\S+)/,
    );
    const answers: Record<"page" | "metrics", number[]> = { page: [], metrics: [] };
    const started = performance.now();
    for (let asked = 0; performance.now() - started < minutes * 60_000; asked++) {
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      for (const [name, path] of [["page", "/"], ["metrics", "/metrics"]] as const) {
        const begun = performance.now();
        await (await fetch(url + path)).arrayBuffer();
        // The first answers come while all checks are being read.
        if (asked > 1) answers[name].push(performance.now() - begun);
      }
      if (asked % 12 === 11) {
        console.log(`${(asked + 1) / 12} min: ${await residentOf(child.pid!)} MB`);
      }
    }
    const text = await (await fetch(`${url}/metrics`)).text();
    const late = latenessOf(text, 0.99);
    const runs = /^dispatch_check_lateness_seconds_count (\d+)$/m.exec(text)![1];
    console.log(`\n${runs} runs; 99 % of them at most ${late} ms late`);
    if (late > MOST_LATE) process.exitCode = 1;
    for (const [name, times] of Object.entries(answers)) {
      const [half, most, slowest] = [0.5, 0.95, 1].map((share) => quantile(times, share));
      const ms = (time: number) => `${time.toFixed(0)} ms`;
      console.log(`${name}: p50 ${ms(half!)}, p95 ${ms(most!)}, slowest ${ms(slowest!)}`);
      if (most! > MOST_SLOW) process.exitCode = 1;
    }
    console.log(`processor time of the schedule: ${await processorTimeOf(child.pid!)} s`);
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts a command of the runner with this runtime, and returns what a pattern finds in its output. */
async function startChild(
  children: ChildProcess[],
  args: string[],
  pattern: RegExp,
): Promise<[ChildProcess, string]> {
  const isDeno = "Deno" in globalThis;
  const flags = isDeno ? ["run", "-A", "--no-check", RUNNER] : [RUNNER];
  const child = spawn(process.execPath, [...flags, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let output = "";
  const found = await new Promise<string>((resolve, reject) => {
    const take = (chunk: string) => {
      const match = pattern.exec(output += chunk);
      if (match) resolve(match[1] ?? match[0]);
    };
    child.stdout!.setEncoding("utf8").on("data", take);
    child.stderr!.setEncoding("utf8").on("data", take);
    child.on("exit", () => reject(new Error(`Cannot start ${args[0]}: ${output}`)));
  });
  // What comes now is not needed, but must not fill a pipe.
  for (const stream of [child.stdout!, child.stderr!]) stream.removeAllListeners("data").resume();
  return [child, found];
}

/** The resident memory of a process, in megabytes. */
async function residentOf(pid: number): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(status) ?? [];
  return kilobytes === undefined ? "?" : (Number(kilobytes) / 1000).toFixed(0);
}

/** The time that a process has kept processors busy, in seconds. */
async function processorTimeOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The name in parentheses may have spaces. Linux counts in hundredths of a second.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return stat === "" ? "?" : ((Number(fields[11]) + Number(fields[12])) / 100).toFixed(0);
}

/** The number that a share of some does not exceed. */
function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

/** The bound of lateness that a share of the runs did not exceed, in milliseconds. */
function latenessOf(metrics: string, share: number): number {
  const buckets = [
    ...metrics.matchAll(/^dispatch_check_lateness_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm),
  ];
  const total = Number(buckets.at(-1)![2]);
  return Number(buckets.find(([, , count]) => Number(count) >= total * share)![1]) * 1000;
}
