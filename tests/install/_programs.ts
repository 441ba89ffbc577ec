/** A program that tests a workflow in virtual time, by the name that the package is imported by. */
export function testingProgram(name: string): string {
  return `
import { defineWorkflow } from "${name}/dev";
import { createTestDispatch } from "${name}/testing";

const order = defineWorkflow("order", async (wf) => {
  await wf.sleep("a day", "24h");
});
const env = await createTestDispatch({ workflows: [order] });
const run = await env.client.startWorkflow("order", {});
await env.advance("24h");
const { state }: { state: string } = await env.completed(run);
await env[Symbol.asyncDispose]();
console.log(state);
`;
}
