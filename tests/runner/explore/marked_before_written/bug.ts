// The order is marked as done before its line is written.
import { defineJob, defineWorkflow } from "../../../../dev/mod.ts";

const done = new Set<string>();
const ledger = new Set<string>();

export const book = defineJob("book", async ({ id }: { id: string }, { sleep }) => {
  if (done.has(id)) return;
  done.add(id);
  await sleep("100ms");
  ledger.add(id);
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("lines", () => ({ value: ledger.size }));
});
