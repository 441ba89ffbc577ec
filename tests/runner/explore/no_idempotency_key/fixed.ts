// The order is the key of its charge.
import { defineJob, defineWorkflow } from "../../../../dev/mod.ts";

const charges = new Map<string, number>();

export const charge = defineJob(
  "charge",
  ({ order_id, amount }: { order_id: string; amount: number }) =>
    void charges.set(order_id, amount),
);

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step(
    "total",
    () => ({ value: [...charges.values()].reduce((sum, amount) => sum + amount, 0) }),
  );
});
