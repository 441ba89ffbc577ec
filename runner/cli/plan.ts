import type { Mask } from "../engine/mask.ts";
import type { PlannedCase } from "../engine/run.ts";
import type { RunIdentity } from "../events/event.ts";
import type { Diagnostic, DiagnosticFormat } from "../language/diagnostic.ts";
import type { Recipe, Step } from "../language/model.ts";
import { withUsed } from "../recipe/used_recipes.ts";
import type { ReporterRequest } from "../report/registry.ts";
import type { Output } from "../report/reporter.ts";
import type { NamedRequest } from "../steps/context.ts";
import type { ParsedArgs } from "./args.ts";
import { checkOutputs } from "./check_outputs.ts";
import type { KnownServer } from "./check_server_names.ts";
import { chooseCases } from "./choose_cases.ts";
import { type CommandContext, INVALID, NOTHING_TO_DO } from "./command.ts";
import { leaveOutUsed, printLeftOut } from "./left_out.ts";
import { type LoadedRecipes, loadRecipes } from "./load_recipes.ts";
import { historyPath } from "./open_history.ts";
import { durationOption, formatOption, numberOption } from "./options.ts";
import { filterRecipes } from "./recipe_filter.ts";
import { readReporters } from "./reporter_option.ts";
import { stepFilter } from "./step_filter.ts";
import { findVirtualSteps } from "./virtual_steps.ts";
import type { Elsewhere } from "./workflow_names.ts";
import {
  checkVariableNames,
  findMissingValues,
  maskSecrets,
  parseVarOptions,
  resolveVariables,
  type VariableInput,
} from "./variables.ts";

/** The cases of a run and its settings, all checked. */
export interface RunPlan {
  /** The cases, in order. */
  cases: PlannedCase[];
  /** The time limit for the steps of each case, in milliseconds. */
  timeout: number | undefined;
  /** How many cases run at the same time. */
  parallel: number;
  /** The requested reporters. */
  reporters: ReporterRequest[];
  /** Which steps run; all of them when absent. */
  filter: ((step: Step) => boolean) | undefined;
  /** The path of the history file. */
  history: string | undefined;
  /** What says which run this is, and of which plan. */
  identity: RunIdentity;
  /** Masks the secrets of all recipes. */
  mask: Mask;
  /** The names of the server's workflows, if they are known. */
  workflows?: readonly string[];
  /** Returns why the server has no job of a name, if that is known. */
  problemOf?: (request: NamedRequest) => Promise<string | undefined>;
}

/** The environment of {@linkcode makePlan}. */
export interface PlanContext extends CommandContext {
  /** Called with the errors and warnings, which are printed without it. */
  onDiagnostics?: (diagnostics: readonly Diagnostic[]) => void;
  /** Whether whoever runs the plan opens the history itself. */
  opensHistoryLater?: boolean;
}

/** What a plan is made for. */
export interface PlannedServer {
  /** The embedded server, for a check of all names. */
  known?: Promise<KnownServer> | undefined;
  /** A server that runs elsewhere; it is asked for its workflows, if recipes start any. */
  elsewhere?: Elsewhere | undefined;
}

/**
 * Loads and checks everything that a run needs, with the names that the server has. When something
 * is wrong, prints it and returns the exit code instead of a plan.
 */
export async function makePlan(
  args: ParsedArgs,
  context: PlanContext,
  server: PlannedServer = {},
): Promise<RunPlan | number> {
  const { out, mask } = context;
  const loaded = await loadRecipes(args.positional, context);
  maskSecrets(loaded.recipes, context.env, mask);
  const masked: Output = { ...out, write: (text, kind) => out.write(mask.text(text), kind) };
  return await plan(loaded, args, { ...context, out: masked }, server);
}

