// A failed charge fails the order.
import { defineWorkflow } from "../../../../dev/mod.ts";

const state = { charged: 0, shipped: 0 };

export const order = defineWorkflow("order", async (wf) => {
  await wf.step("charge", () => void (state.charged = 1));
  await wf.step("ship", () => void (state.shipped = 1));
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("unpaid", () => ({ value: state.shipped - state.charged }));
});
