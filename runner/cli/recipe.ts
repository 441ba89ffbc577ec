import { createRecipe, type MakeRecipe } from "../script/recipe.ts";
import { reportEarlyEnd } from "./early_end.ts";

/**
 * Declares a recipe in TypeScript, as an export of its module. The runner runs it, and so
 * does the module as a program: `bun order.recipe.ts`.
 *
 * @example
 * ```ts
 * import { recipe } from "@dispatch/sdk/runner";
 *
 * export default recipe("Order smoke", { tags: ["smoke"], timeout: "1m" }, async (t) => {
 *   const order = await t.start("order-payment", { order_id: "ORD-7" });
 *   await t.publish("payment-received", { order_id: "ORD-7" });
 *   await t.wait(order, { until: "completed", within: "30s" });
 *   t.expect(await order.timeline()).toContainStep("ship");
 * });
 * ```
 */
export const recipe: MakeRecipe = createRecipe(runAsProgram);

const started = new Set<string>();

/** Runs a recipe's module once it has loaded; only its first call of `recipe` counts. */
function runAsProgram(file: string): void {
  if (started.has(file)) return;
  started.add(file);
  // The rest of the module could end the process before the run starts.
  const ended = reportEarlyEnd();
  setTimeout(async () => {
    const { main } = await import("./main.ts");
    ended();
    await main([file]);
  }, 0);
}
