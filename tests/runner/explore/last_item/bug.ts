// Two buyers see the last item before either has taken it.
import { defineJob, defineWorkflow } from "../../../../dev/mod.ts";

let stock = 1;

export const buy = defineJob("buy", async (_: unknown, { sleep }) => {
  if (stock === 0) return;
  await sleep("500ms");
  stock--;
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("stock", () => ({ value: stock }));
});
