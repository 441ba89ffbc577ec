// The customer is the result of a step.
import { defineWorkflow } from "../../../../dev/mod.ts";

const invoices: string[] = [];

export const invoice = defineWorkflow("invoice", async (wf) => {
  const customer = await wf.step("customer", () => "Ann");
  await wf.step("write", () => void invoices.push(customer));
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("nameless", () => ({ value: invoices.filter((name) => name === "").length }));
});
