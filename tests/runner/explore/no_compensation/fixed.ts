// A failure gives back what was reserved.
import { defineWorkflow } from "../../../../dev/mod.ts";

const reserved = new Set<string>();

export const order = defineWorkflow("order", async (wf, { order_id }: { order_id: string }) => {
  const release = () => void reserved.delete(order_id);
  await wf.step("reserve", () => void reserved.add(order_id), { compensate: release });
  await wf.step("charge", () => {});
  await wf.step("ship", release);
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("reserved", () => ({ value: reserved.size }));
});
