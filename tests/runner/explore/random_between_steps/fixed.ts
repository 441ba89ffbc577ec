// The parcel's number is the result of a step.
import { defineWorkflow } from "../../../../dev/mod.ts";

const labels = new Map<string, number>();

export const order = defineWorkflow("order", async (wf) => {
  const parcel = await wf.step("number", () => Math.random());
  await wf.step("print-label", () => void labels.set("printed", parcel));
  await wf.step("announce", () => void labels.set("announced", parcel));
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("equal", () => ({ value: labels.get("printed") === labels.get("announced") }));
});
