import {
  custom,
  type Field,
  type Fields,
  type JsonSchema,
  oneOrMore,
  recordJson,
} from "../language/field.ts";
import { duration, fixedText } from "../language/value_fields.ts";
import type { Declared, EnvVariable } from "../language/model.ts";
import { INPUT_FIELDS } from "./read_inputs.ts";
import { ALERT_FIELDS, MAINTENANCE_FIELDS, SCHEDULE_FIELDS } from "./read_schedule.ts";
import type { Node } from "../language/node.ts";

/** Reads names of environment variables. */
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
      `\`${name}\` names no environment variable`,
    );
  },
);

const envNames = oneOrMore(envName);

const maintenanceJson = () => recordJson(MAINTENANCE_FIELDS);

const variableJson: JsonSchema = {
  type: "object",
  propertyNames: { pattern: "^[A-Za-z_][A-Za-z0-9_]*$" },
};

/** The keys of a recipe that are read in a plain way; steps and variables are read apart. */
export const RECIPE_FIELDS = {
  name: fixedText("What the recipe is called in reports."),
  description: fixedText("What it is for."),
  tags: custom<string[]>(
    "Words to choose recipes by: `--tag smoke`.",
    { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" }, minItems: 1 }] },
    (node, context, what) => oneOrMore(fixedText("A tag.")).read(node, context, what),
  ),
  timeout: duration("How long all of `steps` may take; 5 minutes when it is not given."),
  vars: custom<Node>(
    "Variables: values that `--var name=value` can replace. One without a value must be given.",
    variableJson,
    (node) => node,
  ),
  secrets: custom<Declared[]>(
    "Environment variables whose values are masked in every output.",
    envNames.json,
    envNames.read,
  ),
  env: custom<EnvVariable[]>(
    "Environment variables that expressions can see, as a list, or as a map with default values.",
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
      return node.entries.map(({ key, keySpan, value }) => {
        const isEmpty = value.kind === "scalar" && value.value === null;
        const text = isEmpty ? undefined : fixedText("").read(value, context, `\`${key}\``);
        return { name: key, span: keySpan, default: text };
      });
    },
  ),
  matrix: custom<Node>(
    "Lists of values; the recipe runs once for each combination.",
    {
      type: "object",
      minProperties: 1,
      additionalProperties: { type: "array", minItems: 1 },
    },
    (node) => node,
  ),
  inputs: custom<Node>(
    "What a recipe that uses this one hands in: `{name: {type, default, description}}`.",
    () => ({
      type: "object",
      additionalProperties: { anyOf: [recordJson(INPUT_FIELDS), { type: "null" }] },
    }),
    (node) => node,
  ),
  outputs: custom<Node>(
    "What a recipe that uses this one gets back: expressions by name.",
    { type: "object", additionalProperties: { type: ["string", "number", "boolean"] } },
    (node) => node,
  ),
  steps: custom<Node>("What is done, from top to bottom.", {}, (node) => node),
  always: custom<Node>(
    "What is done at the end in any case: after success, failure and interruption, within 10 s.",
    {},
    (node) => node,
  ),
  schedule: custom<Node>(
    "When the recipe runs by itself.",
    () => recordJson(SCHEDULE_FIELDS),
    (node) => node,
  ),
  alert: custom<Node>("Who is told when it fails.", () => recordJson(ALERT_FIELDS), (node) => node),
  maintenance: custom<Node>(
    "When nobody is told.",
    () => ({ anyOf: [maintenanceJson(), { type: "array", items: maintenanceJson() }] }),
    (node) => node,
  ),
} satisfies Fields;
