import { uniqueCaseNames } from "../engine/case_names.ts";
import { planCases, type PlannedCase } from "../engine/run.ts";
import type { RunIdentity } from "../events/event.ts";
import type { Recipe } from "../language/model.ts";
import type { ParsedArgs } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { identifyRun, readAttempt } from "./identify_run.ts";
import { numberOption } from "./options.ts";
import { seedCases } from "./run_options.ts";
import type { Shard } from "./shard.ts";
import { resolveVariables, type VariableInput } from "./variables.ts";

/** The cases of a run. */
export interface ChosenCases {
  /** Those that run, in the order of the plan. */
  cases: PlannedCase[];
  /** How many the whole plan has, of which `--shard` chooses some. */
  total: number;
  /** Whether `--last-failed` left out all cases. */
  haveAllPassed: boolean;
  /** What says which run this is, and of which plan. */
  identity: RunIdentity;
}

/** What {@linkcode chooseCases} needs besides the recipes and the command line. */
export interface CaseSources {
  /** The variables that the command line sets. */
  inputs: ReadonlyMap<string, VariableInput>;
  /** The path of the history file. */
  history: string | undefined;
}

/**
 * Makes the cases of recipes, repeats them, and leaves those that belong to the shard. Names and
 * seeds are those of the whole plan, so that a case is the same in every shard.
 *
 * @throws {UsageError} When an option is wrong, or the history cannot be read.
 */
export async function chooseCases(
  recipes: readonly Recipe[],
  { inputs, history }: CaseSources,
  args: ParsedArgs,
  context: CommandContext,
): Promise<ChosenCases> {
  const { env, err } = context;
  const option = args.values.shard;
  const shard = option === undefined
    ? undefined
    : (await import("./shard.ts")).readShard(option, env);
  const once = planCases(recipes).map((one) => ({
    ...one,
    // The command line wins over the rows of `cases`.
    vars: { ...one.vars, ...resolveVariables(one.recipe, inputs) },
  }));
  const repeated = Array.from({ length: numberOption(args, "repeat", 1) }, () => once).flat();
  const names = uniqueCaseNames(repeated);
  const all = seedCases(repeated.map((one, i) => ({ ...one, name: names[i]! })), args);
  let whole = all;
  if (args.flags.has("last-failed")) {
    const { lastFailed } = await import("./last_failed.ts");
    // Before the shards are cut, so that each has its share.
    whole = await lastFailed(all, history, args, context);
  }
  const shards = shard ? await shardsOf(whole, shard, history, args, context) : whole.map(() => 1);
  const cases = shard ? whole.filter((_, i) => shards[i] === shard.index) : whole;
  if (shard && cases.length === 0 && whole.length > 0) {
    const { index, total } = shard;
    err.write(`Shard ${index}/${total} has no cases, because the plan has ${whole.length}\n`);
  }
  const identity = await identifyRun({
    cases: whole,
    shards,
    shard,
    attempt: readAttempt(env),
    seed: args.values.seed === undefined ? undefined : numberOption(args, "seed", 1),
  });
  return { cases, total: whole.length, haveAllPassed: whole.length < all.length, identity };
}

/** Cuts the cases of a plan into shards, by the times of the history if there is one. */
async function shardsOf(
  cases: readonly (PlannedCase & { name: string })[],
  { total }: Shard,
  history: string | undefined,
  args: ParsedArgs,
  context: CommandContext,
): Promise<number[]> {
  const { cutIntoShards } = await import("./shard.ts");
  if (history === undefined) return cutIntoShards(cases.map(() => undefined), total);
  const { readHistory } = await import("./last_failed.ts");
  return await readHistory(history, cases, args, context, (store, keys) => {
    return cutIntoShards(store.usualTimes(keys), total);
  });
}
