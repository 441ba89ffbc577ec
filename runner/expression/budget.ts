/**
 * The limit for the work that one expression may do. An expression runs to its end before anything
 * else can happen, so no deadline can stop it.
 *
 * @module
 */

import { INEXACT, InexactNumber } from "./convert.ts";

/** The most steps an expression may take, which is about a second. */
const MAX_STEPS = 10_000_000;
/** The number of steps after which timers should get a turn. */
const STEPS_BETWEEN_BREAKS = 1_000_000;
/** How many characters are read in the time of one step. */
const CHARACTERS_PER_STEP = 10;

const TOO_MANY = "it takes more than 10,000,000 steps";

/** The error of an expression that takes too many steps. */
export class BudgetError extends Error {
  /** The code, as errors of the expression language have one. */
  readonly code = "too_many_steps";
  /** The message, as errors of the expression language have one. */
  readonly summary = TOO_MANY;

  /** Creates the error. */
  constructor() {
    super(TOO_MANY);
    this.name = "BudgetError";
  }
}

let left = Infinity;
let takenSinceBreak = 0;

/**
 * Calls `callback` with a new budget, from which {@linkcode spend} takes. Inside another call the
 * outer budget stays.
 */
export function withBudget<T>(callback: () => T): T {
  if (left !== Infinity) return callback();
  left = MAX_STEPS;
  try {
    return callback();
  } finally {
    takenSinceBreak += MAX_STEPS - left;
    left = Infinity;
  }
}

/**
 * Whether expressions have taken so many steps that timers and signals should get their turn: call
 * {@linkcode takeBreak} between two of many expressions.
 */
export function needsBreak(): boolean {
  return takenSinceBreak > STEPS_BETWEEN_BREAKS;
}

/** Lets due timers and signals call back, such as those of a deadline. */
export function takeBreak(): Promise<void> {
  takenSinceBreak = 0;
  return new Promise((resolve) => void setTimeout(resolve, 0));
}

/**
 * Takes steps from the budget. Outside of {@linkcode withBudget} there is no limit.
 * @throws {BudgetError} If there are not enough left.
 */
export function spend(steps: number): void {
  left -= steps;
  if (left < 0) throw new BudgetError();
}

/**
 * Takes steps from the budget for reading a whole value: one for each value in it.
 *
 * @param isCompared Whether all of it decides the result, so that no number in it may be inexact.
 */
export function spendForReading(value: unknown, isCompared: boolean): void {
  if (typeof value === "string") return spend(value.length / CHARACTERS_PER_STEP);
  if (typeof value !== "object" || value === null) return;
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const one = rest.pop();
    spend(1);
    if (one instanceof InexactNumber && (isCompared || one === value)) {
      throw Object.assign(new Error(INEXACT), { code: "inexact_number", summary: INEXACT });
    }
    if (typeof one === "string" || one instanceof Uint8Array) {
      spend(one.length / CHARACTERS_PER_STEP);
    } else if (typeof one === "object" && one !== null) {
      for (const item of Object.values(one)) rest.push(item);
    }
  }
}
