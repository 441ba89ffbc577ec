import { JOB_STATES, RUN_STATES } from "../../protocol/entity.ts";
import { type CelType, describeType, itemType, type RecordType } from "../expression/types.ts";
import type { Template } from "../expression/template.ts";
import type { Read } from "../language/field.ts";
import { didYouMean } from "../../runtime/suggest.ts";
import { type Target, targetEntity } from "./_target.ts";
import { waitOnChannel } from "./_wait_channel.ts";
import { waitForEntity } from "./_wait_entity.ts";
import { waitForList } from "./_wait_list.ts";
import { fields, isChannelWait, type StateName } from "./_wait_step.ts";
import type { StepContext } from "./context.ts";
import { type StepCheck, stepKind, templateLabel } from "./kind.ts";
import { recordResult } from "./result_types.ts";

type Step = Read<typeof fields>;

const RESULT: RecordType = {
  title: "the result of a wait",
  fields: { outcome: "string", waited_ms: "int", states: "list<StateResult>" },
};

const CHANNEL_RESULT: RecordType = {
  title: "the result of a wait on a channel",
  fields: { outcome: "string", waited_ms: "int", events: "list<EventResult>" },
};

/** Waits for a job, a run or events of a channel. */
export const wait = stepKind({
  name: "wait",
  title: "a wait step",
  description: "Waits for a job or run to reach a state, or for events of a channel.",
  usage: "`wait: ID`, `{job: …}`, `{run: …}` or `{channel: …}`",
  fields,
  writes: false,
  result: {
    ...recordResult(RESULT),
    typeOf: ({ wait }, { defineType }) => defineType(isChannelWait(wait) ? CHANNEL_RESULT : RESULT),
  },
  checks: true,
  waits: true,
  noRetry: { message: "a wait takes no `retry`", advice: "`within` gives it more time" },
  check(step, check) {
    if (isChannelWait(step.wait)) checkChannelWait(check);
    else checkEntityWait(step, step.wait, check);
  },
  label(step) {
    if (isChannelWait(step.wait)) return `wait for events of ${templateLabel(step.wait.channel)}`;
    const { until, until_step, wait: { step: id, job, run } } = step;
    const what = `wait for ${id ?? templateLabel(job ?? run)}`;
    if (until_step) return `${what} to reach step ${templateLabel(until_step)}`;
    if (!until) return what;
    if ("expression" in until) return `${what} until ${until.expression.text}`;
    return `${what} until ${until.states.map(({ state }) => state).join(" or ")}`;
  },
  async run({ wait, ...step }, context) {
    if (isChannelWait(wait)) {
      context.countCheck();
      return await waitOnChannel(wait, context);
    }
    const { step: id } = wait;
    const list = id === undefined ? undefined : context.results.list(id);
    // A wait for the items of an empty `for_each` checks nothing.
    if (list?.length !== 0) context.countCheck();
    if (list) return await waitForList({ ...step, wait }, list, context);
    if (id !== undefined && step.until_step) await checkStepName(id, step.until_step, context);
    return await waitForEntity({ ...step, wait }, {
      entity: targetEntity(wait, context),
      keep: (result) => id === undefined ? result : context.results.update(id, result),
    }, context);
  },
});

/** Checks that the workflow of a run has a step of this name. */
async function checkStepName(id: string, name: Template, context: StepContext): Promise<void> {
  if (context.results.entity(id)?.kind !== "run") return;
  const { name: start } = context.results.get(id) as { name: string };
  await context.checkRequest({ start, until_step: context.text(name) });
}

function checkChannelWait({ at, context }: StepCheck): void {
  for (const key of ["until", "until_step", "fail_on"]) {
    const other = at(key);
    if (!other) continue;
    context.diagnostics.error("unknown-key", other, `a wait on a channel takes no \`${key}\``, {
      label: "use `where` and `count` inside `wait`",
    });
  }
}

function checkEntityWait({ until, fail_on }: Step, wait: Target, check: StepCheck): void {
  const { context } = check;
  const { step: id } = wait;
  const type = typeOfTarget(wait, check);
  const until_step = check.at("until_step");
  if (until && "expression" in until) {
    const { expression } = until;
    if (id !== undefined && /\bevents\b/.test(expression.text)) context.keepEvents(id);
    // `until` can come before `wait` in the step, so the type of `it` is known only now.
    if (type !== undefined) context.setLocals(expression, { it: type });
  } else {
    const states = until?.states.map(({ state }) => state) ?? ["completed"];
    if (until) checkStates(until.states, type, check);
    if (id !== undefined && !until_step) check.waitedFor(id, states);
    for (const { state, node } of fail_on ?? []) {
      if (!states.includes(state)) continue;
      const message = `\`${state}\` cannot both end the wait and fail it`;
      context.diagnostics.error("wrong-value", node, message);
    }
  }
  if (fail_on) checkStates(fail_on, type, check);
  if (!until_step) return;
  if (type === "JobResult") {
    context.diagnostics.error("wrong-step", until_step, "a job has no steps to wait for", {
      label: "use `until` to wait for a state",
    });
  }
  const untilNode = check.at("until");
  if (untilNode) {
    context.diagnostics.error("two-kinds", untilNode, "`until` and `until_step` in one wait");
  }
}

function typeOfTarget({ step, job, run }: Target, check: StepCheck): CelType | undefined {
  if (job) return "JobResult";
  if (run) return "RunResult";
  const type = check.typeOf(step!);
  return itemType(type) ?? type;
}

function checkStates(
  names: readonly StateName[],
  type: CelType | undefined,
  { context }: StepCheck,
): void {
  const known: readonly string[] = type === "RunResult" ? RUN_STATES : JOB_STATES;
  const subject = type === "RunResult" || type === "JobResult"
    ? describeType(type)
    : "a job or run";
  for (const { state, node } of names) {
    if (known.includes(state)) continue;
    const isExpression = /[^\w-]/.test(state);
    context.diagnostics.error("unknown-state", node, `${subject} is never \`${state}\``, {
      label: didYouMean(state, known) ??
        (isExpression ? "write an expression in `${{ }}`" : `it can be ${known.join(", ")}`),
    });
  }
}
