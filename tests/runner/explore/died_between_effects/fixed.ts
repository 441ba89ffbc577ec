// The gateway knows the orders that it has charged.
import { defineWorkflow } from "../../../../dev/mod.ts";

const charged = new Set<string>();
const gateway = {
  charges: new Set<string>(),
  async charge(order_id: string) {
    await Promise.resolve();
    this.charges.add(order_id);
  },
};

export const order = defineWorkflow("order", async (wf, { order_id }: { order_id: string }) => {
  await wf.step("charge", async () => {
    if (charged.has(order_id)) return;
    await gateway.charge(order_id);
    charged.add(order_id);
  });
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("charges", () => ({ value: gateway.charges.size }));
});
