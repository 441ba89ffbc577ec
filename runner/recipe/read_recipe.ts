import { loadCel } from "../expression/cel.ts";
import { loadPatterns } from "../expression/load_patterns.ts";
import { describeType, keptType, suits, typeOfValue } from "../expression/types.ts";
import { type Diagnostic, Diagnostics, distinct } from "../language/diagnostic.ts";
import { readFields } from "../language/field.ts";
import type { Recipe, UsedRecipe, Variable } from "../language/model.ts";
import { mentions, type Node } from "../language/node.ts";
import { ParseContext } from "../language/parse_context.ts";
import { readTemplate } from "../language/read_template.ts";
import { isFieldName } from "../language/scope.ts";
import { Source } from "../language/source.ts";
import { didYouMean } from "../../runtime/suggest.ts";
import { readYaml } from "../language/yaml.ts";
import { hasChecks } from "../steps/step_kinds.ts";
import { checkReferences, Guards, type Known } from "./check_references.ts";
import { StepReader } from "./read_steps.ts";
import { RECIPE_FIELDS } from "./recipe_fields.ts";
import {
  countSteps,
  MAX_STEPS,
  readUsed,
  type RecipeLoader,
  type UseContext,
} from "./used_recipes.ts";

/** The result of reading a recipe. */
export interface ReadResult {
  /** The recipe; absent if there are errors. */
  recipe?: Recipe;
  /** The errors and warnings, in source order. */
  diagnostics: Diagnostic[];
}

/**
 * Reads a YAML recipe and checks everything that can be checked before it runs.
 *
 * @param name The name that messages show.
 * @param text The YAML text.
 * @param loader Loads the recipes that this one uses.
 */
export function readRecipe(
  name: string,
  text: string,
  loader?: RecipeLoader,
): Promise<ReadResult> {
  return read(name, text, { loader, known: new Map() }, [name]);
}

/**
 * Checks a YAML recipe, as a run does before it sends anything.
 *
 * @param name The name that messages show.
 * @param text The YAML text.
 * @returns The errors and warnings, in source order.
 *
 * @example
 * ```ts
 * import { checkRecipe, renderDiagnostic } from "@dispatch/sdk/runner";
 *
 * const diagnostics = await checkRecipe("typo.yaml", "steps:\n  - enqeue: send-email\n");
 * const text = diagnostics.map((diagnostic) => renderDiagnostic(diagnostic)).join("\n\n");
 * ```
 */
export async function checkRecipe(name: string, text: string): Promise<Diagnostic[]> {
  return (await readRecipe(name, text)).diagnostics;
}

async function read(
  name: string,
  text: string,
  uses: Pick<UseContext, "loader" | "known">,
  stack: readonly string[],
): Promise<ReadResult> {
  const diagnostics = new Diagnostics(new Source(name, text));
  const root = await readYaml(diagnostics);
  if (root === undefined && diagnostics.failed) return { diagnostics: diagnostics.all() };
  // The function and the matcher that take a regular expression.
  if (root && mentions(root, "matches")) await loadPatterns();
  const { used, diagnostics: others } = root
    ? await readUsed(root, name, {
      ...uses,
      stack,
      read: (name, text, stack) => read(name, text, uses, stack),
    })
    : { used: new Map(), diagnostics: [] };
  const recipe = await readRoot(root, diagnostics, used);
  return {
    ...(recipe && !diagnostics.failed ? { recipe } : {}),
    diagnostics: [...distinct(others), ...diagnostics.all()],
  };
}

async function readRoot(
  root: Node | undefined,
  diagnostics: Diagnostics,
  used: ReadonlyMap<string, UsedRecipe>,
): Promise<Recipe | undefined> {
  const start = { start: 0, end: 1 };
  if (root === undefined || (root.kind === "scalar" && root.value === null)) {
    diagnostics.error("no-steps", start, "the file is empty; a recipe needs `steps`");
    return undefined;
  }
  if (root.kind !== "map") {
    diagnostics.error("wrong-type", { ...root, end: root.start + 1 }, "a recipe must be a map", {
      label: root.kind === "list" ? "add `steps:` above the list" : "it needs `steps`",
    });
    return undefined;
  }
  const context = new ParseContext(diagnostics, used);
  const read = readFields(root, RECIPE_FIELDS, context, "a recipe");
  const vars = read.vars ? readVars(read.vars, context) : [];
  const recipe: Recipe = {
    source: diagnostics.source,
    name: read.name ?? baseName(diagnostics.source.name),
    ...(read.description === undefined ? {} : { description: read.description }),
    tags: read.tags ?? [],
    timeout: read.timeout,
    vars,
    secrets: read.secrets ?? [],
    env: read.env ?? [],
    inputs: [],
    outputs: [],
    uses: [...used.values()].flatMap(({ recipe }) => recipe ?? []),
    matrix: [],
    steps: [],
    always: [],
    channels: context.channels,
    eventIds: context.eventIds,
    maintenance: [],
  };
  if (read.cases) recipe.cases = read.cases;
  // What reads the keys that few recipes have is loaded by those: loading is most of a start.
  if (read.inputs) {
    const { readInputs } = await import("./read_inputs.ts");
    recipe.inputs = readInputs(read.inputs, context);
  }
  if (read.matrix) {
    const { readMatrix } = await import("./read_matrix.ts");
    recipe.matrix = readMatrix(read.matrix, context);
  }
  const steps = new StepReader(context);
  if (!root.entries.some(({ key }) => key === "steps")) {
    diagnostics.error("no-steps", root.entries[0]?.keySpan ?? start, "a recipe needs `steps`");
  } else if (read.steps) {
    recipe.steps = steps.read(read.steps, "steps");
  }
  if (read.outputs) {
    const { readOutputs } = await import("./read_inputs.ts");
    recipe.outputs = readOutputs(read.outputs, context, steps.end);
  }
  if (read.always) recipe.always = steps.read(read.always, "always");
  if (read.quarantine) {
    const { readQuarantine } = await import("./read_quarantine.ts");
    const quarantine = readQuarantine(read.quarantine, context);
    if (quarantine) recipe.quarantine = quarantine;
  }
  if (read.schedule ?? read.alert ?? read.maintenance ?? read.heartbeat) {
    const { readSchedule } = await import("./read_schedule.ts");
    Object.assign(recipe, await readSchedule(read, context));
  }
  await checkRecipeParts(recipe, context, steps);
  if (!diagnostics.failed && countSteps(recipe) > MAX_STEPS) {
    const key = root.entries.find(({ key }) => key === "steps")!;
    diagnostics.error("too-large", key.keySpan, "more than 20,000 steps", {
      label: "with the steps of the recipes it uses",
    });
  }
  if (recipe.steps.length > 0 && !diagnostics.failed && !checksAnything(recipe)) {
    const key = root.entries.find(({ key }) => key === "steps")!;
    diagnostics.warning("nothing-checked", key.keySpan, "the recipe neither waits nor asserts", {
      label: "its run does not count as passed",
    });
  }
  return recipe;
}

