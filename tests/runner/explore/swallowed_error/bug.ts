// A failed charge is only logged, and the order is shipped.
import { defineWorkflow } from "../../../../dev/mod.ts";

const state = { charged: 0, shipped: 0 };

export const order = defineWorkflow("order", async (wf) => {
  try {
    await wf.step("charge", () => void (state.charged = 1));
  } catch (error) {
    wf.log(`charge failed: ${error}`);
  }
  await wf.step("ship", () => void (state.shipped = 1));
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("unpaid", () => ({ value: state.shipped - state.charged }));
});
