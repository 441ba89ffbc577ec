import type { Ambient } from "../expression/library.ts";
import type { Values } from "../expression/expression.ts";
import { toCel } from "../expression/convert.ts";
import { EvaluationError } from "../expression/expression.ts";
import { expressionsOf, resolveTemplate, type Template } from "../expression/template.ts";
import type { Mask } from "../engine/mask.ts";
import type { PlannedCase } from "../engine/run.ts";
import type { Step } from "../recipe/model.ts";
import type { Output } from "../report/reporter.ts";
import { templateLabel } from "../steps/kind.ts";

/** What a dry run needs. */
export interface DryRunOptions {
  /** Where the plan is printed. */
  out: Output;
  /** Where `now()`, `uuid()` and `random(n)` come from. */
  ambient: Ambient;
  /** Reads the environment. */
  env(name: string): string | undefined;
  /** Hides secrets. */
  mask: Mask;
  /** Which steps run. */
  select?: (step: Step) => boolean;
}

/** Prints what would be done, with the values that are known before anything runs. */
export function printPlan(cases: readonly PlannedCase[], options: DryRunOptions): void {
  const { ambient } = options;
  for (const planned of cases) {
    const { recipe, matrix } = planned;
    const { random = ambient.random } = planned;
    const values = knownValues(planned, { ...options, ambient: { ...ambient, random } });
    const combination = matrix ? ` ${JSON.stringify(matrix)}` : "";
    print(options, `${recipe.name}${combination}  ${recipe.source.name}`);
    for (const [name, value] of Object.entries(values.vars as Values)) {
      print(options, `  ${name} = ${json(value)}`);
    }
    printSteps(recipe.steps, "  ", values, options);
    if (recipe.always.length > 0) {
      print(options, "  always:");
      printSteps(recipe.always, "    ", values, options);
    }
  }
}

function printSteps(
  steps: readonly Step[],
  indent: string,
  values: Values,
  options: DryRunOptions,
): void {
  for (const step of steps) {
    if (!(options.select?.(step) ?? true)) continue;
    const id = step.id === undefined ? "" : ` → ${step.id}`;
    const condition = step.if ? `  if ${step.if.text}` : "";
    const items = step.forEach ? `  for each of ${show(step.forEach, values, options)}` : "";
    const label = `${step.kind.label(step.fields)}${id}${items}${condition}`;
    print(options, `${indent}${step.number}. ${label}`);
    for (const key of ["payload", "input", "data"]) {
      const template = step.fields[key] as Template | undefined;
      if (template) print(options, `${indent}     ${key}: ${show(template, values, options)}`);
    }
    if (Array.isArray(step.fields.parallel)) {
      printSteps(step.fields.parallel, `${indent}  `, values, options);
    }
  }
}

/** What an earlier step has to leave first stays as it is written. */
function show(template: Template, values: Values, options: DryRunOptions): string {
  try {
    return json(resolveTemplate(template, values, options.ambient));
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return template.kind === "map" || template.kind === "list"
      ? `with ${expressionsOf(template).map(({ text }) => `\${{ ${text} }}`).join(", ")}`
      : templateLabel(template);
  }
}

/** The values that are known before anything runs. */
export function knownValues(
  { recipe, matrix, vars = {} }: PlannedCase,
  { env, ambient }: Pick<DryRunOptions, "ambient" | "env">,
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
    inputs: {},
  };
  for (const { name, value, type } of recipe.vars) {
    const given = Object.hasOwn(vars, name);
    if (!given && !value) continue;
    const resolved = given ? vars[name] : resolveTemplate(value!, values, ambient);
    (values.vars as Values)[name] = toCel(resolved, type);
  }
  return values;
}

function print({ out, mask }: DryRunOptions, line: string): void {
  out.write(`${mask.text(line)}\n`);
}

function json(value: unknown): string {
  return JSON.stringify(value, (_key, item) => typeof item === "bigint" ? Number(item) : item);
}
