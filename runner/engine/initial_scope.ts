import { toCel } from "../expression/convert.ts";
import type { Values } from "../expression/expression.ts";
import type { Recipe } from "../language/model.ts";
import type { Mask } from "./mask.ts";

/** Options of {@linkcode initialScope}. */
export interface InitialScopeOptions {
  /** Reads an environment variable. */
  env(name: string): string | undefined;
  /** Receives the values of secrets. */
  mask: Mask;
  /** The values of `matrix`. */
  matrix?: Record<string, unknown> | undefined;
  /** The values of `inputs`. */
  inputs?: Record<string, unknown> | undefined;
}

/**
 * Returns the names that expressions see before the first step: `env`, `secrets`, `matrix`,
 * `inputs`, and an empty `vars`.
 *
 * @throws {Error} If the environment lacks a secret.
 */
export function initialScope(recipe: Recipe, options: InitialScopeOptions): Values {
  const { env, mask, matrix = {}, inputs = {} } = options;
  const secrets: Values = {};
  for (const { name } of recipe.secrets) {
    const value = env(name);
    if (value === undefined) throw new Error(`Cannot find secret ${name} in the environment`);
    mask.add(value);
    secrets[name] = value;
  }
  const environment: Values = {};
  for (const { name, default: fallback } of recipe.env) {
    const value = env(name) ?? fallback;
    if (value !== undefined) environment[name] = value;
  }
  const inputValues: Values = {};
  for (const { name, type, default: fallback } of recipe.inputs) {
    inputValues[name] = toCel(Object.hasOwn(inputs, name) ? inputs[name] : fallback, type);
  }
  return { vars: {}, env: environment, secrets, matrix: toCel(matrix), inputs: inputValues };
}
