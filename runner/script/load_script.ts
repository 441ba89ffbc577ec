import { pathToFileURL } from "node:url";
import { readTextFile } from "../../runtime/file.ts";
import { abortable } from "../../runtime/abortable.ts";
import { type Clock, delay, systemClock } from "../../runtime/clock.ts";
import { type CallSite, pathOf } from "../events/call_site.ts";
import { toError } from "../events/failure.ts";
import { loadPatterns } from "../expression/load_patterns.ts";
import { literal } from "../expression/template.ts";
import { typeOfValue } from "../expression/types.ts";
import type { Diagnostic } from "../language/diagnostic.ts";
import { parseDuration } from "../language/duration.ts";
import type { Recipe } from "../language/model.ts";
import { isFieldName } from "../language/scope.ts";
import { Source } from "../language/source.ts";
import { parseEnd } from "../language/time.ts";
import { didYouMean } from "../../runtime/suggest.ts";
import { jsonProblem } from "./json_problem.ts";
import { moduleDiagnostic } from "./module_error.ts";
import { kindOfExport, type RecipeOptions, type RecipeScript } from "./recipe.ts";
import { versionModules } from "./module_versions.ts";
import { readScheduleOptions, SCHEDULE_OPTIONS } from "./schedule_options.ts";

/** How long a module may take to load, in milliseconds. */
const LOAD_TIMEOUT = 30_000;

/** Options of {@linkcode loadScript}. */
export interface LoadScriptOptions {
  /** Stops waiting for a module that does not load. */
  signal?: AbortSignal | undefined;
  /** Called with the error that a module has thrown. */
  onError?: ((error: unknown) => void) | undefined;
  /**
   * The clock for the time limit.
   * @default {systemClock}
   */
  clock?: Clock;
}

/** The recipes of a module, if it has no errors. */
export interface LoadedScript {
  /** The recipes: the default export first, then the named ones in the order they are declared. */
  recipes: Recipe[];
  /** The errors. */
  diagnostics: Diagnostic[];
  /** The files that it imports by relative paths, directly or not; also those that are missing. */
  imports: string[];
}

/** Loads the recipes that a TypeScript or JavaScript module exports. */
export async function loadScript(
  path: string,
  options: LoadScriptOptions = {},
): Promise<LoadedScript> {
  const source = new Source(path, await readTextFile(path, "recipe"));
  const { path: main, version, imports } = await versionModules(path, source.text);
  const address = pathToFileURL(main);
  if (version > 0) address.search = `version=${version}`;
  // Bun ignores the query of a file URL, but not the query of a path.
  const isPath = version > 0 && "Bun" in globalThis;
  const specifier = isPath ? decodeURIComponent(address.pathname) + address.search : address.href;
  const module = pathOf(address.href);
  const invalid = (message: string, site?: CallSite): Diagnostic => {
    const { line, column } = site?.file === module ? site : { line: 1, column: 1 };
    const start = source.offset(line, column);
    const span = { start, end: start + 1 };
    return { code: "module", severity: "error", message, source, span };
  };
  const failed = (diagnostics: Diagnostic[]) => ({ recipes: [], diagnostics, imports });
  let exported: Record<string, unknown>;
  try {
    // Patterns are loaded now, because `toMatch` is synchronous.
    const loading = Promise.all([import(specifier), loadPatterns()]);
    [exported] = await loadedInTime(loading, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    options.onError?.(error);
    return failed([moduleDiagnostic(toError(error), source, module)]);
  }
  const scripts = recipesOf(exported);
  if (Object.values(exported).some((one) => kindOfExport(one) === "other-version")) {
    const message =
      "the recipe is made by another version of this package, which this one cannot " +
      "run: install the same version beside the recipe, or run it with that one's command";
    return failed([invalid(message)]);
  }
  const isForeign = "default" in exported && !isRecipe(exported.default);
  if (scripts.length === 0 || isForeign) {
    const message = "the module's default export is not a recipe: use `export default recipe(…)`";
    return failed([invalid(message)]);
  }
  const names = new Set<string>();
  const diagnostics = scripts.flatMap((script) => {
    const { name, site } = script;
    const isTwice = names.has(name);
    names.add(name);
    const problem = findProblem(script) ??
      (isTwice ? `another recipe of this module is called \`${name}\`, too` : undefined);
    return problem === undefined ? [] : [invalid(problem, site)];
  });
  if (diagnostics.length > 0) return failed(diagnostics);
  const recipes: Recipe[] = [];
  for (const script of scripts) {
    const { span } = invalid("", script.site);
    const read = await readScheduleOptions({ ...script.options }, source, span);
    diagnostics.push(...read.diagnostics);
    const site = script.site?.file === module ? { site: span.start } : {};
    recipes.push({ ...toRecipe(script, source, module), imports, ...site, ...read.parts });
  }
  return diagnostics.some(({ severity }) => severity === "error")
    ? failed(diagnostics)
    : { recipes, diagnostics, imports };
}

/** Returns the recipes among the exports of a module, each once. */
function recipesOf({ default: main, ...named }: Record<string, unknown>): RecipeScript[] {
  const others = Object.values(named).filter(isRecipe)
    .toSorted((a, b) => lineOf(a) - lineOf(b));
  return [...new Set(isRecipe(main) ? [main, ...others] : others)];
}

function isRecipe(value: unknown): value is RecipeScript {
  return kindOfExport(value) === "recipe";
}

function lineOf({ site }: RecipeScript): number {
  return site === undefined ? 0 : site.line + site.column / 1e6;
}

/** Returns what a promise resolves with; rejects if that takes too long. */
async function loadedInTime<T>(
  loading: Promise<T>,
  { signal, clock = systemClock }: LoadScriptOptions,
): Promise<T> {
  const done = new AbortController();
  const stop = signal ? AbortSignal.any([signal, done.signal]) : done.signal;
  const late = delay(LOAD_TIMEOUT, { signal: stop, clock }).then(() => {
    throw new Error(`it has not loaded within ${LOAD_TIMEOUT / 1000} s: check what it awaits`);
  });
  try {
    return await Promise.race([abortable(loading, signal), late]);
  } finally {
    done.abort();
  }
}

const OPTIONS = [
  "description",
  "tags",
  "timeout",
  "vars",
  "secrets",
  "env",
  "channels",
  "quarantine",
  ...SCHEDULE_OPTIONS,
];

/** Finds what a type checker would have found in the arguments of `recipe`. */
function findProblem({ name, options, body, matrix }: RecipeScript): string | undefined {
  if (typeof name !== "string" || name === "") return "the recipe has no name";
  if (typeof body !== "function") return "the recipe has no function";
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined) {
    const meant = didYouMean(unknown, OPTIONS);
    return `unknown option \`${unknown}\`${meant === undefined ? "" : `; ${meant}`}`;
  }
  const { timeout, vars = {} } = options;
  if (timeout !== undefined && parseDuration(timeout) === undefined) {
    return `\`timeout\`: \`${timeout}\` is not a duration`;
  }
  const problem = findQuarantineProblem(options.quarantine);
  if (problem !== undefined) return problem;
  for (const key of ["tags", "secrets", "channels"] as const) {
    const list: unknown = options[key] ?? [];
    const isValid = Array.isArray(list) && list.every((item) => typeof item === "string");
    if (!isValid) return `\`${key}\` must be a list of strings`;
  }
  const variable = Object.keys(vars).find((name) => !isFieldName(name));
  if (variable !== undefined) return `\`${variable}\` cannot be used as a variable's name`;
  return jsonProblem(vars, "vars") ?? findMatrixProblem(matrix);
}

