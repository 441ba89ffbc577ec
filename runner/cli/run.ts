import { systemClock } from "../../runtime/clock.ts";
import { Mask } from "../engine/mask.ts";
import { planCases } from "../engine/run.ts";
import { withUsed } from "../recipe/used_recipes.ts";
import type { Diagnostic, DiagnosticFormat } from "../language/diagnostic.ts";
import { needsStandardOutput } from "../report/registry.ts";
import type { Output } from "../report/reporter.ts";
import type { ParsedArgs } from "./args.ts";
import { type Command, type CommandContext, INTERRUPTED } from "./command.ts";
import { diagnosticFormat } from "./diagnostic_format.ts";
import { historyFile } from "./keep_history.ts";
import { filesOf, type Loaded, loadRecipes } from "./load.ts";
import { readReporters, reporterLines } from "./reporter_option.ts";
import { durationOption, numberOption, randomOption, RUN_OPTIONS, seeded } from "./run_options.ts";
import { type Plan, runPlan } from "./run_plan.ts";
import { selectRecipes, shard, stepFilter } from "./select.ts";
import { announce, embeddedServer, remoteServer, serverOptions } from "./server.ts";
import { UsageError } from "./usage_error.ts";
import {
  checkNames,
  findMissing,
  type Given,
  hideSecrets,
  readPairs,
  variablesFor,
} from "./variables.ts";

/** Runs recipes. */
export const run: Command = {
  usage: "run [file | directory]…",
  description: "Runs recipes; the default.",
  options: RUN_OPTIONS,
  details: `
Reporters:
${reporterLines().join("\n")}

Exit codes: 0 passed; 1 failed; 2 the recipe or the command line is wrong; 3 could not be run;
4 nothing ran or nothing was checked; 130 interrupted.
`,
  async run(args, context) {
    const { positional, flags } = args;
    if (positional.length === 0) throw new UsageError("Nothing to run: name a recipe");
    if (!flags.has("watch")) return await runOnce(args, context);
    const { filesChanged } = await import("./watch.ts");
    while (!context.signal.aborted) {
      await runOnce(args, context);
      if (context.signal.aborted) break;
      context.out.write("Waiting for a change…\n");
      const used = [...withUsed((await loadRecipes(positional)).recipes)]
        .map(({ source }) => source.name);
      const list = async () => [...new Set([...await filesOf(positional), ...used])];
      await filesChanged(list, context.signal);
    }
    return INTERRUPTED;
  },
};

async function runOnce(args: ParsedArgs, context: CommandContext): Promise<number> {
  const { url, token } = serverOptions(args, context.env);
  const dry = args.flags.has("dry-run");
  // The server starts while the recipes are read; both take a while.
  const starting = url === undefined && !dry ? embeddedServer() : undefined;
  starting?.catch(() => {});
  const library = dry ? undefined : import("../../client/dispatch.ts");
  try {
    const plan = await makePlan(args, context);
    if (typeof plan === "number") return plan;
    const random = await randomOption(args);
    const { mask } = plan;
    if (url !== undefined) mask.add(token);
    if (dry) {
      const { printPlan } = await import("./dry_run.ts");
      const ambient = { now: () => systemClock.now(), random };
      const { out, env } = context;
      const { select } = plan;
      printPlan(plan.cases, { out, env, ambient, mask, ...(select ? { select } : {}) });
      return 0;
    }
    const server = url === undefined ? await starting! : remoteServer(url, token);
    announce(server, plan.reporters.some(needsStandardOutput) ? context.err : context.out);
    const { Dispatch } = await library!;
    return await runPlan(plan, { ...context, args, server, Dispatch, random });
  } finally {
    const server = await starting?.catch(() => undefined);
    await server?.close();
  }
}

/** Reads and checks everything; a number is the exit code where something is wrong. */
export async function makePlan(args: ParsedArgs, context: CommandContext): Promise<Plan | number> {
  const mask = new Mask();
  const loaded = await loadRecipes(args.positional);
  hideSecrets(loaded.recipes, context.env, mask);
  const hidden = (output: Output): Output => ({
    ...output,
    write: (text) => output.write(mask.text(text)),
  });
  const { out, err } = context;
  try {
    return await plan(loaded, args, { ...context, out: hidden(out), err: hidden(err) }, mask);
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(mask.text(error.message)) : error;
  }
}

async function plan(
  { recipes: all, diagnostics }: Loaded,
  args: ParsedArgs,
  context: CommandContext,
  mask: Mask,
): Promise<Plan | number> {
  const { env } = context;
  const format = diagnosticFormat(args.values.format, env);
  const timeout = durationOption(args, "timeout");
  const parallel = numberOption(args, "parallel", 1);
  const reporters = readReporters(args.lists.reporter ?? [], env);
  const history = historyFile(args, env);
  await print(diagnostics, format, context);
  if (diagnostics.some(({ severity }) => severity === "error")) return 2;
  const recipes = selectRecipes(all, args);
  const given = new Map<string, Given>();
  for (const file of args.lists.vars ?? []) {
    const { readVarsFile } = await import("./vars_file.ts");
    for (const [name, value] of await readVarsFile(file)) given.set(name, { value });
  }
  for (const [name, value] of readPairs(args.lists.var ?? [])) given.set(name, value);
  checkNames(all, given);
  const missing = findMissing(recipes, given, env);
  if (missing.length > 0) {
    await print(missing, format, context);
    return 2;
  }
  const select = stepFilter(recipes, args);
  const once = planCases(recipes).map((one) => ({ ...one, vars: variablesFor(one.recipe, given) }));
  const repeated = Array.from({ length: numberOption(args, "repeat", 1) }, () => once).flat();
  const cases = await seeded(shard(repeated, args.values.shard), args);
  if (cases.length === 0) {
    context.err.write("Nothing to run: no recipe was chosen\n");
    return 4;
  }
  return { cases, timeout, parallel, reporters, select, history, mask };
}

/** What prints diagnostics is loaded when there are any. */
async function print(
  diagnostics: readonly Diagnostic[],
  format: DiagnosticFormat,
  context: CommandContext,
): Promise<void> {
  if (diagnostics.length === 0) return;
  const { printDiagnostics } = await import("./print_diagnostics.ts");
  printDiagnostics(diagnostics, format, context);
}
