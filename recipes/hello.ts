// deno-lint-ignore-file no-console
// A script that uses the client. Run it with `deno run -A`, `bun` or `node`. It connects to the
// server in DISPATCH_URL with the token in DISPATCH_TOKEN, or to a server that it starts itself.
import { Dispatch } from "../mod.ts";

const { Deno, process } = globalThis as unknown as {
  Deno?: { env: { get(name: string): string | undefined } };
  process?: { env: Record<string, string | undefined> };
};
const env = (name: string) => Deno ? Deno.env.get(name) : process?.env[name];

const url = env("DISPATCH_URL");
const server = url === undefined ? await startServer() : undefined;
const client = await Dispatch.connect({
  url: url ?? server!.url,
  token: env("DISPATCH_TOKEN") ?? "demo-token",
});
try {
  const job = await client.enqueue("send-email", { to: "user@example.com", subject: "Hello" });
  const { state } = await job.wait();
  console.log(`job ${job.job_id} ${state}`);

  // Resolves while the run is in progress, so that the event it waits for can be published now.
  const run = await client.startWorkflow("order-payment", { order_id: "ORD-1" });
  await client.publishEvent("payment-received", { order_id: "ORD-1" });
  for await (const event of run.events()) {
    if (event.type === "workflow.step_completed") console.log(`step ${event.data.step_name}`);
  }
  console.log(`run ${run.run_id} ${(await run.get()).state}`);
} finally {
  await client.close();
  await server?.close();
}

async function startServer() {
  const { createDevServer, referenceWorkload } = await import("../dev/mod.ts");
  return await createDevServer(referenceWorkload());
}
