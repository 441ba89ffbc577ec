import { statSync } from "node:fs";
import { type Clock, pause } from "../../../runtime/clock.ts";
import type { Mask } from "../../engine/mask.ts";
import type { CheckProblem } from "../../health/model.ts";
import { type Diagnostic, type DiagnosticJson, diagnosticJson } from "../../language/diagnostic.ts";
import { withUsed } from "../../recipe/used_recipes.ts";
import type { Output } from "../../report/reporter.ts";
import { problemText } from "../../status/status_source.ts";
import type { ParsedArgs } from "../args.ts";
import type { CommandContext } from "../command.ts";
import { casesFileOf, findRecipeFiles } from "../load_recipes.ts";
import { makePlan, type RunPlan } from "../plan.ts";
import type { CheckPlan } from "./check_plans.ts";
import type { HealthLog } from "./log.ts";
import type { Monitor } from "./monitor.ts";
import { type HealthSettings, unknownReceivers } from "./settings.ts";

/** The time between two looks at the files, in milliseconds. */
const INTERVAL = 2_000;

/** Settings of {@linkcode reloadChecks}. */
export interface ReloadOptions {
  /** The command line. */
  args: ParsedArgs;
  /** The environment of the command. */
  context: CommandContext;
  /** The clock. */
  clock: Clock;
  /** Ends it when aborted. */
  signal: AbortSignal;
  /** The checks. */
  monitor: Monitor;
  /** The recipe files before they were read for the first time; see {@linkcode fileMarks}. */
  before: ReadonlyMap<string, string>;
  /** The settings of the schedule. */
  settings: HealthSettings | undefined;
  /** Resolves the schedules of cases, and opens their targets. */
  plansOf(cases: RunPlan["cases"]): Promise<CheckPlan[]>;
  /** Where changes are told. */
  log: HealthLog;
}

/**
 * Reads recipes again whose files have changed, until the signal is aborted. A file that is broken keeps
 * the checks of its last good version.
 */
export async function reloadChecks(options: ReloadOptions): Promise<void> {
  const { args, clock, signal, monitor, log } = options;
  // A file may have changed while the schedule started.
  let known = new Map([...await marks(args.positional, monitor), ...options.before]);
  let wasGone: readonly string[] = [];
  const broken: BrokenFiles = new Map();
  let problem: string | undefined;
  while (!signal.aborted) {
    if (!await pause(INTERVAL, { signal, clock })) return;
    const now = await marks(args.positional, monitor).catch(({ message }: Error) => {
      if (message !== problem) log.warn(`cannot look for changes: ${message}`);
      problem = message;
    });
    if (!now) continue;
    problem = undefined;
    const changed = [...now].filter(([file, mark]) => known.get(file) !== mark);
    // Many editors replace a file, so that it is missing for a moment.
    const missing = [...known.keys()].filter((file) => !now.has(file));
    const gone = missing.filter((file) => wasGone.includes(file));
    wasGone = missing.filter((file) => !gone.includes(file));
    known = new Map([...wasGone.map((file) => [file, known.get(file)!] as const), ...now]);
    const files = new Set(changed.flatMap(([file]) => changedBy(file, monitor)));
    for (const file of files.size > 0 ? broken.keys() : nextBroken(broken)) files.add(file);
    for (const file of files) await reload(file, options, broken);
    for (const file of gone) {
      broken.delete(file);
      for (const check of checksOf(file, monitor)) monitor.remove(check);
    }
  }
}

/** What is wrong with the files that are broken. */
type BrokenFiles = Map<string, string>;

/**
 * Takes one broken file after another. What is wrong may be mended elsewhere: in a file that it uses, or
 * on a disk that could not be read.
 */
function nextBroken(broken: BrokenFiles): string[] {
  const [first] = broken;
  if (!first) return [];
  const [file, problem] = first;
  broken.delete(file);
  broken.set(file, problem);
  return [file];
}

function marks(paths: readonly string[], monitor: Monitor): Promise<Map<string, string>> {
  return fileMarks(paths, monitor.checks().flatMap(({ plan }) => filesOf(plan)));
}

/**
 * Returns what tells whether a file has changed, by file. A file that is being replaced counts as
 * unchanged.
 *
 * @param paths Files, and directories with recipes.
 * @param used Further files.
 */
