import type { Template } from "../expression/template.ts";
import { custom, type Field, readFields, recordJson } from "../language/field.ts";
import { text } from "../language/value_fields.ts";
import type { Entity } from "../events/results.ts";
import { StepFailure } from "../events/failure.ts";
import type { StepContext } from "./kind.ts";
import type { Span } from "../language/source.ts";

/** The job or run a step is about: what an earlier step left, or an id. */
export interface Target {
  /** The id of an earlier step. */
  step?: string;
  /** A job's id. */
  job?: Template;
  /** A run's id. */
  run?: Template;
  /** Where it is named. */
  span: Span;
}

/** What can be named: only jobs, runs as well, or also all that a `for_each` left. */
export type Wants = "job" | "job or run" | "jobs or runs";

const byId = {
  job: text("A job's id."),
  run: text("A run's id."),
};

/** Reads a target: a step's id, `{job: <id>}` or `{run: <id>}`. */
export function target(description: string, wants: Wants): Field<Target, false> {
  const fields = wants === "job" ? { job: byId.job } : byId;
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
      return void context.diagnostics.error("wrong-type", node, `${what} names a step by its id`, {
        label: `for the id of a ${wants === "job" ? "job" : "job or run"} write \`{job: …}\``,
      });
    }
    context.addReference(node.value, node, wants);
    return { step: node.value, span: node };
  });
}

/** The job or run that a target stands for now. */
export function targetId(target: Target, context: StepContext): Entity {
  if (target.job) return { kind: "job", id: context.text(target.job) };
  if (target.run) return { kind: "run", id: context.text(target.run) };
  const entity = context.results.entity(target.step!);
  if (entity) return entity;
  throw new StepFailure("evaluation", `Step \`${target.step}\` did not run`, { span: target.span });
}
