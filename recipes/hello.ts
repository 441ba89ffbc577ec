// deno-lint-ignore-file no-console
// A script that uses the client: deno run -A recipes/hello.ts, bun recipes/hello.ts or
// node recipes/hello.ts. DISPATCH_URL and DISPATCH_TOKEN name a server; without them an embedded
// one is started.
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

  // A run is known while it runs, so the event it waits for can be published on the same client.
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
