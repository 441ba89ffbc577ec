// Compiled by `deno check`, never run: what each transport supports.
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
  // @ts-expect-error The address is required.
  await Dispatch.connect({ token: "t" });
  // @ts-expect-error The token is required.
  await Dispatch.connect({ url: "ws://127.0.0.1/dwp" });
  // @ts-expect-error There is no such format.
  await Dispatch.connect({ ...to, format: "cbor" });
  // @ts-expect-error There are no pings over HTTP.
  await DispatchRpc.connect({ ...to, pingInterval: 1 });
  // @ts-expect-error HTTP requests are always JSON.
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
  // @ts-expect-error A run cannot be started over HTTP.
  await client.startWorkflow("order-payment", { order_id: "ORD-1" });
  // @ts-expect-error DispatchRpc has no events.
  client.subscribe("jobs");
  // @ts-expect-error DispatchRpc has no events.
  client.watch("wfrun_1");
  // @ts-expect-error A job over HTTP has no events.
  job.events();
  // @ts-expect-error A run over HTTP has no events.
  run.events();
  // @ts-expect-error There is no connection over HTTP.
  client.status();
}

export async function overSse(client: DispatchSse<Shop>): Promise<void> {
  expect<Equal<ReturnType<typeof client.subscribe>, PendingSubscription>>();
  for await (const event of client.watch("wfrun_1")) {
    expect<Equal<typeof event, RunEvent | Gap>>();
  }
  await client.enqueue("send-email", { to: "a@example.com" });
  // @ts-expect-error A run cannot be started over HTTP.
  await client.startWorkflow("order-payment", { order_id: "ORD-1" });
}

export async function withoutSchema(rpc: DispatchRpc, sse: DispatchSse): Promise<void> {
  // @ts-expect-error A run cannot be started over HTTP, whatever its name.
  await rpc.startWorkflow("any");
  // @ts-expect-error A run cannot be started over HTTP, whatever its name.
  await sse.startWorkflow("any");
  const isRpc: DispatchRpc = sse;
  // @ts-expect-error DispatchRpc cannot subscribe.
  const isSse: DispatchSse = rpc;
  // @ts-expect-error DispatchSse cannot start workflows.
  const isDispatch: Dispatch = sse;
  void [isRpc, isSse, isDispatch];
}
