import type { PlannedCase } from "../engine/run.ts";
import { toCel } from "../expression/convert.ts";
import type { Values } from "../expression/expression.ts";
import type { Ambient } from "../expression/cel.ts";
import { resolveTemplate } from "../expression/template.ts";

/** What values are made of that are known before anything runs. */
export interface KnownOptions {
  /** Where `now()`, `uuid()` and `random(n)` come from. */
  ambient: Ambient;
  /** Reads the environment. */
  env(name: string): string | undefined;
}

/**
 * The values that are known before anything runs.
 *
 * @param inputs What another recipe hands in, as far as it is known.
 */
export function knownValues(
  { recipe, matrix, vars = {} }: PlannedCase,
  { env, ambient }: KnownOptions,
  inputs: Record<string, unknown> = {},
): Values {
  const secrets: Values = {};
  for (const { name } of recipe.secrets) {
    const value = env(name);
    if (value !== undefined) secrets[name] = value;
  }
  const known: Values = {};
  for (const { name, default: fallback } of recipe.env) known[name] = env(name) ?? fallback;
  const values: Values = {
    vars: {},
    env: known,
    secrets,
    matrix: toCel(matrix ?? {}),
    inputs: toCel(inputs),
  };
  for (const { name, value, type } of recipe.vars) {
    const given = Object.hasOwn(vars, name);
    if (!given && !value) continue;
    const resolved = given ? vars[name] : resolveTemplate(value!, values, ambient);
    (values.vars as Values)[name] = toCel(resolved, type);
  }
  return values;
}
