import type { NamedCase } from "../engine/case_names.ts";
import type { RunIdentity } from "../events/event.ts";
import { fileKey } from "../history/case_key.ts";
import type { Recipe } from "../language/model.ts";
import { withUsed } from "../recipe/used_recipes.ts";
import { type CommandContext, VERSION } from "./command.ts";
import type { Shard } from "./shard.ts";

/** How many characters of a digest are shown: 128 bits. */
const DIGEST_LENGTH = 32;

/** What {@linkcode identifyRun} needs to know. */
export interface Identified {
  /** All cases of the plan, with the names that they have in it. */
  cases: readonly (NamedCase & { name: string })[];
  /** The number of each case's shard, from 1. */
  shards: readonly number[];
  /** The part that runs; absent for all of them. */
  shard: Shard | undefined;
  /** The attempt of the process. */
  attempt: number | undefined;
  /** The seed of the run. */
  seed: number | undefined;
}

/** Which attempt of its service this process is, from 1; `undefined` if no variable says it. */
export function readAttempt(env: CommandContext["env"]): number | undefined {
  const retries = env("DISPATCH_RETRY_COUNT") ?? env("BUILDKITE_RETRY_COUNT") ?? "";
  if (/^\d+$/.test(retries)) return Number(retries) + 1;
  const run = env("GITHUB_RUN_ATTEMPT") ?? "";
  return /^\d+$/.test(run) && Number(run) >= 1 ? Number(run) : undefined;
}

/** Returns what says which run this is, and of which plan. */
export async function identifyRun(
  { cases, shards, shard, attempt, seed }: Identified,
): Promise<RunIdentity> {
  return {
    runner: VERSION,
    plan: await planDigest(cases),
    ...(shard
      ? {
        shard: {
          ...shard,
          cases: shards.flatMap((one, i) => one === shard.index ? i : []),
          planned: cases.length,
        },
      }
      : {}),
    ...(attempt === undefined ? {} : { attempt }),
    ...(seed === undefined ? {} : { seed }),
  };
}

/**
 * Returns a digest of the texts of all recipes and of the cases. Values of variables are not in it,
 * because they may be secrets, which somebody could guess.
 */
async function planDigest(cases: Identified["cases"]): Promise<string> {
  const recipes = new Set<Recipe>(cases.map(({ recipe }) => recipe));
  const texts = [...withUsed([...recipes])]
    .map(({ source }) => [fileKey(source.name), source.text]);
  const parts = cases.map(({ recipe, name }) => [fileKey(recipe.source.name), name]);
  const bytes = new TextEncoder().encode(JSON.stringify([texts, parts]));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")
    .slice(0, DIGEST_LENGTH);
}
