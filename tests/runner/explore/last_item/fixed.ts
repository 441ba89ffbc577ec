// A buyer takes the item before the payment.
import { defineJob, defineWorkflow } from "../../../../dev/mod.ts";

let stock = 1;

export const buy = defineJob("buy", async (_: unknown, { sleep }) => {
  if (stock === 0) return;
  stock--;
  await sleep("500ms");
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("stock", () => ({ value: stock }));
});
