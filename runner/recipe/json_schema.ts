import { type JsonSchema, recordJson } from "../language/field.ts";
import type { StepKind } from "../steps/kind.ts";
import { STEP_KINDS } from "../steps/step_kinds.ts";
import { RECIPE_FIELDS } from "./recipe_fields.ts";
import { STEP_OPTIONS } from "./step_options.ts";

/**
 * The JSON Schema of a YAML recipe, made from the fields that read it. Editors use it to complete and
 * check recipes. Only `check` finds problems that depend on the whole recipe, such as unknown ids.
 */
export function recipeSchema(): JsonSchema {
  const steps = { type: "array", minItems: 1, items: { $ref: "#/definitions/step" } };
  const root = recordJson(RECIPE_FIELDS);
  const properties = root.properties as Record<string, JsonSchema>;
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Dispatch recipe",
    description: "An orchestration script, smoke test or scheduled check for Dispatch.",
    ...root,
    properties: {
      ...properties,
      steps: { ...properties.steps, ...steps },
      always: { ...properties.always, ...steps },
    },
    required: ["steps"],
    definitions: {
      ...recordJson(STEP_OPTIONS).properties as Record<string, JsonSchema>,
      step: { type: "object", anyOf: Object.values(STEP_KINDS).map(stepSchema) },
    },
  };
}

/** Returns the schema of one step kind. It refers to the shared schemas of the options. */
function stepSchema({ name, description, fields, noRetry, impliedBy }: StepKind): JsonSchema {
  const own = recordJson(fields);
  const options = Object.keys(STEP_OPTIONS).filter((option) => option !== "retry" || !noRetry);
  const shared = options.map((option) => [option, { $ref: `#/definitions/${option}` }]);
  const required = [name, ...(impliedBy === undefined ? [] : [impliedBy])];
  return {
    title: name,
    description,
    ...own,
    properties: { ...Object.fromEntries(shared), ...own.properties as Record<string, JsonSchema> },
    ...(impliedBy === undefined ? {} : { anyOf: required.map((key) => ({ required: [key] })) }),
  };
}
