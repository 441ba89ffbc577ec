// A run takes the payment of another order, and drops it.
import { defineWorkflow } from "../../../../dev/mod.ts";

const shipped = new Set<string>();

export const order = defineWorkflow("order", async (wf, { order_id }: { order_id: string }) => {
  await wf.step("reserve", () => {});
  const paid = await wf.waitForEvent<{ order_id: string }>("paid", "1h");
  if (paid?.payload.order_id !== order_id) return;
  await wf.step("ship", () => void shipped.add(order_id));
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("shipped", () => ({ value: shipped.size }));
});
