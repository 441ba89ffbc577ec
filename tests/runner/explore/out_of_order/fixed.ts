// An older change does not replace a newer one.
import { defineJob, defineWorkflow } from "../../../../dev/mod.ts";

let status = "";
let version = 0;

export const update = defineJob("update", (change: { version: number; status: string }) => {
  if (change.version < version) return;
  ({ version, status } = change);
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("status", () => ({ value: status }));
});
