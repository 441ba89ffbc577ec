// A round takes a letter before it sends it.
import { defineCron, defineJob, defineWorkflow } from "../../../../dev/mod.ts";

const open = new Set(["a", "b", "c", "d"]);
const sent: string[] = [];

export const round = defineJob("round", async (_: unknown, { sleep }) => {
  for (const letter of [...open]) {
    if (!open.delete(letter)) continue;
    await sleep("5s");
    sent.push(letter);
  }
});

export const rounds = defineCron("rounds", { schedule: "@every 21s", job: "round" });

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("sent", () => ({ value: sent.length }));
});
