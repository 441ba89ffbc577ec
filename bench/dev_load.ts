// The embedded server under load: many connections, jobs and waiting workflows. The server runs in its
// own process. Run it on two cores: `taskset -c 0,1 deno run -A bench/dev_load.ts`, or with Bun or Node.
// It fails if the server's event loop stalls for longer than allowed.
//
//   --connections N (1000)   --jobs N (100000)   --workflows N (10000)   --stall MS (100)

// deno-lint-ignore-file no-console

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import process from "node:process";
import { createDevServer, defineJob, defineWorkflow } from "../dev/mod.ts";

/** The state of the server process. */
interface Report {
  /** The longest stall of the event loop since the last report, in milliseconds. */
  stall: number;
  /** The resident memory, in bytes. */
  rss: number;
  /** The number of runs that were started. */
  runs: number;
  /** The number of jobs that completed. */
  completed: number;
}

const LAG_INTERVAL = 10;

function option(name: string, fallback: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}

/** Runs the server, and prints a report for each line on standard input. */
async function serveLoad(): Promise<void> {
  const server = await createDevServer({
    concurrency: 100,
    jobs: [defineJob("noop", () => {})],
    workflows: [
      defineWorkflow("waiter", async (wf) => {
        await wf.waitForEvent("never", "1h");
      }),
      defineWorkflow(
        "waiters",
        (wf, count: number) => wf.fanOut("waiter", Array.from({ length: count }, (_, i) => i)),
      ),
    ],
  });
  let [runs, completed, stall] = [0, 0, 0];
  server.observe({
    event({ type }) {
      if (type === "workflow.started") runs++;
      else if (type === "job.completed") completed++;
    },
  });
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    stall = Math.max(stall, now - last - LAG_INTERVAL);
    last = now;
  }, LAG_INTERVAL);
  console.log(server.url);
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "gc") {
      (globalThis as { gc?: () => void }).gc?.();
      // The garbage collection does not count as a stall.
      last = performance.now();
    }
    const { rss } = process.memoryUsage();
    console.log(JSON.stringify({ stall, rss, runs, completed } satisfies Report));
    if (line !== "look") stall = 0;
  }
  process.exit(0);
}

