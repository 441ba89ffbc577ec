// A job that is tried again appends its line again.
import { defineJob, defineWorkflow } from "../../../../dev/mod.ts";

const lines: string[] = [];

export const report = defineJob("report", ({ line }: { line: string }) => {
  lines.push(line);
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("lines", () => ({ value: lines.length }));
});
