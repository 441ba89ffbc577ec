import { custom, type Field, type Fields, type JsonSchema, oneOrMore } from "../language/field.ts";
import type { CasesFile, Declared, EnvVariable } from "../language/model.ts";
import type { Node } from "../language/node.ts";
import { duration, fixedText } from "../language/value_fields.ts";

/** The name of an environment variable. */
const envName: Field<Declared, false> = custom(
  "The name of an environment variable.",
  { type: "string", pattern: "^[A-Za-z_][A-Za-z0-9_]*$" },
  (node, context, what) => {
    const name = fixedText("").read(node, context, what);
    if (name === undefined) return undefined;
    if (/^[A-Za-z_]\w*$/.test(name)) return { name, span: node };
    return void context.diagnostics.error(
      "bad-id",
      node,
      `\`${name}\` is not a name of an environment variable`,
    );
  },
);

const anyEnvNames = oneOrMore(envName);

const envNames: Field<Declared[], false> = custom(
  anyEnvNames.description,
  anyEnvNames.json,
  (node, context, what) =>
    context.hasTooMany(node, what) ? undefined : anyEnvNames.read(node, context, what),
);

const variableJson: JsonSchema = {
  type: "object",
  propertyNames: { pattern: "^[A-Za-z_][A-Za-z0-9_]*$" },
};

/**
 * The keys of a recipe. Those whose value is a node are read later, once all keys are known. The
 * schemas of some are added by `recipeSchema`: what reads them is loaded by a recipe that has them.
 */
export const RECIPE_FIELDS = {
  name: fixedText("The name of the recipe in reports; by default the name of the file."),
  description: fixedText("What the recipe is for."),
  tags: custom<string[]>(
    "Tags to select recipes by: `--tag smoke`.",
    { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" }, minItems: 1 }] },
    (node, context, what) =>
      context.hasTooMany(node, what)
        ? undefined
        : oneOrMore(fixedText("A tag.")).read(node, context, what),
  ),
  timeout: duration("How long the steps may take together; 5 minutes by default."),
  vars: custom<Node>(
    "Variables, whose values `--var name=value` replaces. A variable without a value must be set.",
    variableJson,
    (node) => node,
  ),
  secrets: custom<Declared[]>(
    "Environment variables whose values are masked in every output.",
    envNames.json,
    envNames.read,
  ),
  env: custom<EnvVariable[]>(
    "Environment variables that expressions can use: a list of names, or a map with defaults.",
    {
      anyOf: [
        envName.json,
        { type: "array", items: envName.json, minItems: 1 },
        { type: "object", additionalProperties: { type: ["string", "null"] } },
      ],
    },
    (node, context, what) => {
      if (node.kind !== "map") {
        return envNames.read(node, context, what)?.map((e) => ({ ...e, default: undefined }));
      }
      if (context.hasTooMany(node, what)) return undefined;
      return node.entries.map(({ key, keySpan, value }) => {
        const isEmpty = value.kind === "scalar" && value.value === null;
        const text = isEmpty ? undefined : fixedText("").read(value, context, `\`${key}\``);
        return { name: key, span: keySpan, default: text };
      });
    },
  ),
  matrix: custom<Node>(
    "Lists of values. The recipe runs once for each combination.",
    {
      type: "object",
      minProperties: 1,
      additionalProperties: { type: "array", minItems: 1 },
    },
    (node) => node,
  ),
  cases: custom<CasesFile>(
    "A file with values for `vars`: the recipe runs once for each row. CSV, JSON or YAML.",
    { type: "string", pattern: "\\.([cC][sS][vV]|[jJ][sS][oO][nN]|[yY][aA]?[mM][lL])$" },
    (node, context, what) => {
      const path = fixedText("").read(node, context, what);
      if (path === undefined) return undefined;
      if (/\.(csv|json|ya?ml)$/i.test(path)) return { path, span: node };
      return void context.diagnostics.error("wrong-value", node, `${what} must name a file`, {
        label: "with the ending `.csv`, `.json` or `.yaml`",
      });
    },
  ),
  inputs: custom<Node>(
    "The inputs that another recipe passes with `use`: `{name: {type, default, description}}`.",
    {},
    (node) => node,
  ),
  outputs: custom<Node>(
    "The outputs that another recipe gets from `use`: expressions by name.",
    { type: "object", additionalProperties: { type: ["string", "number", "boolean"] } },
    (node) => node,
  ),
  steps: custom<Node>("The steps, which run from top to bottom.", {}, (node) => node),
  always: custom<Node>(
    "Steps that run at the end, even after a failure or an interruption. They have 10 s.",
    {},
    (node) => node,
  ),
  quarantine: custom<Node>(
    "Why the recipe may fail without failing the run, and until when: `{until, reason}`.",
    {},
    (node) => node,
  ),
  schedule: custom<Node>(
    "When `schedule` runs the recipe.",
    {},
    (node) => node,
  ),
  alert: custom<Node>(
    "When to send alerts about failures, and to whom.",
    {},
    (node) => node,
  ),
  heartbeat: custom<Node>(
    "Whom each run of `schedule` is told to, so that somebody notices when there is none.",
    {},
    (node) => node,
  ),
  maintenance: custom<Node>(
    "Times at which `schedule` does not run the recipe.",
    {},
    (node) => node,
  ),
} satisfies Fields;
