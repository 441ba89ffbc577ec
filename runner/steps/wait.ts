import type { Expression } from "../expression/expression.ts";
import { JOB_STATES, RUN_STATES } from "../../protocol/entity.ts";
import { type CelType, describeType, itemType } from "../expression/types.ts";
import { custom, type Field, oneOrMore, type Read, required } from "../language/field.ts";
import { text } from "../language/value_fields.ts";
import type { Node } from "../language/node.ts";
import { readExpression } from "../language/read_template.ts";
import { didYouMean } from "../language/suggest.ts";
import { type ChannelWait, channelWait, checkChannel, waitOnChannel } from "./_wait_channel.ts";
import { waitForEntity } from "./_wait_entity.ts";
import { type StepCheck, stepKind, templateLabel } from "./kind.ts";
import { type Target, target, targetId } from "./_target.ts";

/** A state that is named in a recipe. */
export interface StateName {
  /** The state. */
  state: string;
  /** Its node. */
  node: Node;
}

/** What ends a wait: one of some states, or an expression that holds. */
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

const fields = {
  wait: required(
    custom<Target | ChannelWait>(
      "What is waited for: the job or run of an earlier step, or events of a channel.",
      () => ({ anyOf: [...byTarget.json.anyOf as unknown[], channelWait.json] }),
      (node, context, what) =>
        node.kind === "map" && node.entries.some(({ key }) => key === "channel")
          ? channelWait.read(node, context, what)
          : byTarget.read(node, context, what),
    ),
  ),
  until: custom<Until>(
    "The states that end the wait, or an expression in `${{ }}` over the result; `completed` when it is not given.",
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
  until_step: text("The name of a checkpoint of the run: its step, or `wait:<event>` and so on."),
  fail_on: custom<StateName[]>(
    "States that fail the wait at once, besides ends other than `until`.",
    states.json,
    states.read,
  ),
};

/** Waits for a job, a run or events of a channel. */
export const wait = stepKind({
  name: "wait",
  title: "a wait step",
  description: "Waits for a job or a run to reach a state, or for events on a channel.",
  checks: true,
  retriable: false,
  fields,
  type: (step) => isChannel(step.wait) ? "ChannelWaitResult" : "WaitResult",
  check(step, check) {
    if (step.wait && isChannel(step.wait)) {
      checkChannel(step.wait, check);
      return;
    }
    const type = typeOfTarget(step, check);
    const { step: id } = step.wait;
    if (id !== undefined && step.until && "expression" in step.until) {
      if (/\bevents\b/.test(step.until.expression.text)) check.context.keepEvents(id);
    }
    if (step.until && "states" in step.until) checkStates(step.until.states, type, check);
    if (step.until && "expression" in step.until && type !== undefined) {
      // What is waited for may be written under `until`, so its type is only known now.
      const { expression } = step.until;
      check.context.setLocals(expression, { it: type });
    }
    if (step.fail_on) {
      checkStates(step.fail_on, type, check);
      checkContradiction(step.fail_on, step.until, check);
    }
    if (step.wait.step !== undefined && step.until_step === undefined) {
      const states = step.until && "states" in step.until
        ? step.until.states.map(({ state }) => state)
        : ["completed"];
      if (!step.until || "states" in step.until) check.waitedFor(step.wait.step, states);
    }
    const at = check.at("until_step");
    if (at && type === "JobResult") {
      check.context.diagnostics.error("wrong-step", at, "a job has no steps to wait for", {
        label: "`until` waits for a state",
      });
    }
    const until = check.at("until");
    if (at && until) {
      check.context.diagnostics.error("two-kinds", until, "`until` and `until_step` in one wait");
    }
  },
  label(step) {
    if (isChannel(step.wait)) return `wait for events of ${templateLabel(step.wait.channel)}`;
    const { step: id, job, run } = step.wait;
    const what = id ?? templateLabel(job ?? run);
    if (step.until_step) return `wait for ${what} to reach step ${templateLabel(step.until_step)}`;
    if (!step.until) return `wait for ${what}`;
    if ("expression" in step.until) return `wait for ${what} until ${step.until.expression.text}`;
    return `wait for ${what} until ${step.until.states.map(({ state }) => state).join(" or ")}`;
  },
  async run(step, context) {
    if (isChannel(step.wait)) {
      context.checked();
      return await waitOnChannel(step.wait, context);
    }
    const { step: id } = step.wait;
    const one = { ...step, wait: step.wait };
    const list = id === undefined ? undefined : context.results.list(id);
    // Who waits for nothing has checked nothing.
    if (list?.length !== 0) context.checked();
    if (list) {
      const { waitForList } = await import("./_wait_list.ts");
      return await waitForList(one, list, context);
    }
    return await waitForEntity(one, {
      entity: targetId(step.wait, context),
      keep: (result) => id === undefined ? result : context.results.update(id, result),
    }, context);
  },
});

/** A wait step that is read. */
export type WaitStep = Omit<Read<typeof fields>, "wait"> & { wait: Target };

function isChannel(wait: Target | ChannelWait): wait is ChannelWait {
  return "channel" in wait;
}

function typeOfTarget(step: Read<typeof fields>, check: StepCheck): CelType | undefined {
  if (!step.wait || isChannel(step.wait)) return undefined;
  if (step.wait.job) return "JobResult";
  if (step.wait.run) return "RunResult";
  const type = check.typeOf(step.wait.step!);
  return itemType(type) ?? type;
}

/** A state cannot both end the wait well and fail it. */
function checkContradiction(failOn: StateName[], until: Until | undefined, check: StepCheck): void {
  const wanted = until === undefined
    ? ["completed"]
    : "states" in until
    ? until.states.map(({ state }) => state)
    : [];
  for (const { state, node } of failOn) {
    if (!wanted.includes(state)) continue;
    check.context.diagnostics.error("wrong-value", node, `\`${state}\` is what is waited for`);
  }
}

function checkStates(names: StateName[], type: CelType | undefined, check: StepCheck): void {
  const known: readonly string[] = type === "RunResult" ? RUN_STATES : JOB_STATES;
  for (const { state, node } of names) {
    if (known.includes(state)) continue;
    const whose = type === "RunResult" || type === "JobResult"
      ? describeType(type)
      : "a job or run";
    check.context.diagnostics.error("unknown-state", node, `${whose} is never \`${state}\``, {
      label: didYouMean(state, known) ??
        (/[^\w-]/.test(state)
          ? "an expression stands in `${{ }}`"
          : `it can be ${known.join(", ")}`),
    });
  }
}
