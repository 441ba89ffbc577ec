import type { Template } from "../expression/template.ts";
import { describeType, suits } from "../expression/types.ts";
import { custom, mapOf, required } from "../language/field.ts";
import { fixedText, json } from "../language/value_fields.ts";
import type { Input, Recipe } from "../language/model.ts";
import { didYouMean } from "../language/suggest.ts";
import { type StepCheck, stepKind } from "./kind.ts";

/** A recipe that is used, and the path it was named by. */
export interface Used {
  /** The path as it is written. */
  path: string;
  /** The recipe; absent when it could not be read. */
  recipe?: Recipe;
}

const path = fixedText("The file of another recipe, relative to this one.");

/** Runs another recipe as one step. */
export const use = stepKind({
  name: "use",
  title: "a use step",
  description: "Runs another recipe with the inputs it declares, and leaves its outputs.",
  fields: {
    use: required(
      custom<Used>(path.description, path.json, (node, context, what) => {
        const written = path.read(node, context, what);
        if (written === undefined) return undefined;
        const found = context.usedRecipe(written);
        if (found?.recipe) return { path: written, recipe: found.recipe };
        const problem = found?.problem ?? "other recipes cannot be read here";
        context.diagnostics.error("use", node, `cannot use '${written}': ${problem}`);
        return { path: written };
      }),
    ),
    inputs: mapOf<Template>(json("The inputs that the other recipe declares.")),
  },
  type(step, check) {
    const { recipe } = step.use;
    if (!recipe || check.id === undefined) return "dyn";
    const name = `UseResult_${check.id}` as const;
    check.record(name, {
      title: `what '${step.use.path}' gives`,
      fields: Object.fromEntries(recipe.outputs.map((output) => [output.name, output.type])),
    });
    return name;
  },
  check(step, check) {
    const { recipe } = step.use;
    if (!recipe) return;
    const at = check.at("inputs");
    const given = step.inputs ?? new Map<string, Template>();
    for (const input of recipe.inputs) {
      if (given.has(input.name) || !input.required) continue;
      check.context.diagnostics.error(
        "use",
        at ?? check.at("use")!,
        `'${step.use.path}' needs the input \`${input.name}\``,
      );
    }
    if (at?.kind !== "map") return;
    for (const { key, keySpan, value } of at.entries) {
      const input = recipe.inputs.find(({ name }) => name === key);
      const template = given.get(key);
      if (!input) {
        const names = recipe.inputs.map(({ name }) => name);
        const label = didYouMean(key, names) ??
          (names.length > 0 ? `it takes ${names.join(", ")}` : "it takes none");
        check.context.diagnostics.error(
          "use",
          keySpan,
          `'${step.use.path}' has no input \`${key}\``,
          {
            label,
          },
        );
      } else if (template) {
        checkType(input, template, value, check);
      }
    }
  },
  label: (step) => `use ${step.use.path}`,
  async run(step, context) {
    const inputs: Record<string, unknown> = {};
    for (const [name, template] of step.inputs ?? []) inputs[name] = context.resolve(template);
    return { result: await context.nested.use(step.use.recipe!, inputs) };
  },
});

function checkType(
  input: Input,
  template: Template,
  node: { start: number; end: number },
  check: StepCheck,
): void {
  const { context } = check;
  const wrong = (is: string) =>
    context.diagnostics.error(
      "use",
      node,
      `input \`${input.name}\` must be ${describeType(input.type)}, not ${is}`,
    );
  if (template.kind === "literal" && template.value === null && input.type !== "dyn") {
    return wrong("null");
  }
  context.onType(template, (type) => {
    if (!suits(type, input.type)) wrong(describeType(type));
  });
}
