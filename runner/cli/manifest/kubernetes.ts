import { createHash } from "node:crypto";
import type { Recipe } from "../../language/model.ts";
import { declaredNames } from "./declared_names.ts";
import {
  claim,
  claimed,
  configMap,
  container,
  declaredVariables,
  type KubernetesObject,
  type KubernetesOptions,
  metadata,
  podTemplate,
  type RecipeFile,
  type RecipeFiles,
  RECIPES,
} from "./kubernetes_objects.ts";

const STREAMS = "/streams";
/** The most characters that the name of a CronJob may have. */
const MAX_CRON_JOB_NAME = 52;

/**
 * Returns the objects that run recipes once, in shards, and merge their streams. The policy of the
 * shards reads our exit codes: a verdict (1), a mistake (2) and a run without checks (4) fail a shard
 * at once, since they would be the same again; a lost connection (3) and an interruption (130) are
 * tried again; an eviction does not count as an attempt.
 */
export function shardedJob(
  { files, paths }: RecipeFiles,
  options: KubernetesOptions,
): KubernetesObject[] {
  const { name, shards, wait } = options;
  const run = container(options, {
    args: [
      ...["run", ...paths, "--shard", "auto", "--reporter", "console"],
      ...["--reporter", `jsonl=${STREAMS}/$(POD_NAME).jsonl`],
    ],
    env: [
      { name: "DISPATCH_SHARDS", value: String(shards) },
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      {
        name: "DISPATCH_RETRY_COUNT",
        valueFrom: {
          fieldRef: {
            fieldPath: "metadata.annotations['batch.kubernetes.io/job-index-failure-count']",
          },
        },
      },
      ...declaredVariables(options),
    ],
  });
  const merge = container(options, {
    args: [
      ...["merge", STREAMS, "--wait", wait, "--reporter", "console"],
      ...["--reporter", `html=${STREAMS}/report.html`],
    ],
    env: [],
  });
  const streams = [claimed("streams", STREAMS, options)];
  return [
    configMap(files, options),
    claim("streams", options),
    {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: metadata(name, options),
      spec: {
        completionMode: "Indexed",
        completions: shards,
        parallelism: shards,
        backoffLimitPerIndex: 3,
        podFailurePolicy: failurePolicy("FailIndex"),
        template: podTemplate(run, files, options, "shard", streams),
      },
    },
    {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: metadata(`${name}-merge`, options),
      spec: {
        backoffLimit: 3,
        podFailurePolicy: failurePolicy("FailJob"),
        template: podTemplate(merge, files, options, "merge", streams),
      },
    },
  ];
}

/** Returns the objects that run each recipe with a schedule at its times. */
export function cronJobs(
  recipes: readonly { recipe: Recipe; path: string }[],
  files: readonly RecipeFile[],
  options: KubernetesOptions,
): KubernetesObject[] {
  const jobs = recipes.map(({ recipe, path }) => {
    const { schedule } = recipe;
    const run = container(options, {
      args: ["run", `${RECIPES}/${path}`, "--reporter", "console"],
      env: declaredVariables({ ...options, ...declaredNames([recipe]) }),
    });
    return {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: metadata(cronJobName(options.name, path), options),
      spec: {
        // Kubernetes knows `@daily` and the like in lower case only.
        schedule: schedule!.cron!.startsWith("@") ? schedule!.cron!.toLowerCase() : schedule!.cron,
        timeZone: schedule!.timezone,
        concurrencyPolicy: "Forbid",
        startingDeadlineSeconds: 60,
        jobTemplate: {
          spec: {
            backoffLimit: 3,
            podFailurePolicy: failurePolicy("FailJob"),
            template: podTemplate(run, files, options, "check"),
          },
        },
      },
    };
  });
  return [configMap(files, options), ...jobs];
}

/**
 * Returns the name of a recipe's CronJob. Kubernetes allows 52 characters: a longer one is cut, and
 * ends with a hash of the path, as does one of a path without Latin letters or digits.
 */
export function cronJobName(name: string, path: string): string {
  const words = path.replace(/\.[^.]*$/, "").toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  const full = `${name}-${words}`;
  if (words !== "" && full.length <= MAX_CRON_JOB_NAME) return full;
  const hash = createHash("sha256").update(path).digest("hex").slice(0, 8);
  return `${full.slice(0, MAX_CRON_JOB_NAME - hash.length - 1).replace(/-+$/, "")}-${hash}`;
}

function failurePolicy(action: "FailIndex" | "FailJob"): KubernetesObject {
  return {
    rules: [
      { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
      { action, onExitCodes: { containerName: "dispatch", operator: "In", values: [1, 2, 4] } },
      {
        action: "Count",
        onExitCodes: { containerName: "dispatch", operator: "In", values: [3, 130] },
      },
    ],
  };
}
