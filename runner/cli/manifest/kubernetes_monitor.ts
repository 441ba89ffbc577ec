import { createHash } from "node:crypto";
import {
  claim,
  claimed,
  configMap,
  container,
  declaredVariables,
  type KubernetesObject,
  type KubernetesOptions,
  labels,
  metadata,
  type Mount,
  podTemplate,
  type RecipeFiles,
} from "./kubernetes_objects.ts";

/** What the manifests of a monitor depend on. */
export interface MonitorOptions extends KubernetesOptions {
  /** The text of the settings, as `--health` reads them. */
  settings?: string;
  /** The address that alerts link to. */
  publicUrl?: string;
}

/** The key in the Secret that has the token of the page. */
export const PAGE_TOKEN = "page-token";

const PORT = 9600;
const [STATE, SETTINGS] = ["/state", "/settings"];
const SETTINGS_FILE = "health.yaml";

/**
 * How long a pod has to end, in seconds. `always` has 10 of them, and alerts that are still to be sent
 * have 5.
 */
const GRACE = 30;

/** Returns the objects that run recipes on their schedules, in one pod that is always there. */
export function monitorDeployment(
  { files, paths }: RecipeFiles,
  options: MonitorOptions,
): KubernetesObject[] {
  const { name, settings, publicUrl } = options;
  const run = container(options, {
    args: [
      ...["schedule", ...paths],
      // The claim has 1 GiB; a full one would leave no room for what happens next.
      ...["--history", `${STATE}/health.db`, "--keep", "90d", "--keep", "500mb"],
      ...["--listen", `0.0.0.0:${PORT}`, "--log", "json"],
      ...(settings === undefined ? [] : ["--health", `${SETTINGS}/${SETTINGS_FILE}`]),
      ...(publicUrl === undefined ? [] : ["--public-url", publicUrl]),
    ],
    env: variables(options),
  });
  const healthz = { httpGet: { path: "/healthz", port: "page" }, timeoutSeconds: 5 };
  const component = { ...labels(options), "app.kubernetes.io/component": "monitor" };
  const mounts: Mount[] = [
    claimed("state", STATE, options),
    ...(settings === undefined ? [] : [settingsOf(options)]),
  ];
  const pod = podTemplate(
    {
      ...run,
      ports: [{ name: "page", containerPort: PORT }],
      // A large history takes a while to open.
      startupProbe: { ...healthz, periodSeconds: 2, failureThreshold: 150 },
      livenessProbe: { ...healthz, periodSeconds: 30, failureThreshold: 3 },
      readinessProbe: { ...healthz, periodSeconds: 10, failureThreshold: 2 },
    },
    files,
    options,
    "monitor",
    mounts,
  );
  return [
    configMap(files, options, settings === undefined ? {} : { [SETTINGS_FILE]: settings }),
    claim("state", options),
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: metadata(name, options),
      spec: {
        // Two would run each check twice. The old one ends before the new one takes the volume.
        replicas: 1,
        strategy: { type: "Recreate" },
        selector: { matchLabels: component },
        template: {
          metadata: {
            ...pod.metadata,
            // Recipes are read again when they change; new settings need a new pod.
            ...(settings === undefined
              ? {}
              : { annotations: { "dispatch/settings": digest(settings) } }),
          },
          spec: { ...pod.spec, restartPolicy: "Always", terminationGracePeriodSeconds: GRACE },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: metadata(name, options),
      spec: { selector: component, ports: [{ name: "page", port: PORT, targetPort: "page" }] },
    },
  ];
}

/** The variables of the container. */
function variables(options: MonitorOptions): KubernetesObject[] {
  const { secret: { name } } = options;
  return [
    {
      name: "DISPATCH_PAGE_TOKEN",
      valueFrom: { secretKeyRef: { name, key: PAGE_TOKEN } },
    },
    ...declaredVariables(options),
    // Large queries need a directory to write to, and the root is read-only.
    { name: "SQLITE_TMPDIR", value: STATE },
  ];
}

function settingsOf({ name }: MonitorOptions): Mount {
  const items = [{ key: SETTINGS_FILE, path: SETTINGS_FILE }];
  return {
    name: "settings",
    path: SETTINGS,
    source: { configMap: { name: `${name}-recipes`, items } },
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
