// One step leaves the customer in a variable for the next one.
import { defineWorkflow } from "../../../../dev/mod.ts";

const invoices: string[] = [];
let customer = "";

export function restart(): void {
  customer = "";
}

export const invoice = defineWorkflow("invoice", async (wf) => {
  await wf.step("customer", () => void (customer = "Ann"));
  await wf.step("write", () => void invoices.push(customer));
});

export const audit = defineWorkflow("audit", async (wf) => {
  await wf.step("nameless", () => ({ value: invoices.filter((name) => name === "").length }));
});
