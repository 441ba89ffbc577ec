// A line that is there is not appended again.
import { defineJob, defineWorkflow } from "../../../../dev/mod.ts";

const lines: string[] = [];

export const report = defineJob("report", ({ line }: { line: string }) => {
  if (!lines.includes(line)) lines.push(line);
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("lines", () => ({ value: lines.length }));
});
