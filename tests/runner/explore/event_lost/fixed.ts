// A run takes only the payment of its own order.
import { defineWorkflow } from "../../../../dev/mod.ts";

const shipped = new Set<string>();

export const order = defineWorkflow("order", async (wf, { order_id }: { order_id: string }) => {
  await wf.step("reserve", () => {});
  const paid = await wf.waitForMatch<{ order_id: string }>(
    "paid",
    "1h",
    ({ payload }) => payload.order_id === order_id,
  );
  if (!paid) return;
  await wf.step("ship", () => void shipped.add(order_id));
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("shipped", () => ({ value: shipped.size }));
});
