// A crash after the charge, before its result is stored, charges the card again.
import { defineWorkflow } from "../../../../dev/mod.ts";

const charges: string[] = [];

export const order = defineWorkflow("order", async (wf, { order_id }: { order_id: string }) => {
  await wf.step("reserve", () => {});
  await wf.step("charge", async ({ sleep }) => {
    await sleep(50);
    charges.push(order_id);
  });
  await wf.step("ship", () => {});
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("charges", () => ({ value: [...charges].length }));
});
