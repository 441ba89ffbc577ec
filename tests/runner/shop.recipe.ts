import { recipe } from "../../runner/mod.ts";

interface Shop {
  jobs: { "send-email": { to: string; subject: string }; "always-fails": null };
  workflows: { "order-payment": { order_id: string } };
  events: { "payment-received": { order_id: string } };
}

export default recipe.each([{ order_id: "ORD-1" }, { order_id: "ORD-2" }])<Shop>(
  "Shop",
  { tags: ["shop"], timeout: "1m", vars: { subject: "Welcome" } },
  async (t) => {
    const order_id = String(t.matrix.order_id);
    const email = await t.enqueue("send-email", {
      to: "user@example.com",
      subject: String(t.vars.subject),
    });
    t.always(async () => {
      if (email.state !== "completed") await t.cancel(email);
    });
    await t.wait(email, { within: "10s" });
    t.expect(email.state).toBe("completed");

    const order = await t.start("order-payment", { order_id });
    await t.wait(order, { untilStep: "reserve" });
    await t.publish("payment-received", { order_id });
    await t.wait(order, { until: (run) => run.state === "completed", within: "30s" });
    t.expect(await order.timeline()).toContainStep("ship");
    t.assert(order.steps.length === 3, "the order has three checkpoints");
  },
);