export async function fileMarks(
  paths: readonly string[],
  used: readonly string[] = [],
): Promise<Map<string, string>> {
  const result = new Map<string, string>();
  for (const file of new Set([...await findRecipeFiles(paths), ...used])) {
    const stats = statSync(file, { throwIfNoEntry: false });
    if (stats?.isFile()) result.set(file, `${stats.mtimeMs} ${stats.size} ${stats.ino}`);
  }
  return result;
}

function checksOf(file: string, monitor: Monitor) {
  return monitor.checks().filter(({ plan }) => plan.file === file);
}

/** The files that a check is read from: recipes, what these import, and the values of their cases. */
function filesOf({ cases }: CheckPlan): string[] {
  const recipes = [...new Set(cases.map(({ recipe }) => recipe))];
  const used = [...withUsed(recipes)].map(({ source }) => source.name);
  const imports = recipes.flatMap((recipe) => recipe.imports ?? []);
  return [...used, ...imports, ...recipes.flatMap((recipe) => casesFileOf(recipe) ?? [])];
}

/** The files to read again when one has changed: those that use it, or itself. */
function changedBy(file: string, monitor: Monitor): string[] {
  const users = monitor.checks().map(({ plan }) => plan)
    .filter((plan) => plan.file !== file && filesOf(plan).includes(file))
    .map((plan) => plan.file);
  // What only others use may be no recipe, or one that cannot run on its own.
  const isOnlyUsed = users.length > 0 && checksOf(file, monitor).length === 0;
  return isOnlyUsed ? users : [file, ...users];
}

async function reload(
  file: string,
  options: ReloadOptions,
  broken: BrokenFiles,
): Promise<void> {
  const { context, monitor, log } = options;
  const before = checksOf(file, monitor);
  try {
    const cases = await casesOf(file, options);
    const after = await options.plansOf(cases);
    for (const check of before) {
      if (!after.some(({ key }) => key.name === check.check.name)) monitor.remove(check);
    }
    for (const one of after) monitor.replace(one);
    broken.delete(file);
    // Without cases it is no recipe that runs on its own any more.
    if (cases.length > 0) log.write(`${file} was read again`, { event: "reloaded", file });
  } catch (error) {
    const problem = problemOf(error as Error, context.mask);
    const text = problemText(problem);
    if (broken.get(file) === text) return;
    broken.set(file, text);
    for (const check of before) monitor.markBroken(check, problem);
    const goesOn = before.length > 0 ? "; its last good version runs" : "";
    log.warn(`${file} is broken: ${text}${goesOn}`, {
      ...{ event: "broken", file, code: problem.code, place: problem.place },
    });
  }
}

/** A recipe has an error. */
class RecipeError extends Error {
  readonly diagnostic: DiagnosticJson;

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnosticJson(diagnostic);
  }
}

/**
 * Reads the cases of a file.
 * @throws {RecipeError | UsageError}
 */
async function casesOf(
  file: string,
  { args, context, settings }: ReloadOptions,
): Promise<RunPlan["cases"]> {
  const own = {
    ...args,
    positional: [file],
    lists: { ...args.lists, reporter: [] },
    // Nothing is written: a full disk must not keep a recipe from being read.
    flags: new Set([...args.flags, "dry-run"]),
  };
  const silent: Output = { ...context.err, write: () => {} };
  const found: Diagnostic[] = [];
  const plan = await makePlan(own, {
    ...{ ...context, out: silent, err: silent },
    onDiagnostics: (diagnostics) => void found.push(...diagnostics),
  });
  const cases = typeof plan === "number" ? [] : plan.cases;
  found.push(...unknownReceivers(cases.map(({ recipe }) => recipe), settings));
  const error = found.find(({ severity }) => severity === "error");
  if (error) throw new RecipeError(error);
  return cases;
}

function problemOf(error: Error & { code?: string }, mask: Mask): CheckProblem {
  const message = mask.text(error.message);
  if (!(error instanceof RecipeError)) return { code: error.code ?? "error", message };
  const { code, file, line, column } = error.diagnostic;
  return { code, message, place: { file, line, column } };
}
