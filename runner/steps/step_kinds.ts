import type { Recipe, Step } from "../language/model.ts";
import { advance } from "./advance.ts";
import { assert } from "./assert.ts";
import { call } from "./call.ts";
import { cancel } from "./cancel.ts";
import { enqueue } from "./enqueue.ts";
import { get } from "./get.ts";
import type { StepKind } from "./kind.ts";
import { log } from "./log.ts";
import { parallel } from "./parallel.ts";
import { publish } from "./publish.ts";
import { set } from "./set.ts";
import { sleep } from "./sleep.ts";
import { start } from "./start.ts";
import { stats } from "./stats.ts";
import { use, type Used } from "./use.ts";
import { wait } from "./wait.ts";

/** All step kinds by their names. To add one, write its file in this folder and add it here. */
const KINDS = {
  enqueue,
  start,
  publish,
  wait,
  assert,
  cancel,
  get,
  stats,
  call,
  sleep,
  advance,
  log,
  set,
  use,
  parallel,
};

/** The name of a step kind. */
export type StepKindName = keyof typeof KINDS;

// deno-lint-ignore no-explicit-any
type AnyStepKind = StepKind<any>;

/** All step kinds by their names. */
export const STEP_KINDS: Readonly<Record<string, StepKind>> = KINDS as Record<string, AnyStepKind>;

/** Returns the step kind with a name, if there is one. */
export function kindNamed(name: string): StepKind | undefined {
  return Object.hasOwn(STEP_KINDS, name) ? STEP_KINDS[name] : undefined;
}

/** Returns the kind of a step. */
export function kindOf({ kind }: Step): StepKind {
  return STEP_KINDS[kind]!;
}

/** Returns whether a step changes something on the server. */
export function isWrite(step: Step): boolean {
  const { writes } = kindOf(step);
  return typeof writes === "function" ? writes(step.fields) : writes;
}

/** Returns the steps inside a step. */
export function nestedSteps(step: Step): readonly Step[] {
  const { stepsKey } = kindOf(step);
  return stepsKey === undefined ? [] : step.fields[stepsKey] ?? [];
}

/** Returns the recipe that a step uses. */
export function usedRecipe(step: Step): Recipe | undefined {
  const { recipeKey } = kindOf(step);
  const used: Used | undefined = recipeKey === undefined ? undefined : step.fields[recipeKey];
  return used?.recipe;
}

/** Returns whether a step, or one inside it, checks something. */
export function hasChecks(step: Step): boolean {
  return step.expect !== undefined || kindOf(step).checks === true ||
    nestedSteps(step).some(hasChecks);
}

/** Returns steps, each followed by those inside it. */
export function withNested(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) => [step, ...withNested(nestedSteps(step))]);
}

/** Returns the ids of steps, including those inside them. */
export function idsOf(steps: readonly Step[]): string[] {
  return withNested(steps).flatMap(({ id }) => id ?? []);
}
