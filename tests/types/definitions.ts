// Compiled by `deno check`, never run: what definitions allow, and what they make an error.
import { type DefinitionName, Dispatch, type DispatchRpc, type Job, type Run } from "../../mod.ts";
import { type Equal, expect } from "./_equal.ts";

interface ShopInterface {
  jobs: {
    "send-email": { to: string; subject?: string };
    "nightly": null;
  };
  workflows: { "order-payment": { order_id: string } };
  events: { "payment-received": { order_id: string; cents: number } };
}

type ShopLiteral = {
  jobs: {
    "send-email": { to: string; subject?: string };
    "nightly": null;
  };
  workflows: { "order-payment": { order_id: string } };
  events: { "payment-received": { order_id: string; cents: number } };
};

interface Jobs {
  "send-email": { to: string; subject?: string };
  "nightly": null;
}

/** An interface of interfaces. */
interface ShopOfInterfaces {
  jobs: Jobs;
  workflows: ShopLiteral["workflows"];
  events: ShopInterface["events"];
}

expect<Equal<DefinitionName<ShopInterface, "jobs">, "send-email" | "nightly">>();
expect<Equal<DefinitionName<ShopLiteral, "jobs">, "send-email" | "nightly">>();
expect<Equal<DefinitionName<ShopOfInterfaces, "jobs">, "send-email" | "nightly">>();
expect<Equal<DefinitionName<ShopOfInterfaces, "events">, "payment-received">>();

export async function anInterface(client: Dispatch<ShopInterface>): Promise<void> {
  expect<Equal<Awaited<ReturnType<typeof client.enqueue>>, Job>>();
  await client.enqueue("send-email", { to: "a@example.com" }, { queue: "email", priority: 1 });
  await client.enqueue("nightly", null);
  await client.enqueueMany("send-email", [{ to: "a@example.com" }, { to: "b@example.com" }]);
  const run: Run = await client.startWorkflow("order-payment", { order_id: "ORD-1" });
  await client.publishEvent("payment-received", { order_id: run.run_id, cents: 1 });

  // @ts-expect-error No job has that name.
  await client.enqueue("send-mail", { to: "a@example.com" });
  // @ts-expect-error A workflow is not a job.
  await client.enqueue("order-payment", { order_id: "ORD-1" });
  // @ts-expect-error `to` is missing.
  await client.enqueue("send-email", {});
  // @ts-expect-error The payload is required.
  await client.enqueue("send-email");
  // @ts-expect-error The input is required.
  await client.startWorkflow("order-payment");
  // @ts-expect-error `to` is a string.
  await client.enqueue("send-email", { to: 1 });
  // @ts-expect-error It has no `cc`.
  await client.enqueue("send-email", { to: "a@example.com", cc: "b@example.com" });
  // @ts-expect-error This is another job's payload.
  await client.enqueue("nightly", { to: "a@example.com" });
  // @ts-expect-error One of the payloads is wrong.
  await client.enqueueMany("send-email", [{ to: "a@example.com" }, { to: 2 }]);
  // @ts-expect-error No job has that name.
  await client.enqueueMany("send-mail", []);
  // @ts-expect-error No workflow has that name.
  await client.startWorkflow("order-pipeline", { order_id: "ORD-1" });
  // @ts-expect-error `order_id` is a string.
  await client.startWorkflow("order-payment", { order_id: 1 });
  // @ts-expect-error No event has that name.
  await client.publishEvent("payment-refused", { order_id: "ORD-1", cents: 1 });
  // @ts-expect-error `cents` is missing.
  await client.publishEvent("payment-received", { order_id: "ORD-1" });
}

export async function aTypeLiteral(client: Dispatch<ShopLiteral>): Promise<void> {
  await client.enqueue("send-email", { to: "a@example.com" });
  // @ts-expect-error No job has that name.
  await client.enqueue("send-mail", { to: "a@example.com" });
  // @ts-expect-error `to` is a string.
  await client.enqueue("send-email", { to: 1 });
  // @ts-expect-error `order_id` is a string.
  await client.startWorkflow("order-payment", { order_id: 1 });
  // @ts-expect-error `cents` is missing.
  await client.publishEvent("payment-received", { order_id: "ORD-1" });
}

export async function interfacesInOne(client: Dispatch<ShopOfInterfaces>): Promise<void> {
  await client.enqueue("send-email", { to: "a@example.com" });
  // @ts-expect-error No job has that name.
  await client.enqueue("send-mail", { to: "a@example.com" });
  // @ts-expect-error `to` is a string.
  await client.enqueue("send-email", { to: 1 });
}

/** A kind without definitions is not restricted. */
export async function aPart(client: Dispatch<{ jobs: { noop: { n: number } } }>): Promise<void> {
  await client.enqueue("noop", { n: 1 });
  await client.startWorkflow("any", { thing: [1, "two", null] });
  await client.publishEvent("any", "text");
  // @ts-expect-error No job has that name.
  await client.enqueue("noops", { n: 1 });
}

/** Empty definitions allow no name. */
export async function none(client: Dispatch<{ events: Record<never, never> }>): Promise<void> {
  await client.enqueue("any", 1);
  // @ts-expect-error There is no event.
  await client.publishEvent("any", 1);
}

export async function withoutSchema(client: Dispatch): Promise<void> {
  expect<Equal<Parameters<typeof client.enqueue>[0], string>>();
  await client.enqueue("any");
  await client.enqueue("any", undefined, { priority: 3 });
  await client.enqueue("any", { deep: [{ er: 1 }] });
  await client.enqueueMany("any", new Set([1, 2]));
  await client.startWorkflow("any", new Date());
  await client.publishEvent("any", "text");
  // @ts-expect-error A name is a string.
  await client.enqueue(1);
  // @ts-expect-error A priority is a number.
  await client.enqueue("any", {}, { priority: "high" });
  // @ts-expect-error There is no such choice.
  await client.enqueue("any", {}, { retry: "always" });
  // @ts-expect-error A read is always repeated.
  await client.stats({ retry: "unknown" });
}

/** A client with definitions is assignable to one without. */
export function anyClient(shop: Dispatch<ShopInterface>, rpc: DispatchRpc<ShopLiteral>): void {
  const client: Dispatch = shop;
  const overHttp: DispatchRpc = rpc;
  void client;
  void overHttp;
}

export async function connected(url: string, token: string): Promise<void> {
  const client = await Dispatch.connect<ShopInterface>({ url, token });
  expect<Equal<typeof client, Dispatch<ShopInterface>>>();
  const made = new Dispatch<ShopInterface>({ url, token });
  expect<Equal<typeof made, Dispatch<ShopInterface>>>();
  const plain = await Dispatch.connect({ url, token });
  expect<Equal<typeof plain, Dispatch>>();
  // @ts-expect-error Definitions have only jobs, workflows and events.
  type _Wrong = Dispatch<{ tasks: { noop: null } }>;
}
