// A wait that ran out is taken for a payment.
import { defineWorkflow } from "../../../../dev/mod.ts";

const paid = new Set<string>();
const shipped = new Set<string>();

export const order = defineWorkflow("order", async (wf, { order_id }: { order_id: string }) => {
  const event = await wf.waitForMatch<{ order_id: string }>(
    "paid",
    "5m",
    ({ payload }) => payload.order_id === order_id,
  );
  if (event) await wf.step("book", () => void paid.add(order_id));
  await wf.step("ship", () => void shipped.add(order_id));
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("unpaid", () => ({ value: shipped.difference(paid).size }));
});