/** Checks what can only be checked once all parts of the recipe have been read. */
async function checkRecipeParts(
  recipe: Recipe,
  context: ParseContext,
  steps: StepReader,
): Promise<void> {
  const known: Known = {
    steps: steps.table.infos,
    records: steps.table.records,
    roots: rootsOf(recipe),
  };
  // The type of a variable is only known once its expression has been checked.
  for (const variable of recipe.vars) {
    Object.defineProperty(known.roots.vars, variable.name, {
      enumerable: true,
      get: () => variable.type,
    });
  }
  const guards = new Guards();
  if (context.expressions.length > 0) {
    const [{ checkExpressions }, cel] = await Promise.all([
      import("./check_expressions.ts"),
      loadCel(),
    ]);
    checkExpressions(context, known, guards, cel);
  }
  context.keepRefreshedEvents();
  checkAssignments(context, recipe.vars);
  checkReferences(context, known, guards);
}

/** Whether any step waits or asserts. */
function checksAnything({ steps, always }: Recipe): boolean {
  return [...steps, ...always].some(hasChecks);
}

/** The fields of `vars`, `env`, `secrets`, `matrix` and `inputs`, with their types. */
function rootsOf(recipe: Recipe): Known["roots"] {
  const first = recipe.matrix[0] ?? {};
  return {
    vars: {},
    env: Object.fromEntries(recipe.env.map(({ name }) => [name, "string"])),
    secrets: Object.fromEntries(recipe.secrets.map(({ name }) => [name, "string"])),
    matrix: Object.fromEntries(
      Object.keys(first).map((key) => {
        const types = new Set(recipe.matrix.map((values) => typeOfValue(values[key])));
        return [key, types.size === 1 ? [...types][0]! : "dyn"];
      }),
    ),
    inputs: Object.fromEntries(recipe.inputs.map(({ name, type }) => [name, type])),
  };
}

function readVars(node: Node, context: ParseContext): Variable[] {
  if (node.kind !== "map") {
    context.wrongType(node, "`vars`", "a map");
    return [];
  }
  if (context.hasTooMany(node, "`vars`")) return [];
  return node.entries.map(({ key, keySpan, value }, i) => {
    if (!isFieldName(key)) {
      context.diagnostics.error(
        "bad-id",
        keySpan,
        `\`${key}\` cannot be used as a variable's name`,
      );
    }
    const given = value.kind !== "scalar" || value.value !== null;
    const variable: Variable = { name: key, span: keySpan, value: undefined, type: "dyn" };
    if (!given) return variable;
    context.within({ varCount: i }, () => {
      const template = readTemplate(value, context, `variable \`${key}\``);
      variable.value = template;
      const fixed = template.kind === "literal";
      context.onType(template, (type) => {
        // Values of variables are stored as JSON, but a `double` stays one.
        variable.type = fixed || type === "double" ? type : keptType(type);
      });
    });
    return variable;
  });
}

/** Checks that `set` steps keep the type of each variable, which other checks rely on. */
function checkAssignments({ assignments, diagnostics }: ParseContext, vars: Variable[]): void {
  const names = vars.map(({ name }) => name);
  for (const { name, span, value, type } of assignments) {
    const variable = vars.find((one) => one.name === name);
    if (!variable) {
      const label = didYouMean(name, names) ?? "declare it under `vars`";
      diagnostics.error("unknown-variable", span, `unknown variable \`${name}\``, { label });
    } else if (!suits(type, variable.type)) {
      diagnostics.error(
        "wrong-type",
        value,
        `variable \`${name}\` is ${describeType(variable.type)}, so it cannot be set to ${
          describeType(type)
        }`,
      );
    }
  }
}

/** The name of a file without its folder and extension. */
function baseName(path: string): string {
  return path.replace(/^.*[\\/]/, "").replace(/\.(ya?ml|json)$/, "");
}