/** The server in its own process. */
class ServerProcess {
  readonly #child = spawn(process.execPath, [...runtimeArguments(), process.argv[1]!, "--serve"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  readonly #lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the server process has exited");
    return value;
  }

  async report(command = "report"): Promise<Report> {
    this.#child.stdin!.write(`${command}\n`);
    return JSON.parse(await this.line());
  }

  /** Waits until the server's report meets a condition. */
  async until(condition: (report: Report) => boolean): Promise<void> {
    while (!condition(await this.report("look"))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  close(): void {
    this.#child.kill();
  }
}

function runtimeArguments(): string[] {
  if ("Deno" in globalThis) return ["run", "-A", "--v8-flags=--expose-gc"];
  return "Bun" in globalThis ? [] : ["--expose-gc"];
}

/** A connection that only counts answers and events. */
class LoadConnection {
  readonly #socket: WebSocket;
  #answers = 0;
  #wake = () => {};
  events = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if ((data as string).includes('"type":"event"')) this.events++;
      else this.#answers++;
      this.#wake();
    };
  }

  static async open(url: string): Promise<LoadConnection> {
    const connection = new LoadConnection(new WebSocket(url));
    await new Promise((resolve, reject) => {
      connection.#socket.onopen = resolve;
      connection.#socket.onerror = reject;
    });
    await connection.call("auth", { token: "demo-token" });
    return connection;
  }

  send(method: string, data: unknown): void {
    this.#socket.send(JSON.stringify({ id: "1", type: "request", method, data }));
  }

  credit(credits: number): void {
    this.#socket.send(JSON.stringify({ id: "c", type: "request", credits }));
  }

  async call(method: string, data: unknown): Promise<void> {
    this.send(method, data);
    await this.until(() => this.#answers > 0);
    this.#answers = 0;
  }

  /** Sends a request `count` times, with up to `window` in flight; resolves when all are answered. */
  async repeat(count: number, window: number, method: string, data: unknown): Promise<void> {
    this.#answers = 0;
    for (let sent = 0; sent < count;) {
      for (; sent < count && sent - this.#answers < window; sent++) this.send(method, data);
      const needed = Math.min(count, sent - (window >> 1));
      await this.until(() => this.#answers >= needed);
    }
    await this.until(() => this.#answers >= count);
    this.#answers = 0;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#wake = resolve);
  }
}

const MIB = 1024 * 1024;
let worst = 0;

async function measured(what: string, server: ServerProcess, work: () => Promise<unknown>) {
  const before = await server.report("gc");
  const start = performance.now();
  const note = await work();
  const seconds = (performance.now() - start) / 1000;
  const { stall } = await server.report();
  const { rss } = await server.report("gc");
  worst = Math.max(worst, stall);
  console.log(
    `${what.padEnd(44)} ${seconds.toFixed(2).padStart(7)} s  stall ${
      stall.toFixed(0).padStart(4)
    } ms  rss ${(rss / MIB).toFixed(0).padStart(5)} MiB${note ? `  ${note}` : ""}`,
  );
  return { seconds, grown: rss - before.rss };
}

async function load(): Promise<void> {
  const [connections, jobs, workflows, limit] = [
    option("connections", 1000),
    option("jobs", 100_000),
    option("workflows", 10_000),
    option("stall", 100),
  ];
  const server = new ServerProcess();
  const url = await server.line();
  const open: LoadConnection[] = [];
  try {
    await measured(`${connections} connections`, server, async () => {
      while (open.length < connections) {
        const batch = Math.min(50, connections - open.length);
        open.push(
          ...await Promise.all(Array.from({ length: batch }, () => LoadConnection.open(url))),
        );
      }
    });
    const [starter, watcher] = [open[0]!, open[1]!];
    const { grown } = await measured(`${workflows} waiting workflows`, server, async () => {
      starter.send("workflow.start", { name: "waiters", input: workflows });
      await server.until(({ runs }) => runs > workflows);
    });
    console.log(`  ${(grown / workflows / 1024).toFixed(1)} KiB for each waiting workflow`);
    const enqueue = (queue: string) => async (count: number) => {
      const each = Math.ceil(count / 20);
      await Promise.all(
        open.slice(3, 23).map((one) =>
          one.repeat(each, 50, "job.enqueue", { name: "noop", payload: { n: 1 }, queue })
        ),
      );
    };
    const tenth = jobs / 10;
    const rates: number[] = [];
    await measured(`${jobs} jobs that stay pending`, server, async () => {
      for (let part = 0; part < 10; part++) {
        const start = performance.now();
        await enqueue("unread")(tenth);
        rates.push(tenth / (performance.now() - start) * 1000);
      }
      return `${rates[0]!.toFixed(0)} a second at first, ${rates[9]!.toFixed(0)} in the end`;
    });
    await watcher.call("subscribe", { channel: "jobs" });
    watcher.credit(jobs * 4);
    await watcher.call("stats", {});
    await measured(`${jobs} jobs run, one watcher`, server, async () => {
      const start = performance.now();
      await enqueue("default")(jobs);
      await server.until(({ completed }) => completed >= jobs);
      const rate = jobs / (performance.now() - start) * 1000;
      return `${rate.toFixed(0)} a second, ${watcher.events} of ${jobs * 3} events seen`;
    });
  } finally {
    server.close();
  }
  console.log(`longest stall ${worst.toFixed(0)} ms, ${limit} allowed`);
  process.exit(worst > limit ? 1 : 0);
}

await (process.argv.includes("--serve") ? serveLoad() : load());
