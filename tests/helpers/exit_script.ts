// Runs as a separate process: does one thing with a client, after which the process must exit without
// a call to `exit`. The last line it prints proves that it ran to the end.
import process from "node:process";
import { Dispatch } from "../../mod.ts";

const [what, url] = process.argv.slice(2) as [string, string];
const token = "demo-token";

const CASES: Record<string, () => Promise<unknown>> = {
  "a close": async () => {
    const client = await Dispatch.connect({ url, token });
    await client.stats();
    await client.close();
  },
  "a close with subscriptions and waiters": async () => {
    const client = await Dispatch.connect({ url, token });
    await client.subscribe("jobs");
    const job = await client.enqueue("nobody-knows-me");
    job.wait().catch(() => {});
    void job.events().next();
    void client.status().next();
    await client.close();
  },
  "loops with a signal that would time out later": async () => {
    // Deno runs on until a signal with a listener times out.
    const options = () => ({ signal: AbortSignal.timeout(120_000) });
    const client = await Dispatch.connect({ url, token, ...options() });
    const job = await client.enqueue("noop", null, options());
    for await (const _event of job.events(options()));
    for await (const _event of job.events(options())) break;
    const run = await client.startWorkflow("order-pipeline", { order_id: "1" }, options());
    for await (const _event of client.watch(run.run_id, options()));
    const events = await client.subscribe("jobs", options());
    const stuck = await client.enqueue("nobody-knows-me", null, options());
    for await (const _event of events) break;
    await stuck.wait({ ...options(), timeout: 10 }).catch((error) => say(error.name));
    await client.close();
  },
  "a close with a blocked lane": async () => {
    const client = await Dispatch.connect({ url, token });
    await client.startWorkflow("sleeper", { ms: 120_000 });
    await client.close();
  },
  "await using with a blocked lane": async () => {
    await using client = await Dispatch.connect({ url, token });
    await client.startWorkflow("sleeper", { ms: 120_000 });
  },
  "a close with an idle lane": async () => {
    const client = await Dispatch.connect({ url, token });
    const run = await client.startWorkflow("order-pipeline", { order_id: "1", items: [] });
    await run.wait();
    await client.close();
  },
  "a refused connection": async () => {
    const dead = "ws://127.0.0.1:1/dwp";
    await Dispatch.connect({ url: dead, token }).catch((error) => say(error.name));
    const client = new Dispatch({ url: dead, token });
    await client.stats().catch((error) => say(error.name));
  },
  "a bad token": async () => {
    await Dispatch.connect({ url, token: "bad" }).catch((error) => say(error.name));
    const client = new Dispatch({ url, token: "bad" });
    await client.stats().catch((error) => say(error.name));
  },
  "a peer that never answers": async () => {
    await Dispatch.connect({ url, token, connectTimeout: 50 }).catch((error) => say(error.name));
  },
  "a close while connecting to a silent peer": async () => {
    const client = new Dispatch({ url, token });
    const connecting = client.connect().catch((error) => say(error.name));
    setTimeout(() => void client.close(), 20);
    await connecting;
  },
  "a close while reconnecting": async () => {
    const client = await Dispatch.connect({ url, token, backoff: { base: 60_000, cap: 60_000 } });
    for await (const status of client.status()) {
      if (status.type === "connected") say("connected");
      if (status.type === "reconnecting") break;
    }
    await client.close();
  },
  "giving up": async () => {
    const client = await Dispatch.connect({
      url,
      token,
      maxRetries: 2,
      backoff: { base: 10, cap: 10 },
    });
    say("connected");
    for await (const status of client.status()) if (status.type === "failed") break;
  },
};

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

await CASES[what]!();
say("done");
