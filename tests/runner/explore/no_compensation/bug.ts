// An order that fails keeps its goods reserved.
import { defineWorkflow } from "../../../../dev/mod.ts";

const reserved = new Set<string>();

export const order = defineWorkflow("order", async (wf, { order_id }: { order_id: string }) => {
  await wf.step("reserve", () => void reserved.add(order_id));
  await wf.step("charge", () => {});
  await wf.step("ship", () => void reserved.delete(order_id));
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("reserved", () => ({ value: reserved.size }));
});
