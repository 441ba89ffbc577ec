import type { Mask } from "../engine/mask.ts";
import type { PlannedCase } from "../engine/run.ts";
import { toCel } from "../expression/convert.ts";
import { EvaluationError, type Values } from "../expression/expression.ts";
import { literal, resolveTemplate, type Template } from "../expression/template.ts";
import type { Recipe, Step } from "../language/model.ts";
import type { Output } from "../report/reporter.ts";
import { templateLabel } from "../steps/kind.ts";
import { STEP_KINDS } from "../steps/step_kinds.ts";
import { type KnownOptions, knownValues } from "./known_values.ts";

/** What a dry run needs. */
export interface DryRunOptions extends KnownOptions {
  /** Where the plan is printed. */
  out: Output;
  /** Hides secrets. */
  mask: Mask;
  /** Which steps run. */
  select?: (step: Step) => boolean;
}

/** Prints what would be done, with the values that are known before anything runs. */
export function printPlan(cases: readonly PlannedCase[], options: DryRunOptions): void {
  const { ambient } = options;
  for (const planned of cases) {
    const { recipe, matrix, random = ambient.random } = planned;
    const own = { ...options, ambient: { ...ambient, random } };
    const values = knownValues(planned, own);
    const combination = matrix ? ` ${JSON.stringify(matrix)}` : "";
    print(own, `${recipe.name}${combination}  ${recipe.source.name}`);
    for (const [name, value] of Object.entries(values.vars as Values)) {
      print(own, `  ${name} = ${json(value)}`);
    }
    if (recipe.script) {
      print(own, "  its steps are known when it runs: it is written in TypeScript");
    }
    printSteps(recipe, "  ", values, own);
  }
}

/** Prints the steps of a recipe. */
function printSteps(recipe: Recipe, indent: string, values: Values, options: DryRunOptions): void {
  for (const step of recipe.steps) printStep(step, indent, values, options);
  if (recipe.always.length === 0) return;
  print(options, `${indent}always:`);
  for (const step of recipe.always) printStep(step, `${indent}  `, values, options);
}

function printStep(step: Step, indent: string, values: Values, options: DryRunOptions): void {
  if (!(options.select?.(step) ?? true)) return;
  const { kind, fields } = step;
  const settled: Record<string, unknown> = Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, settleField(value, values, options)]),
  );
  const id = step.id === undefined ? "" : ` → ${step.id}`;
  const items = step.forEach
    ? `  for each of ${written(settle(step.forEach, values, options))}`
    : "";
  const condition = step.if ? `  if ${step.if.text}` : "";
  print(
    options,
    `${indent}${step.number}. ${STEP_KINDS[kind]!.label(settled)}${id}${items}${condition}`,
  );
  const inner = `${indent}     `;
  for (const [key, value] of Object.entries(settled)) {
    // What the kind is called by is in the line above.
    if (key === "until_step" || (key === kind && !(value instanceof Map))) continue;
    const text = value instanceof Map
      ? json(Object.fromEntries([...value].map(([name, item]) => [name, plain(item)])))
      : isTemplate(value)
      ? written(value)
      : undefined;
    if (text !== undefined) print(options, `${inner}${key}: ${text}`);
  }
  if (step.within) {
    print(options, `${inner}within: ${templateLabel(settle(step.within, values, options))}`);
  }
  for (const nested of Array.isArray(fields.parallel) ? fields.parallel : []) {
    printStep(nested, `${indent}  `, values, options);
  }
  if (fields.use?.recipe) printUsed(fields.use.recipe, settled.inputs as Inputs, inner, options);
  if (settled.set instanceof Map) assign(step, settled.set, values);
}

type Inputs = Map<string, Template> | undefined;

/** Prints the steps of a recipe that is used; what it is handed is known as far as it is settled. */
function printUsed(
  recipe: Recipe,
  given: Inputs,
  indent: string,
  options: DryRunOptions,
): void {
  const inputs: Record<string, unknown> = {};
  for (const { name, default: fallback } of recipe.inputs) {
    const template = given?.get(name);
    if (!template) inputs[name] = fallback;
    else if (template.kind === "literal") inputs[name] = template.value;
  }
  const { select: _, ...rest } = options;
  printSteps(recipe, indent, knownValues({ recipe }, options, inputs), rest);
}

/** What a step sets is known from there on, unless it depends on what comes before the step. */
function assign(
  { if: condition, forEach }: Step,
  set: Map<string, Template>,
  values: Values,
): void {
  const vars = values.vars as Values;
  for (const [name, template] of set) {
    if (template.kind === "literal" && !condition && !forEach) vars[name] = toCel(template.value);
    else delete vars[name];
  }
}

/** A field of a step with what is known put in: a template, or what holds templates. */
function settleField(value: unknown, values: Values, options: DryRunOptions): unknown {
  if (isTemplate(value)) return settle(value, values, options);
  if (value instanceof Map) {
    return new Map(
      [...value].map(([key, item]) => [key, settleField(item, values, options)]),
    );
  }
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      isTemplate(item) ? settle(item, values, options) : item,
    ]),
  );
}

/** A template with what is known put in; what an earlier step has to leave stays as written. */
function settle(template: Template, values: Values, options: DryRunOptions): Template {
  try {
    return literal(resolveTemplate(template, values, options.ambient));
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
  }
  switch (template.kind) {
    case "list":
      return { ...template, items: template.items.map((item) => settle(item, values, options)) };
    case "map":
      return {
        ...template,
        entries: template.entries.map(([key, item]) => [key, settle(item, values, options)]),
      };
    default:
      return template;
  }
}

/** Nodes of the YAML have a kind as well, and a place. */
function isTemplate(value: unknown): value is Template {
  const kinds = ["literal", "expression", "text", "list", "map"];
  return typeof value === "object" && value !== null && "kind" in value &&
    kinds.includes(String(value.kind)) && !("start" in value);
}

/** A settled template as JSON; an expression that is left alone is shown bare. */
function written(template: Template): string {
  return template.kind === "expression" || template.kind === "text"
    ? templateLabel(template)
    : json(plain(template));
}

function plain(template: Template): unknown {
  switch (template.kind) {
    case "literal":
      return template.value;
    case "list":
      return template.items.map(plain);
    case "map":
      return Object.fromEntries(template.entries.map(([key, item]) => [key, plain(item)]));
    default:
      return templateLabel(template);
  }
}

function print({ out, mask }: DryRunOptions, line: string): void {
  out.write(`${mask.text(line)}\n`);
}

function json(value: unknown): string {
  return JSON.stringify(value, (_key, item) => typeof item === "bigint" ? Number(item) : item);
}
