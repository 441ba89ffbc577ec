import type { PlannedCase } from "../engine/run.ts";
import { toCel } from "../expression/convert.ts";
import type { Values } from "../expression/expression.ts";
import type { Ambient } from "../expression/functions.ts";
import { resolveTemplate } from "../expression/template.ts";

/** Settings of {@linkcode staticScope}. */
export interface StaticScopeOptions {
  /** The sources of `now()`, `uuid()` and `random(n)`. */
  ambient: Ambient;
  /** Reads an environment variable. */
  env(name: string): string | undefined;
}

/**
 * The names that expressions can use before any step has run, with their values.
 *
 * @param inputs The inputs that another recipe passes, as far as they are known.
 */
export function staticScope(
  { recipe, matrix, vars = {} }: PlannedCase,
  { env, ambient }: StaticScopeOptions,
  inputs: Record<string, unknown> = {},
): Values {
  const secrets: Values = {};
  for (const { name } of recipe.secrets) {
    const value = env(name);
    if (value !== undefined) secrets[name] = value;
  }
  const environment: Values = {};
  for (const { name, default: fallback } of recipe.env) environment[name] = env(name) ?? fallback;
  const scope: Values = {
    vars: {},
    env: environment,
    secrets,
    matrix: toCel(matrix ?? {}),
    inputs: toCel(inputs),
  };
  for (const { name, value, type } of recipe.vars) {
    const isSet = Object.hasOwn(vars, name);
    if (!isSet && !value) continue;
    const resolved = isSet ? vars[name] : resolveTemplate(value!, scope, ambient);
    (scope.vars as Values)[name] = toCel(resolved, type);
  }
  return scope;
}
