import { loadDev } from "../server.ts";
import { recipeTexts } from "./recipe_texts.ts";
import type { Place } from "./candidates.ts";

/** Names that calls of a server take. */
export interface WorkloadNames {
  jobs: readonly string[];
  workflows: readonly string[];
  events: readonly string[];
  queues: readonly string[];
}

/**
 * Returns the names of the workload that `--dev` names. Without it, of the reference workload,
 * unless the command line is about a server elsewhere, and those in the recipes of the directory.
 * No server is asked.
 */
export async function workloadNames({ values, context }: Place): Promise<WorkloadNames> {
  const file = values.dev?.at(-1);
  if (file !== undefined) return await described(await loadDev(file, context));
  const url = values.url?.at(-1) ?? context.env("DISPATCH_URL");
  const [recipes, own] = await Promise.all([
    recipeTexts([]),
    url === undefined || isLocal(url) ? described(undefined) : NO_NAMES,
  ]);
  return {
    jobs: [...own.jobs, ...recipes.jobs],
    workflows: [...own.workflows, ...recipes.workflows],
    events: [...own.events, ...recipes.events],
    queues: own.queues,
  };
}

const NO_NAMES: WorkloadNames = { jobs: [], workflows: [], events: [], queues: [] };

function isLocal(url: string): boolean {
  return URL.canParse(url) && /^(?:localhost|127\.|\[::1\])/.test(new URL(url).hostname);
}

async function described(workload: Awaited<ReturnType<typeof loadDev>>): Promise<WorkloadNames> {
  const { knownServer } = await import("../server.ts");
  const { workload: about } = await knownServer(undefined, workload);
  const { jobs, workflows, queues } = about;
  return { jobs, workflows, queues, events: await about.events() };
}
