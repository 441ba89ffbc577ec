import type { DeclaredNames } from "./declared_names.ts";

/** What the manifests of a suite depend on. */
export interface KubernetesOptions extends DeclaredNames {
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

/** A file that goes into the ConfigMap. */
export interface RecipeFile {
  /** Its path below the directory of the recipes. */
  path: string;
  /** Its text. */
  text: string;
}

/** The files of recipes, and what of them a container runs. */
export interface RecipeFiles {
  /** The files of the ConfigMap. */
  files: readonly RecipeFile[];
  /** The paths that its command line names. */
  paths: readonly string[];
}

/** Where the recipes are in a container. */
export const RECIPES = "/recipes";

/** How many characters of a path go into a key, which may have 253. */
const MAX_KEY_PATH = 200;

/** The name and labels of an object. */
export function metadata(name: string, options: KubernetesOptions): KubernetesObject {
  return { name, labels: labels(options) };
}

/** The labels of all objects. */
export function labels({ name }: KubernetesOptions): Record<string, string> {
  return {
    "app.kubernetes.io/name": "dispatch-recipes",
    "app.kubernetes.io/instance": name,
    "app.kubernetes.io/managed-by": "dispatch",
  };
}

/** The container that runs a command. */
export function container(
  { image, url, secret }: KubernetesOptions,
  { args, env }: { args: string[]; env: KubernetesObject[] },
): KubernetesObject {
  return {
    name: "dispatch",
    image,
    args,
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

/** The variables that recipes declare: each is the key of its name in the Secret. */
export function declaredVariables(
  { secret, secrets, variables }: Pick<KubernetesOptions, "secret" | "secrets" | "variables">,
): KubernetesObject[] {
  const from = (key: string, more: KubernetesObject = {}) => ({
    name: key,
    valueFrom: { secretKeyRef: { name: secret.name, key, ...more } },
  });
  return [
    ...secrets.map((name) => from(name)),
    ...variables.map((name) => from(name, { optional: true })),
  ];
}

/** A volume, and where it is in the container. */
export interface Mount {
  /** Its name. */
  name: string;
  /** The directory in the container. */
  path: string;
  /** What kind of volume it is. */
  source: KubernetesObject;
}

/** Returns a volume that outlives pods. */
export function claimed(name: string, path: string, { name: instance }: KubernetesOptions): Mount {
  return { name, path, source: { persistentVolumeClaim: { claimName: `${instance}-${name}` } } };
}

/** Returns the claim of a volume. */
export function claim(name: string, options: KubernetesOptions): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: metadata(`${options.name}-${name}`, options),
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  };
}

/** The pods of a part: a container with the recipes and other volumes. */
export function podTemplate(
  run: KubernetesObject,
  files: readonly RecipeFile[],
  options: KubernetesOptions,
  part: string,
  mounts: readonly Mount[] = [],
): { metadata: KubernetesObject; spec: KubernetesObject } {
  const recipes: Mount = {
    name: "recipes",
    path: RECIPES,
    source: {
      configMap: {
        name: `${options.name}-recipes`,
        items: files.map(({ path }, i) => ({ key: keyOf(path, i), path })),
      },
    },
  };
  const all = [recipes, ...mounts];
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
      containers: [{
        ...run,
        volumeMounts: all.map(({ name, path }) => ({ name, mountPath: path })),
      }],
      volumes: all.map(({ name, source }) => ({ name, ...source })),
    },
  };
}

/** The ConfigMap with the recipes, and other texts by their keys. */
export function configMap(
  files: readonly RecipeFile[],
  options: KubernetesOptions,
  others: Record<string, string> = {},
): KubernetesObject {
  const recipes = files.map(({ path, text }, i) => [keyOf(path, i), text]);
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: metadata(`${options.name}-recipes`, options),
    data: { ...Object.fromEntries(recipes), ...others },
  };
}

/** A key may have no slash, and no two files may share one. */
function keyOf(path: string, index: number): string {
  return `${index + 1}-${path.replaceAll(/[^-._a-zA-Z0-9]/g, "-").slice(-MAX_KEY_PATH)}`;
}
