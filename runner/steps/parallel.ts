import { custom, required } from "../language/field.ts";
import type { Step } from "../language/model.ts";
import { stepKind } from "./kind.ts";

/** Runs steps side by side. */
export const parallel = stepKind({
  name: "parallel",
  title: "a parallel step",
  description: "Runs steps side by side; it ends when all of them have ended.",
  fields: {
    parallel: required(
      custom<Step[]>(
        "The steps. None of them sees what another one leaves; the steps after it see all.",
        { type: "array", minItems: 1, items: { $ref: "#/definitions/step" } },
        (node, context, what) => {
          if (node.kind !== "list") return void context.wrongType(node, what, "a list of steps");
          if (node.items.length === 0) {
            return void context.diagnostics.error("no-steps", node, `${what} has no step`);
          }
          return context.readSteps(node);
        },
      ),
    ),
  },
  label: ({ parallel: { length } }) => `parallel, ${length} ${length === 1 ? "step" : "steps"}`,
  async run(step, context) {
    await context.nested.parallel(step.parallel);
    return {};
  },
});
