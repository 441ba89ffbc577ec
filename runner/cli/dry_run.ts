import type { Mask } from "../engine/mask.ts";
import type { PlannedCase } from "../engine/run.ts";
import { toCel } from "../expression/convert.ts";
import { EvaluationError, type Values } from "../expression/expression.ts";
import { literal, resolveTemplate, type Template } from "../expression/template.ts";
import type { Recipe, Step } from "../language/model.ts";
import type { Output } from "../report/reporter.ts";
import { terminalText } from "../report/terminal.ts";
import { templateLabel } from "../steps/kind.ts";
import { kindOf, nestedSteps, usedRecipe } from "../steps/step_kinds.ts";
import { staticScope, type StaticScopeOptions } from "./static_scope.ts";

/** Settings of {@linkcode printPlan}. */
export interface DryRunOptions extends StaticScopeOptions {
  /** Where the plan is printed. */
  out: Output;
  /** Masks secrets. */
  mask: Mask;
  /** Which steps run; all of them when absent. */
  filter?: (step: Step) => boolean;
}

/** Prints the steps of each case, with all values that are known before anything runs. */
export function printPlan(cases: readonly PlannedCase[], options: DryRunOptions): void {
  const { ambient } = options;
  for (const planned of cases) {
    const { recipe, matrix, random = ambient.random } = planned;
    const own = { ...options, ambient: { ...ambient, random } };
    const scope = staticScope(planned, own);
    const combination = matrix ? ` ${JSON.stringify(matrix)}` : "";
    print(own, `${recipe.name}${combination}  ${recipe.source.name}`);
    for (const [name, value] of Object.entries(scope.vars as Values)) {
      print(own, `  ${name} = ${json(value)}`);
    }
    if (recipe.script) print(own, "  (the steps of a TypeScript recipe are known when it runs)");
    printSteps(recipe, "  ", scope, own);
  }
}

function printSteps(recipe: Recipe, indent: string, scope: Values, options: DryRunOptions): void {
  for (const step of recipe.steps) printStep(step, indent, scope, options);
  if (recipe.always.length === 0) return;
  print(options, `${indent}always:`);
  for (const step of recipe.always) printStep(step, `${indent}  `, scope, options);
}

function printStep(step: Step, indent: string, scope: Values, options: DryRunOptions): void {
  if (!(options.filter?.(step) ?? true)) return;
  const { kind, fields } = step;
  const evaluated: Record<string, unknown> = Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, evaluateField(value, scope, options)]),
  );
  const id = step.id === undefined ? "" : ` → ${step.id}`;
  const atATime = step.forEachParallel
    ? `, ${formatTemplate(evaluate(step.forEachParallel, scope, options))} at a time`
    : "";
  const items = step.forEach
    ? `  for each of ${formatTemplate(evaluate(step.forEach, scope, options))}${atATime}`
    : "";
  const condition = step.if ? `  if ${step.if.text}` : "";
  print(
    options,
    `${indent}${step.number}. ${kindOf(step).label(evaluated)}${id}${items}${condition}`,
  );
  const inner = `${indent}     `;
  for (const [key, value] of Object.entries(evaluated)) {
    // The label contains these already.
    if (key === "until_step" || (key === kind && !(value instanceof Map))) continue;
    const text = value instanceof Map
      ? json(Object.fromEntries([...value].map(([name, item]) => [name, toPlain(item)])))
      : isTemplate(value)
      ? formatTemplate(value)
      : undefined;
    if (text !== undefined) print(options, `${inner}${key}: ${text}`);
  }
  if (step.within) {
    print(options, `${inner}within: ${templateLabel(evaluate(step.within, scope, options))}`);
  }
  for (const nested of nestedSteps(step)) printStep(nested, `${indent}  `, scope, options);
  const used = usedRecipe(step);
  if (used) printUsedRecipe(used, evaluated.inputs as Inputs, inner, options);
  const { variablesKey } = kindOf(step);
  const assigned = variablesKey === undefined ? undefined : evaluated[variablesKey];
  if (assigned instanceof Map) applySet(step, assigned, scope);
}

type Inputs = Map<string, Template> | undefined;

function printUsedRecipe(
  recipe: Recipe,
  passed: Inputs,
  indent: string,
  options: DryRunOptions,
): void {
  const inputs: Record<string, unknown> = {};
  for (const { name, default: fallback } of recipe.inputs) {
    const template = passed?.get(name);
    if (!template) inputs[name] = fallback;
    else if (template.kind === "literal") inputs[name] = template.value;
  }
  const { filter: _, ...rest } = options;
  printSteps(recipe, indent, staticScope({ recipe }, options, inputs), rest);
}

/** Updates variables after a `set` step; those whose new value is not known are removed. */
function applySet(
  { if: condition, forEach }: Step,
  set: Map<string, Template>,
  scope: Values,
): void {
  const vars = scope.vars as Values;
  for (const [name, template] of set) {
    if (template.kind === "literal" && !condition && !forEach) vars[name] = toCel(template.value);
    else delete vars[name];
  }
}

/** Evaluates the templates in a field of a step. */
function evaluateField(value: unknown, scope: Values, options: DryRunOptions): unknown {
  if (isTemplate(value)) return evaluate(value, scope, options);
  if (value instanceof Map) {
    return new Map([...value].map(([key, item]) => [key, evaluateField(item, scope, options)]));
  }
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      isTemplate(item) ? evaluate(item, scope, options) : item,
    ]),
  );
}

/** Evaluates the parts of a template that need no result of a step; the rest stays as it is. */
function evaluate(template: Template, scope: Values, options: DryRunOptions): Template {
  try {
    return literal(resolveTemplate(template, scope, options.ambient));
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
  }
  switch (template.kind) {
    case "list":
      return { ...template, items: template.items.map((item) => evaluate(item, scope, options)) };
    case "map":
      return {
        ...template,
        entries: template.entries.map(([key, item]) => [key, evaluate(item, scope, options)]),
      };
    default:
      return template;
  }
}

/** Whether a value is a template. YAML nodes have a `kind` too, but they also have a position. */
function isTemplate(value: unknown): value is Template {
  const kinds = ["literal", "expression", "text", "list", "map"];
  return typeof value === "object" && value !== null && "kind" in value &&
    kinds.includes(String(value.kind)) && !("start" in value);
}

/** A template as JSON; text with an expression in it is shown without quotes. */
function formatTemplate(template: Template): string {
  return template.kind === "expression" || template.kind === "text"
    ? templateLabel(template)
    : json(toPlain(template));
}

function toPlain(template: Template): unknown {
  switch (template.kind) {
    case "literal":
      return template.value;
    case "list":
      return template.items.map(toPlain);
    case "map":
      return Object.fromEntries(template.entries.map(([key, item]) => [key, toPlain(item)]));
    default:
      return templateLabel(template);
  }
}

function print({ out, mask }: DryRunOptions, line: string): void {
  out.write(`${terminalText(mask.text(line))}\n`);
}

function json(value: unknown): string {
  return JSON.stringify(value, (_key, item) => typeof item === "bigint" ? Number(item) : item);
}
