import type { Evidence } from "./evidence.ts";
import type { Judgement } from "./interpreter.ts";
import type { RecipeModel, StepModel } from "./model.ts";
import type { World } from "../../../testing/mod.ts";
import type { Signal } from "../model.ts";

/** Everything that the rules look at. */
export interface RecipeEvidence {
  readonly world: World;
  readonly model: RecipeModel;
  readonly evidence: Evidence;
  readonly judgement: Judgement;
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
function* verdictIsRight({ evidence, judgement, exitCode }: RecipeEvidence): Iterable<string> {
  yield* judgement.problems.map((problem) => `1: ${problem}`);
  const end = evidence.events.find((event) => event.type === "case.finished");
  if (end?.status !== judgement.status) yield `1: it ${end?.status}, not ${judgement.status}`;
  if (end?.flaky !== judgement.flaky) yield `1: flaky is ${end?.flaky}`;
  if (exitCode !== judgement.exitCode) {
    yield `1: the exit code is ${exitCode}, not ${judgement.exitCode}`;
  }
}

/** What a report says was created is in the store, once; nothing was sent that must not be. */
function* writesHappenOnce(
  { world, evidence, judgement, signals, received }: RecipeEvidence,
): Iterable<string> {
  const { store } = world;
  const stored = new Map<string, string[]>();
  const add = (value: unknown, id: string) => {
    const { tag } = Object(value);
    stored.set(tag, [...stored.get(tag) ?? [], id]);
  };
  for (const { payload, id } of store.jobs()) add(payload, id);
  for (const { input, id } of store.runs()) add(input, id);
  for (const { payload, id } of signals) add(payload, id);
  for (const [tag, ids] of stored) {
    const write = judgement.writes.get(tag);
    if (!write) yield `2: ${tag} happened, but is not to`;
    else if (ids.length > (write.repeats ? write.attempts : 1)) {
      yield `2: ${tag} happened ${ids.length} times`;
    }
  }
  for (const [tag, count] of received) {
    const { attempts = 0 } = judgement.writes.get(tag) ?? {};
    if (count > attempts) yield `2: ${tag} arrived ${count} times, in ${attempts} attempts`;
  }
  const known = new Set([...stored.values()].flat());
  for (const { finished } of evidence.steps.values()) {
    const event = finished[0]?.event;
    if (event?.status !== "passed" || !["enqueue", "start", "publish"].includes(event.kind)) {
      continue;
    }
    if (!known.has(event.detail!)) yield `2: step ${event.step} says ${event.detail} exists`;
  }
}

/** A wait ends with what the store has, and not long after. */
function* waitsAreTrue({ evidence, isDisturbed }: RecipeEvidence): Iterable<string> {
  for (const [key, { finished }] of evidence.steps) {
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
function* alwaysRan({ evidence, model }: RecipeEvidence): Iterable<string> {
  // Functions of a script do not begin steps when their time is over.
  if (evidence.ended!.at - evidence.stepsEnded!.at >= 10_000) return;
  const isConditional = ({ condition }: StepModel) => condition !== undefined;
  for (const step of model.always) {
    if (isConditional(step) || step.action.do === "log") continue;
    const keys = [...evidence.steps].filter(([key, { attempts }]) =>
      key.replace(/\[\d+\]$/, "") === `always ${step.number}` && attempts.length > 0
    );
    if (keys.length === 0) yield `4: step ${step.number} of always did not run`;
  }
}

export const RULES: readonly Rule[] = [
  verdictIsRight,
  writesHappenOnce,
  waitsAreTrue,
  alwaysRan,
];
