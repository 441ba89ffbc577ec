import {
  type OptionRule,
  type OptionRules,
  optionsProblem,
  shown,
} from "../runtime/check_options.ts";

/**
 * Thrown when an argument or option of a call is not valid. The message names it and says what is
 * allowed.
 *
 * @example
 * ```ts
 * import { defineJob, OptionsError } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * const options = JSON.parse('{ "max_retries": 1 }');
 * assert.throws(() => defineJob("send-email", options, () => {}), OptionsError);
 * ```
 */
export class OptionsError extends RangeError {
  /** Always `"bad_options"`. */
  readonly code = "bad_options";

  /**
   * Creates an error.
   * @param action What could not be done, such as `"define job 'send-email'"`.
   */
  constructor(action: string, problem: string) {
    super(`Cannot ${action}: ${problem}`);
    this.name = "OptionsError";
  }
}

/**
 * Validates the options of a call.
 * @throws {OptionsError} If there is no such option, or a value is not valid.
 */
export function checkOptions(action: string, options: unknown, rules: OptionRules): void {
  const problem = optionsProblem(options, rules);
  if (problem !== undefined) throw new OptionsError(action, problem);
}

/**
 * Validates an argument of a call.
 * @throws {OptionsError} If it is not valid.
 */
export function checkArgument(
  action: string,
  name: string,
  value: unknown,
  rule: OptionRule,
): void {
  const allowed = rule(value);
  if (allowed === undefined) return;
  const found = value === undefined ? "missing" : shown(value);
  throw new OptionsError(action, `the ${name} must be ${allowed}, not ${found}`);
}
