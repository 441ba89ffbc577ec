// The total is a variable, which is 0 when the run resumes.
import { defineWorkflow } from "../../../../dev/mod.ts";

const charges = new Map<string, number>();

export const order = defineWorkflow("order", async (wf) => {
  let total = 0;
  await wf.step("first-item", () => void (total += 10));
  await wf.step("second-item", () => void (total += 5));
  await wf.step("charge", () => void charges.set(wf.run_id, total));
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("charged", () => ({ value: [...charges.values()][0] }));
});
