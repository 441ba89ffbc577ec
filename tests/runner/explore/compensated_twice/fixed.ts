// What was given back is not given back again.
import { defineWorkflow } from "../../../../dev/mod.ts";

let stock = 10;
const reserved = new Set<string>();

export const order = defineWorkflow("order", async (wf, { order_id }: { order_id: string }) => {
  const reserve = () => {
    if (reserved.has(order_id)) return;
    reserved.add(order_id);
    stock--;
  };
  const release = () => {
    if (reserved.delete(order_id)) stock++;
  };
  await wf.step("reserve", reserve, { compensate: release });
  await wf.step("charge", () => {
    throw new Error("card declined");
  });
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("stock", () => ({ value: stock }));
});
