import { STEP_KINDS } from "../steps/step_kinds.ts";
import type { StepKind } from "../steps/kind.ts";
import { type JsonSchema, recordJson } from "../language/field.ts";
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
      step: {
        type: "object",
        anyOf: Object.values(STEP_KINDS).map((kind) => ({
          title: kind.name,
          description: kind.description,
          ...stepJson(kind),
          // `expect` is an option of every step, but also makes an assert step on its own.
          ...(kind.name === "assert"
            ? { anyOf: [{ required: ["assert"] }, { required: ["expect"] }] }
            : {}),
        })),
      },
    },
  };
}

/** The schema of a step kind. The keys that all steps share are defined once and referred to. */
function stepJson({ fields, retriable = true }: StepKind): JsonSchema {
  const own = recordJson(fields);
  const names = Object.keys(STEP_OPTIONS).filter((name) => retriable || name !== "retry");
  const shared = names.map((name) => [name, { $ref: `#/definitions/${name}` }]);
  return {
    ...own,
    properties: { ...Object.fromEntries(shared), ...own.properties as Record<string, JsonSchema> },
  };
}