function findQuarantineProblem(quarantine: RecipeOptions["quarantine"]): string | undefined {
  if (quarantine === undefined) return undefined;
  const { until, reason, ...others }: Record<string, unknown> = { ...quarantine };
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return `unknown option \`${unknown}\` of \`quarantine\``;
  if (typeof until !== "string" || parseEnd(until) === undefined) {
    return "`quarantine.until` must be a day or a time, such as `2026-12-01`";
  }
  return typeof reason === "string" && reason !== "" ? undefined : "`quarantine` needs a `reason`";
}

function findMatrixProblem(matrix: unknown): string | undefined {
  if (matrix === undefined) return undefined;
  if (!Array.isArray(matrix)) return "`recipe.each` takes a list";
  if (matrix.length === 0) {
    return "the list for `recipe.each` is empty, so the recipe would not run";
  }
  const isMap = (one: unknown) => typeof one === "object" && one !== null && !Array.isArray(one);
  if (!matrix.every(isMap)) return "`recipe.each` takes a list of objects";
  return jsonProblem(matrix, "matrix");
}

function toRecipe(script: RecipeScript, source: Source, module: string): Recipe {
  const { options } = script;
  const span = { start: 0, end: 1 };
  return {
    source,
    module,
    script: script.body,
    name: script.name,
    ...(options.description === undefined ? {} : { description: options.description }),
    tags: options.tags ?? [],
    ...(options.quarantine
      ? { quarantine: { ...options.quarantine, ends: parseEnd(options.quarantine.until)! } }
      : {}),
    timeout: options.timeout === undefined ? undefined : literal(options.timeout),
    vars: Object.entries(options.vars ?? {}).map(([name, value]) => ({
      name,
      span,
      value: value === undefined ? undefined : literal(value),
      type: typeOfValue(value),
    })),
    secrets: (options.secrets ?? []).map((name) => ({ name, span })),
    env: Object.entries(options.env ?? {}).map(([name, fallback]) => ({
      name,
      span,
      default: fallback,
    })),
    inputs: [],
    outputs: [],
    matrix: [...script.matrix ?? []],
    steps: [],
    always: [],
    channels: new Set(options.channels ?? []),
    eventIds: new Set(),
    uses: [],
    maintenance: [],
  };
}