async function plan(
  loaded: LoadedRecipes,
  args: ParsedArgs,
  context: PlanContext,
  server: PlannedServer,
): Promise<RunPlan | number> {
  const { env, mask, signal } = context;
  const { recipes: all, diagnostics } = loaded;
  const format = formatOption(args, env);
  const timeout = durationOption(args, "timeout");
  const parallel = numberOption(args, "parallel", 1);
  // Checked here, before anything is sent.
  numberOption(args, "retries", 0, 0);
  const reporters = readReporters(args.lists.reporter ?? [], env);
  const history = historyPath(args, env);
  await print(diagnostics, format, context);
  if (diagnostics.some(({ severity }) => severity === "error")) return INVALID;
  const split = leaveOutUsed(loaded);
  const recipes = await filterRecipes(split.recipes, args);
  const inputs = await readVariables(args);
  const { elsewhere } = server;
  const known = await server.known;
  const names = known && await import("./check_server_names.ts");
  const workflows = elsewhere && await import("./workflow_names.ts");
  const problems = [
    ...checkVariables(recipes, all, inputs, env),
    ...(args.values.clock === "virtual" ? [] : findVirtualSteps(recipes)),
    ...(known ? await names!.checkNames(recipes, known) : []),
    ...(elsewhere ? await workflows!.unknownWorkflows(recipes, elsewhere, signal) : []),
  ];
  if (problems.length > 0) {
    await print(problems, format, context);
    return INVALID;
  }
  const leftOut = await filterRecipes(split.leftOut, args);
  printLeftOut(leftOut, context.err);
  const filter = stepFilter(recipes, args);
  const { cases, total, haveAllPassed, identity } = await chooseCases(
    recipes,
    { inputs, history },
    args,
    context,
  );
  if (total === 0) {
    const why = haveAllPassed
      ? "every case passed in its last run"
      : all.length === 0
      ? "no recipes were found"
      : `no ${leftOut.length > 0 ? "other " : ""}recipe matches the options`;
    context.err.write(`Nothing to run: ${why}\n`);
    // A part has a stream nevertheless, and the merge of all parts says that nothing ran.
    if (!haveAllPassed || identity.shard === undefined) return NOTHING_TO_DO;
  }
  if (!args.flags.has("dry-run")) {
    const recorded = filter ? undefined : history;
    const used = [...withUsed(all)].map(({ source }) => source.name);
    const inputs = {
      recipes: new Set([...loaded.files, ...used, ...loaded.casesFiles]),
      variables: args.lists.vars ?? [],
      dev: args.values.dev,
    };
    const { opensHistoryLater: opensLater } = context;
    await checkOutputs({ reporters, history: recorded, opensLater, inputs }, context);
  }
  return {
    ...{ cases, timeout, parallel, reporters, filter, history, mask, identity },
    ...(known
      ? {
        workflows: known.workload.workflows,
        problemOf: (request) => names!.requestProblem(known, request),
      }
      : {}),
  };
}

/**
 * Checks the variables that the command line sets, and returns what has no value.
 * @throws {UsageError} For an unknown variable, and for a value of the wrong type.
 */
export function checkVariables(
  recipes: readonly Recipe[],
  all: readonly Recipe[],
  inputs: ReadonlyMap<string, VariableInput>,
  env: CommandContext["env"],
): Diagnostic[] {
  checkVariableNames(all, inputs);
  const missing = findMissingValues(recipes, inputs, env);
  if (missing.length === 0) { for (const recipe of recipes) resolveVariables(recipe, inputs); }
  return missing;
}

/** The values of `--vars` and `--var`; the command line wins over files. */
export async function readVariables(args: ParsedArgs): Promise<Map<string, VariableInput>> {
  const inputs = new Map<string, VariableInput>();
  for (const file of args.lists.vars ?? []) {
    const { readVarsFile } = await import("./vars_file.ts");
    for (const [name, value] of await readVarsFile(file)) inputs.set(name, { value });
  }
  for (const [name, input] of parseVarOptions(args.lists.var ?? [])) inputs.set(name, input);
  return inputs;
}

async function print(
  diagnostics: readonly Diagnostic[],
  format: DiagnosticFormat,
  context: PlanContext,
): Promise<void> {
  if (diagnostics.length === 0) return;
  if (context.onDiagnostics) return context.onDiagnostics(diagnostics);
  // Loaded here because most runs have nothing to print.
  const { printDiagnostics } = await import("./print_diagnostics.ts");
  await printDiagnostics(diagnostics, format, context);
}
