// Compiled by `deno check`, never run: what each transport can, and that the rest is an error.
import {
  Dispatch,
  DispatchRpc,
  DispatchSse,
  type Gap,
  type JobRecord,
  type PendingSubscription,
  type RunEvent,
  type WorkflowRun,
} from "../../mod.ts";
import { type Equal, expect } from "./_equal.ts";

interface Shop {
  jobs: { "send-email": { to: string } };
  workflows: { "order-payment": { order_id: string } };
  events: { "payment-received": { order_id: string } };
}

const to = { url: "http://127.0.0.1/dwp", token: "t" };

export async function chosen(signal: AbortSignal): Promise<void> {
  const socket = await Dispatch.connect({ ...to, signal });
  expect<Equal<typeof socket, Dispatch>>();
  const rpc = await DispatchRpc.connect(to);
  expect<Equal<typeof rpc, DispatchRpc>>();
  const sse = await DispatchSse.connect(to);
  expect<Equal<typeof sse, DispatchSse>>();
  const typed = await DispatchSse.connect<Shop>(to);
  expect<Equal<typeof typed, DispatchSse<Shop>>>();
  // @ts-expect-error The transport is chosen by the class.
  await Dispatch.connect({ ...to, transport: "rpc" });
  // @ts-expect-error Where to?
  await Dispatch.connect({ token: "t" });
  // @ts-expect-error As whom?
  await Dispatch.connect({ url: "ws://127.0.0.1/dwp" });
  // @ts-expect-error There is no such format.
  await Dispatch.connect({ ...to, format: "cbor" });
  // @ts-expect-error Over HTTP there is nobody to ping.
  await DispatchRpc.connect({ ...to, pingInterval: 1 });
  // @ts-expect-error Over HTTP it is JSON.
  new DispatchRpc({ ...to, format: "msgpack" });
}

export async function overRpc(client: DispatchRpc<Shop>): Promise<void> {
  const job = await client.enqueue("send-email", { to: "a@example.com" });
  expect<Equal<Awaited<ReturnType<typeof job.wait>>, JobRecord>>();
  const run = client.run("wfrun_1");
  expect<Equal<Awaited<ReturnType<typeof run.wait>>, WorkflowRun>>();
  await client.publishEvent("payment-received", { order_id: "ORD-1" });
  // @ts-expect-error No job has that name.
  await client.enqueue("send-mail", { to: "a@example.com" });
  // @ts-expect-error No event has that name.
  await client.publishEvent("payment-refused", { order_id: "ORD-1" });
  // @ts-expect-error A run would die with its request.
  await client.startWorkflow("order-payment", { order_id: "ORD-1" });
  // @ts-expect-error Over HTTP alone there are no events.
  client.subscribe("jobs");
  // @ts-expect-error Over HTTP alone there are no events.
  client.watch("wfrun_1");
  // @ts-expect-error Nor are there of a job.
  job.events();
  // @ts-expect-error Nor are there of a run.
  run.events();
  // @ts-expect-error There is no connection to tell of.
  client.status();
}

export async function overSse(client: DispatchSse<Shop>): Promise<void> {
  expect<Equal<ReturnType<typeof client.subscribe>, PendingSubscription>>();
  for await (const event of client.watch("wfrun_1")) {
    expect<Equal<typeof event, RunEvent | Gap>>();
  }
  await client.enqueue("send-email", { to: "a@example.com" });
  // @ts-expect-error A run would die with its request.
  await client.startWorkflow("order-payment", { order_id: "ORD-1" });
}

export async function withoutSchema(rpc: DispatchRpc, sse: DispatchSse): Promise<void> {
  // @ts-expect-error A run would die with its request, whatever its name.
  await rpc.startWorkflow("any");
  // @ts-expect-error A run would die with its request, whatever its name.
  await sse.startWorkflow("any");
  const isRpc: DispatchRpc = sse;
  // @ts-expect-error It cannot subscribe.
  const isSse: DispatchSse = rpc;
  // @ts-expect-error It cannot start.
  const isDispatch: Dispatch = sse;
  void [isRpc, isSse, isDispatch];
}
