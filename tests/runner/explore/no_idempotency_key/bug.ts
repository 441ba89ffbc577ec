// Each job charges, also one that a client has sent again.
import { defineJob, defineWorkflow } from "../../../../dev/mod.ts";

const charges: number[] = [];

export const charge = defineJob("charge", ({ amount }: { order_id: string; amount: number }) => {
  charges.push(amount);
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step(
    "total",
    () => ({ value: [...charges.values()].reduce((sum, amount) => sum + amount, 0) }),
  );
});
