// A late round begins before the one before it has ended, and both do the same work.
import { defineCron, defineJob, defineWorkflow } from "../../../../dev/mod.ts";

const open = new Set(["a", "b", "c", "d"]);
const sent: string[] = [];

export const round = defineJob("round", async (_: unknown, { sleep }) => {
  for (const letter of [...open]) {
    await sleep("5s");
    open.delete(letter);
    sent.push(letter);
  }
});

export const rounds = defineCron("rounds", { schedule: "@every 21s", job: "round" });

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("sent", () => ({ value: sent.length }));
});
