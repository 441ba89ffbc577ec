// The status is that of the job that ran last.
import { defineJob, defineWorkflow } from "../../../../dev/mod.ts";

let status = "";

export const update = defineJob("update", (change: { version: number; status: string }) => {
  status = change.status;
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("status", () => ({ value: status }));
});
