import { createHash } from "node:crypto";
import type { Recipe } from "../../language/model.ts";

/** What the manifests of a suite depend on. */
export interface KubernetesOptions {
  /** The name of all objects, which others begin with. */
  name: string;
  /** The image that has the command line as its entry point. */
  image: string;
  /** The address of the server. */
  url: string;
  /** The secret that has the token, and the key in it. */
  secret: { name: string; key: string };
  /** The number of shards. */
  shards: number;
  /** How long the merge waits for all shards. */
  wait: string;
}

/** An object of Kubernetes. */
export type KubernetesObject = Record<string, unknown>;

/** A recipe file that goes into the ConfigMap. */
export interface RecipeFile {
  /** Its path below the directory of the recipes. */
  path: string;
  /** Its text. */
  text: string;
}

const STREAMS = "/streams";
const RECIPES = "/recipes";
/** The most characters that the name of a CronJob may have. */
const MAX_CRON_JOB_NAME = 52;
/** How many characters of a path go into a key, which may have 253. */
const MAX_KEY_PATH = 200;

/**
 * Returns the objects that run recipes once, in shards, and merge their streams. The policy of the
 * shards reads our exit codes: a verdict (1), a mistake (2) and a run without checks (4) fail a shard
 * at once, since they would be the same again; a lost connection (3) and an interruption (130) are
 * tried again; an eviction does not count as an attempt.
 */
export function shardedJob(
  files: readonly RecipeFile[],
  options: KubernetesOptions,
): KubernetesObject[] {
  const { name, shards, wait } = options;
  const run = container(options, {
    args: ["run", RECIPES, "--shard", "auto", "--reporter", "console"],
    reporter: `jsonl=${STREAMS}/$(POD_NAME).jsonl`,
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
    ],
  });
  const merge = container(options, {
    args: ["merge", STREAMS, "--wait", wait, "--reporter", "console"],
    reporter: `html=${STREAMS}/report.html`,
    env: [],
  });
  return [
    configMap(files, options),
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: metadata(`${name}-streams`, options),
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    },
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
        template: podTemplate(run, files, options, "shard"),
      },
    },
    {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: metadata(`${name}-merge`, options),
      spec: {
        backoffLimit: 3,
        podFailurePolicy: failurePolicy("FailJob"),
        template: podTemplate(merge, files, options, "merge"),
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
  const jobs = recipes.map(({ recipe: { schedule }, path }) => {
    const run = container(options, {
      args: ["run", `${RECIPES}/${path}`, "--reporter", "console"],
      env: [],
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
            template: podTemplate(run, files, options, "check", false),
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

function metadata(name: string, options: KubernetesOptions): KubernetesObject {
  return { name, labels: labels(options) };
}

function labels({ name }: KubernetesOptions): Record<string, string> {
  return {
    "app.kubernetes.io/name": "dispatch-recipes",
    "app.kubernetes.io/instance": name,
    "app.kubernetes.io/managed-by": "dispatch",
  };
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

function container(
  { image, url, secret }: KubernetesOptions,
  { args, reporter, env }: { args: string[]; reporter?: string; env: KubernetesObject[] },
): KubernetesObject {
  return {
    name: "dispatch",
    image,
    args: reporter === undefined ? args : [...args, "--reporter", reporter],
    env: [
      { name: "DISPATCH_URL", value: url },
      { name: "DISPATCH_TOKEN", valueFrom: { secretKeyRef: secret } },
      ...env,
    ],
    resources: {
      requests: { cpu: "100m", memory: "128Mi" },
      limits: { memory: "512Mi" },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
  };
}

function podTemplate(
  run: KubernetesObject,
  files: readonly RecipeFile[],
  options: KubernetesOptions,
  part: string,
  hasStreams = true,
): KubernetesObject {
  const streams = { name: "streams", mountPath: STREAMS };
  const mounts = [{ name: "recipes", mountPath: RECIPES }, ...(hasStreams ? [streams] : [])];
  const claim = {
    name: "streams",
    persistentVolumeClaim: { claimName: `${options.name}-streams` },
  };
  return {
    metadata: { labels: { ...labels(options), "app.kubernetes.io/component": part } },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        fsGroup: 65532,
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [{ ...run, volumeMounts: mounts }],
      volumes: [
        {
          name: "recipes",
          configMap: {
            name: `${options.name}-recipes`,
            items: files.map(({ path }, i) => ({ key: keyOf(path, i), path })),
          },
        },
        ...(hasStreams ? [claim] : []),
      ],
    },
  };
}

function configMap(files: readonly RecipeFile[], options: KubernetesOptions): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: metadata(`${options.name}-recipes`, options),
    data: Object.fromEntries(files.map(({ path, text }, i) => [keyOf(path, i), text])),
  };
}

/** A key may have no slash, and no two files may share one. */
function keyOf(path: string, index: number): string {
  return `${index + 1}-${path.replaceAll(/[^-._a-zA-Z0-9]/g, "-").slice(-MAX_KEY_PATH)}`;
}
