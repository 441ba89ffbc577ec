import { toCel } from "../expression/convert.ts";
import type { Values } from "../expression/expression.ts";
import type { Recipe } from "../language/model.ts";
import type { Mask } from "./mask.ts";

/** What the names that no step leaves are made of. */
export interface RootOptions {
  /** Reads the environment. */
  env(name: string): string | undefined;
  /** Learns the values of secrets. */
  mask: Mask;
  /** The values of `matrix`. */
  matrix?: Record<string, unknown>;
  /** The values of `inputs`. */
  inputs?: Record<string, unknown>;
}

/**
 * What expressions see before any step: `env`, `secrets`, `matrix`, `inputs`, and `vars` still empty.
 * @throws {Error} When a secret is not in the environment.
 */
export function makeRoots(recipe: Recipe, options: RootOptions): Values {
  const { env, mask, matrix = {}, inputs = {} } = options;
  const secrets: Values = {};
  for (const { name } of recipe.secrets) {
    const value = env(name);
    if (value === undefined) throw new Error(`Cannot find secret ${name} in the environment`);
    mask.add(value);
    secrets[name] = value;
  }
  const known: Values = {};
  for (const { name, default: fallback } of recipe.env) {
    const value = env(name) ?? fallback;
    if (value !== undefined) known[name] = value;
  }
  const given: Values = {};
  for (const { name, type, default: fallback } of recipe.inputs) {
    given[name] = toCel(Object.hasOwn(inputs, name) ? inputs[name] : fallback, type);
  }
  return { vars: {}, env: known, secrets, matrix: toCel(matrix), inputs: given };
}
