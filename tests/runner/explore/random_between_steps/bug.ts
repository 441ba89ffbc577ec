// The parcel's number is another one when the run resumes.
import { defineWorkflow } from "../../../../dev/mod.ts";

const labels = new Map<string, number>();

export const order = defineWorkflow("order", async (wf) => {
  const parcel = Math.random();
  await wf.step("print-label", () => void labels.set("printed", parcel));
  await wf.step("announce", () => void labels.set("announced", parcel));
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("equal", () => ({ value: labels.get("printed") === labels.get("announced") }));
});
