import type { Template } from "../expression/template.ts";
import { StepFailure } from "../events/failure.ts";
import type { Entity } from "../events/results.ts";
import { custom, type Field, type Fields, readFields, recordJson } from "../language/field.ts";
import type { Reference } from "../language/parse_context.ts";
import type { Span } from "../language/source.ts";
import { text } from "../language/value_fields.ts";
import type { StepContext } from "./context.ts";

/** The job or run that a step acts on: that of an earlier step, or one with a given id. */
export interface Target {
  /** The id of an earlier step. */
  step?: string;
  /** A job's id. */
  job?: Template;
  /** A run's id. */
  run?: Template;
  /** Where it is written. */
  span: Span;
}

const job = text("A job's id.");
const run = text("A run's id.");

/** The keys that name a job or run by its id, for each thing that a target can be. */
const BY_ID: Readonly<Record<Reference["wants"], Fields>> = {
  "job": { job },
  "run": { run },
  "job or run": { job, run },
  "jobs or runs": { job, run },
};

/**
 * A target: a step's id, `{job: <id>}` or `{run: <id>}`.
 *
 * @param wants What the result of the earlier step must be.
 */
export function target(description: string, wants: Reference["wants"]): Field<Target, false> {
  const fields = BY_ID[wants];
  const json = () => ({
    anyOf: [
      { type: "string", minLength: 1 },
      { ...recordJson(fields), minProperties: 1, maxProperties: 1 },
    ],
  });
  return custom(description, json, (node, context, what) => {
    if (node.kind === "map") {
      const read: { job?: Template; run?: Template } = readFields(node, fields, context, what);
      if ((read.job === undefined) === (read.run === undefined)) {
        if (node.entries.every(({ key }) => Object.hasOwn(fields, key))) {
          const names = Object.keys(fields).map((name) => `\`${name}\``).join(" or ");
          context.diagnostics.error("missing-key", node, `${what} needs one of ${names}`);
        }
        return undefined;
      }
      return { ...read, span: node };
    }
    if (node.kind !== "scalar" || typeof node.value !== "string") {
      return void context.wrongType(node, what, "the id of a step");
    }
    if (node.value.includes("${{")) {
      const message = `${what} takes the id of a step, not an expression`;
      const keys = Object.keys(fields);
      return void context.diagnostics.error("wrong-type", node, message, {
        label: `for the id of a ${keys.join(" or ")} write \`{${keys[0]}: …}\``,
      });
    }
    context.addReference(node.value, node, wants);
    return { step: node.value, span: node };
  });
}

/** Returns the job or run that a target names. */
export function targetEntity(target: Target, context: StepContext): Entity {
  if (target.job) return { kind: "job", id: context.text(target.job) };
  if (target.run) return { kind: "run", id: context.text(target.run) };
  const entity = context.results.entity(target.step!);
  if (entity) return entity;
  throw new StepFailure("evaluation", `Step \`${target.step}\` did not run`, { span: target.span });
}
