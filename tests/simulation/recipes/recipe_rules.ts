import type { CaseEvidence, Evidence } from "./evidence.ts";
import type { Judgement } from "./interpreter.ts";
import type { RecipeModel, StepModel } from "./model.ts";
import type { World } from "../../../testing/mod.ts";
import type { Signal } from "../model.ts";
import type { RecipePlan } from "./plan.ts";

/** Everything that the rules look at. */
export interface RecipeEvidence {
  readonly world: World;
  readonly model: RecipeModel;
  readonly plan: RecipePlan;
  readonly evidence: Evidence;
  /** What the interpreter says about each case that was started. */
  readonly judgements: ReadonlyMap<CaseEvidence, Judgement>;
  /** The events that were published for workflows. */
  readonly signals: readonly Signal[];
  /** How many requests with each tag arrived at the nodes. */
  readonly received: ReadonlyMap<string, number>;
  readonly exitCode: number;
  /** Whether anything disturbed the network or the nodes. */
  readonly isDisturbed: boolean;
}

type Rule = (evidence: RecipeEvidence) => Iterable<string>;

/** The outcome is the interpreter's. */
function* verdictIsRight({ evidence, judgements, exitCode }: RecipeEvidence): Iterable<string> {
  for (const [{ end }, judgement] of judgements) {
    yield* judgement.problems.map((problem) => `1: ${problem}`);
    if (end?.type !== "case.finished") {
      yield "1: a case has not ended";
      continue;
    }
    if (end.status !== judgement.status) yield `1: it ${end.status}, not ${judgement.status}`;
    if (end.flaky !== judgement.flaky) yield `1: flaky is ${end.flaky}`;
  }
  const { interrupted, ended } = evidence;
  const statuses = [...judgements.values()].map(({ status }) => status);
  const has = (status: string) => statuses.some((one) => one === status);
  const wanted = interrupted && interrupted.order < ended!.order
    ? 130
    : has("failed")
    ? 1
    : has("errored")
    ? 3
    : has("unchecked") || !has("passed")
    ? 4
    : 0;
  if (exitCode !== wanted) yield `1: the exit code is ${exitCode}, not ${wanted}`;
}

/** Each case is started, unless an interruption or a failure forbids it; never too many at once. */
function* casesAreStarted({ plan, model, evidence }: RecipeEvidence): Iterable<string> {
  const { cases, interrupted } = evidence;
  const { parallel = 1, bail = false } = plan.matrix ?? {};
  const failed = cases.filter(({ end }) =>
    end?.type === "case.finished" && end.status !== "passed"
  );
  for (let index = 0; index < model.cases.length; index++) {
    const { began, end } = cases[index] ?? {};
    if (!end) yield `1: case ${index} was not reported`;
    if (!began) {
      const reason = interrupted ? "interrupted" : bail && failed.length > 0 ? "bail" : undefined;
      if (end?.type !== "case.skipped" || end.reason !== reason) {
        yield `1: case ${index} was not started: ${JSON.stringify(end)}`;
      }
      continue;
    }
    const isLate = (moment?: { order: number }) => moment && moment.order < began.order;
    if (isLate(interrupted)) yield `1: case ${index} was started after the interruption`;
    if (bail && failed.some(({ ended }) => isLate(ended))) {
      yield `1: case ${index} was started after a failure`;
    }
    const beside = cases.filter((other) => isLate(other.began) && !isLate(other.ended)).length;
    if (beside >= parallel) yield `1: case ${index} was started beside ${beside} others`;
  }
}

/** What a report says was created is in the store, once; nothing was sent that must not be. */
function* writesHappenOnce(
  { world, evidence, judgements, signals, received }: RecipeEvidence,
): Iterable<string> {
  const { store } = world;
  const writes = new Map([...judgements.values()].flatMap((one) => [...one.writes]));
  const stored = new Map<string, string[]>();
  const add = (value: unknown, id: string) => {
    const { tag } = Object(value);
    stored.set(tag, [...stored.get(tag) ?? [], id]);
  };
  for (const { payload, id } of store.jobs()) add(payload, id);
  for (const { input, id } of store.runs()) add(input, id);
  for (const { payload, id } of signals) add(payload, id);
  for (const [tag, ids] of stored) {
    const write = writes.get(tag);
    if (!write) yield `2: ${tag} happened, but is not to`;
    else if (ids.length > (write.repeats ? write.attempts : 1)) {
      yield `2: ${tag} happened ${ids.length} times`;
    }
  }
  for (const [tag, count] of received) {
    const { attempts = 0 } = writes.get(tag) ?? {};
    if (count > attempts) yield `2: ${tag} arrived ${count} times, in ${attempts} attempts`;
  }
  const known = new Set([...stored.values()].flat());
  for (const { finished } of evidence.cases.flatMap(({ steps }) => [...steps.values()])) {
    const event = finished[0]?.event;
    if (event?.status !== "passed" || !["enqueue", "start", "publish"].includes(event.kind)) {
      continue;
    }
    if (!known.has(event.detail!)) yield `2: step ${event.step} says ${event.detail} exists`;
  }
}

/** A wait ends with what the store has, and not long after. */
function* waitsAreTrue({ evidence, isDisturbed }: RecipeEvidence): Iterable<string> {
  for (const [key, { finished }] of evidence.cases.flatMap(({ steps }) => [...steps])) {
    for (const { event, stored } of finished) {
      const last = event.observed?.states.at(-1)?.state;
      if (event.kind !== "wait" || stored === undefined || last === undefined) continue;
      const isFinal = ["completed", "failed", "cancelled"].includes(last);
      // A job that has ended can still be marked cancelled.
      if (isFinal && last !== stored && stored !== "cancelled") {
        yield `3: ${key} saw ${last}, but it is ${stored}`;
      }
      if (event.status === "passed" && !isFinal && !isDisturbed && stored === "never") {
        yield `3: ${key} passed`;
      }
    }
  }
}

/** Each step of `always` ran, unless it is about a step that did not. */
function* alwaysRan({ judgements, model }: RecipeEvidence): Iterable<string> {
  const isConditional = ({ condition }: StepModel) => condition !== undefined;
  for (const { ended, stepsEnded, steps } of judgements.keys()) {
    // Functions of a script do not begin steps when their time is over.
    if (!ended || ended.at - stepsEnded!.at >= 10_000) continue;
    for (const step of model.always) {
      if (isConditional(step) || step.action.do === "log") continue;
      const keys = [...steps].filter(([key, { attempts }]) =>
        key.replace(/\[\d+\]$/, "") === `always ${step.number}` && attempts.length > 0
      );
      if (keys.length === 0) yield `4: step ${step.number} of always did not run`;
    }
  }
}

export const RULES: readonly Rule[] = [
  verdictIsRight,
  casesAreStarted,
  writesHappenOnce,
  waitsAreTrue,
  alwaysRan,
];
