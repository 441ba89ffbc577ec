import { JOB_STATES, RUN_STATES } from "../../protocol/entity.ts";
import type { Expression } from "../expression/expression.ts";
import { custom, type Field, oneOrMore, type Read, required } from "../language/field.ts";
import type { Node } from "../language/node.ts";
import { readExpression } from "../language/read_template.ts";
import { text } from "../language/value_fields.ts";
import { type Target, target } from "./_target.ts";
import { type ChannelWait, channelWait } from "./_wait_channel.ts";

/** A state that a recipe names. */
export interface StateName {
  /** The state. */
  state: string;
  /** Where it is written. */
  node: Node;
}

/** The condition that ends a wait: one of some states, or an expression. */
export type Until = { states: StateName[] } | { expression: Expression };

const stateName: Field<StateName, false> = custom(
  "A state.",
  { enum: [...new Set([...JOB_STATES, ...RUN_STATES])] },
  (node, context, what) => {
    if (node.kind !== "scalar" || typeof node.value !== "string") {
      return void context.wrongType(node, what, "a state");
    }
    return { state: node.value, node };
  },
);

const states = oneOrMore(stateName);

const byTarget = target(
  "The id of an earlier step, `{job: <job id>}` or `{run: <run id>}`.",
  "jobs or runs",
);

/** The keys of a wait step. */
export const fields = {
  wait: required(
    custom<Target | ChannelWait>(
      "What to wait for: the job or run of an earlier step, or events of a channel.",
      () => ({ anyOf: [...byTarget.json.anyOf as unknown[], channelWait.json] }),
      (node, context, what) =>
        node.kind === "map" && node.entries.some(({ key }) => key === "channel")
          ? channelWait.read(node, context, what)
          : byTarget.read(node, context, what),
    ),
  ),
  until: custom<Until>(
    "The states that end the wait, or an expression in `${{ }}` over the result; default: `completed`.",
    { anyOf: [states.json, { type: "string", pattern: "^\\s*\\$\\{\\{" }] },
    (node, context, what) => {
      if (node.kind === "scalar" && typeof node.value === "string" && node.value.includes("${{")) {
        const expression = context.within(
          { locals: { ...context.scope.locals, it: "dyn" } },
          () => readExpression(node, context, what, "condition"),
        );
        return expression && { expression };
      }
      const read = states.read(node, context, what);
      return read && { states: read };
    },
  ),
  until_step: text(
    "The checkpoint of the run that ends the wait: the name of a step, `wait:<event>` and so on.",
  ),
  fail_on: custom<StateName[]>(
    "States that fail the wait at once, besides final states other than `until`.",
    states.json,
    states.read,
  ),
};

/** A wait for one or more jobs or runs. */
export type WaitStep = Omit<Read<typeof fields>, "wait"> & { wait: Target };

/** Returns whether a wait is for events of a channel. */
export function isChannelWait(wait: Target | ChannelWait): wait is ChannelWait {
  return "channel" in wait;
}
