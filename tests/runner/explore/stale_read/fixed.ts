// A step takes from the stock that there is then, once for each run.
import { defineWorkflow } from "../../../../dev/mod.ts";

let stock = 10;
const taken = new Set<string>();

export const order = defineWorkflow("order", async (wf) => {
  await wf.step("look", () => stock);
  await wf.step("take", () => {
    if (!taken.has(wf.run_id)) stock--;
    taken.add(wf.run_id);
  });
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("stock", () => ({ value: stock }));
});
