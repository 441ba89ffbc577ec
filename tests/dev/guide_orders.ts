import { defineCron, defineJob, defineWorkflow } from "../../dev/mod.ts";

export const sendEmail = defineJob(
  "send-email",
  { queue: "email", maxRetries: 5, timeout: "30s" },
  async (mail: { to: string }, { signal, attempt, log }) => {
    log(`attempt ${attempt}: ${mail.to}`);
    await fetch("https://mail.example.com/send", { method: "POST", signal });
  },
);

export const order = defineWorkflow("order", async (wf, input: { order_id: string }) => {
  await wf.step("reserve", () => {}, { compensate: () => {} });
  const paid = await wf.waitForEvent("payment-received", "5m");
  if (!paid) throw new Error("payment timed out");
  await wf.step("ship", () => ({ parcel: input.order_id }));
});

export const report = defineCron("report", {
  schedule: "0 7 * * 1-5",
  timezone: "Europe/Berlin",
  job: "send-email",
  payload: { to: "boss@example.com" },
});
