/**
 * How long `startWorkflow` takes when many workflows are started at once:
 * `deno run -A bench/starts.ts [--url ws://… --token …]`.
 *
 * The workflows sleep for longer than that, so each start resolves while its workflow runs. The
 * server runs in its own process.
 *
 * @module
 */
import { Dispatch } from "../mod.ts";
import { option, row, runtime } from "./_measure.ts";
import { startServer } from "./_server.ts";

const SLEEP = 10_000;

await using server = await startServer();
const url = option("url") ?? server.url;
const token = option("token") ?? "demo-token";

row("runtime", "starts at once", "p50", "p95", "max", "failed");
row("---", "---", "---", "---", "---", "---");

for (const count of [1, 10, 100, 1_000]) {
  const client = await Dispatch.connect({ url, token });
  const begun = performance.now();
  const times: number[] = [];
  const failures = new Map<string, number>();
  await Promise.all(Array.from({ length: count }, async (_, n) => {
    try {
      await client.startWorkflow("sleeper", { ms: SLEEP, n });
      times.push(performance.now() - begun);
    } catch (error) {
      const { message } = error as Error;
      failures.set(message, (failures.get(message) ?? 0) + 1);
    }
  }));
  await client.close();
  times.sort((a, b) => a - b);
  const at = (share: number) => {
    const ms = times[Math.ceil(times.length * share) - 1];
    return ms === undefined ? "" : `${Math.round(ms)} ms`;
  };
  row(runtime(), count, at(0.5), at(0.95), at(1), count - times.length);
  // deno-lint-ignore no-console
  for (const [message, number] of failures) console.error(`${number} times: ${message}`);
}
