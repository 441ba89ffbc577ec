import { type JsonSchema, recordJson } from "../language/field.ts";
import type { StepKind } from "../steps/kind.ts";
import { STEP_KINDS } from "../steps/step_kinds.ts";
import { ALERT_FIELDS } from "./read_alert.ts";
import { heartbeatJson } from "./read_heartbeat.ts";
import { INPUT_FIELDS } from "./read_inputs.ts";
import { QUARANTINE_FIELDS } from "./read_quarantine.ts";
import { MAINTENANCE_FIELDS, SCHEDULE_FIELDS } from "./read_schedule.ts";
import { RECIPE_FIELDS } from "./recipe_fields.ts";
import { STEP_OPTIONS } from "./step_options.ts";

/**
 * The JSON Schema of a YAML recipe, made from the fields that read it. Editors use it to complete and
 * check recipes. Only `check` finds problems that depend on the whole recipe, such as unknown ids.
 */
export function recipeSchema(): JsonSchema {
  const root = recordJson(RECIPE_FIELDS);
  const properties = root.properties as Record<string, JsonSchema>;
  const more = Object.entries(schemasOfParts())
    .map(([key, schema]) => [key, { ...properties[key], ...schema }]);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Dispatch recipe",
    description: "An orchestration script, smoke test or scheduled check for Dispatch.",
    ...root,
    properties: { ...properties, ...Object.fromEntries(more) },
    required: ["steps"],
    definitions: {
      ...recordJson(STEP_OPTIONS).properties as Record<string, JsonSchema>,
      step: { type: "object", anyOf: Object.values(STEP_KINDS).map(stepSchema) },
    },
  };
}

/** Returns the schemas of the keys whose readers only some recipes load. */
function schemasOfParts(): Partial<Record<keyof typeof RECIPE_FIELDS, JsonSchema>> {
  const steps = { type: "array", minItems: 1, items: { $ref: "#/definitions/step" } };
  const maintenance = recordJson(MAINTENANCE_FIELDS);
  return {
    inputs: {
      type: "object",
      additionalProperties: { anyOf: [recordJson(INPUT_FIELDS), { type: "null" }] },
    },
    steps,
    always: steps,
    quarantine: recordJson(QUARANTINE_FIELDS),
    schedule: recordJson(SCHEDULE_FIELDS),
    alert: recordJson(ALERT_FIELDS),
    heartbeat: heartbeatJson(),
    maintenance: { anyOf: [maintenance, { type: "array", items: maintenance }] },
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
