import type { Template } from "../expression/template.ts";
import { describeType, suits } from "../expression/types.ts";
import { custom, mapOf, required } from "../language/field.ts";
import type { Input, Recipe } from "../language/model.ts";
import type { Span } from "../language/source.ts";
import { didYouMean } from "../../runtime/suggest.ts";
import { fixedText, json } from "../language/value_fields.ts";
import { type StepCheck, stepKind } from "./kind.ts";

/** Another recipe, as a step names it. */
export interface Used {
  /** The path as written. */
  path: string;
  /** The recipe; absent if it could not be read. */
  recipe?: Recipe;
}

const path = fixedText("The file of another recipe, relative to this one.");

/** Runs another recipe as one step. */
export const use = stepKind({
  name: "use",
  title: "a use step",
  description: "Runs another recipe as one step.",
  usage: "`use: FILE`",
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
  // The steps of the other recipe report their own writes.
  writes: false,
  result: {
    title: "its `outputs`",
    typeOf({ use: { path, recipe } }, { defineType }) {
      if (!recipe) return "dyn";
      return defineType({
        title: `the result of '${path}'`,
        fields: Object.fromEntries(recipe.outputs.map(({ name, type }) => [name, type])),
      });
    },
  },
  checks: true,
  recipeKey: "use",
  check({ use: { path, recipe }, inputs = new Map<string, Template>() }, check) {
    if (!recipe) return;
    const { diagnostics } = check.context;
    const node = check.at("inputs");
    for (const { name, required } of recipe.inputs) {
      if (inputs.has(name) || !required) continue;
      const at = node ?? check.at("use")!;
      diagnostics.error("use", at, `'${path}' needs the input \`${name}\``);
    }
    if (node?.kind !== "map") return;
    for (const { key, keySpan, value } of node.entries) {
      const input = recipe.inputs.find(({ name }) => name === key);
      const template = inputs.get(key);
      if (input) {
        if (template) checkType(input, template, value, check);
        continue;
      }
      const names = recipe.inputs.map(({ name }) => name);
      const label = didYouMean(key, names) ??
        (names.length > 0 ? `it takes ${names.join(", ")}` : "it takes none");
      diagnostics.error("use", keySpan, `'${path}' has no input \`${key}\``, { label });
    }
  },
  label: (step) => `use ${step.use.path}`,
  async run(step, context) {
    const inputs: Record<string, unknown> = {};
    for (const [name, template] of step.inputs ?? []) inputs[name] = context.resolve(template);
    return { result: await context.nested.use(step.use.recipe!, inputs) };
  },
});

function checkType(input: Input, template: Template, span: Span, { context }: StepCheck): void {
  const report = (actual: string) => {
    const expected = describeType(input.type);
    const message = `input \`${input.name}\` must be ${expected}, not ${actual}`;
    context.diagnostics.error("use", span, message);
  };
  if (template.kind === "literal" && template.value === null && input.type !== "dyn") {
    return report("null");
  }
  context.onType(template, (type) => {
    if (!suits(type, input.type)) report(describeType(type));
  });
}
