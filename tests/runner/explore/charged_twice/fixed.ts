// The key of a charge is the order, so that a second attempt changes nothing.
import { defineWorkflow } from "../../../../dev/mod.ts";

const charges = new Set<string>();

export const order = defineWorkflow("order", async (wf, { order_id }: { order_id: string }) => {
  await wf.step("reserve", () => {});
  await wf.step("charge", async ({ sleep }) => {
    await sleep(50);
    charges.add(order_id);
  });
  await wf.step("ship", () => {});
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("charges", () => ({ value: [...charges].length }));
});
