// The total follows from results of steps.
import { defineWorkflow } from "../../../../dev/mod.ts";

const charges = new Map<string, number>();

export const order = defineWorkflow("order", async (wf) => {
  let total = 0;
  total += await wf.step("first-item", () => 10);
  total += await wf.step("second-item", () => 5);
  await wf.step("charge", () => void charges.set(wf.run_id, total));
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("charged", () => ({ value: [...charges.values()][0] }));
});
