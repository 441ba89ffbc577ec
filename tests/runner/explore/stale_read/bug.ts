// One step reads the stock, and a later one writes a value that follows from it.
import { defineWorkflow } from "../../../../dev/mod.ts";

let stock = 10;

export const order = defineWorkflow("order", async (wf) => {
  const seen = await wf.step("look", () => stock);
  await wf.step("take", () => void (stock = seen - 1));
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("stock", () => ({ value: stock }));
});
