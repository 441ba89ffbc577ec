import { custom, required } from "../language/field.ts";
import type { Step } from "../language/model.ts";
import { stepKind } from "./kind.ts";

/** Runs steps side by side. */
export const parallel = stepKind({
  name: "parallel",
  title: "a parallel step",
  description: "Runs steps side by side. It ends when all of them have ended.",
  usage: "`parallel: [STEP, …]`",
  fields: {
    parallel: required(
      custom<Step[]>(
        "The steps. They cannot use each other's results; later steps can use all of them.",
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
  // The steps inside report their own writes.
  writes: false,
  result: { title: "the results of its steps", typeOf: () => undefined },
  stepsKey: "parallel",
  label: ({ parallel: { length } }) => `parallel, ${length} ${length === 1 ? "step" : "steps"}`,
  async run(step, context) {
    await context.nested.parallel(step.parallel);
    return {};
  },
});
