import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ControlPlane, Resource } from "./control_plane.ts";

/** What a stand-in for the kubelet needs. */
export interface KubeletOptions {
  /** The command that stands for the image's entry point. */
  command: readonly string[];
  /** A directory for the volumes. */
  folder: string;
  /** The values of secrets, by `name/key`. */
  secrets: Record<string, string>;
  /** Changes the variables of a pod, or says that it is to be evicted after some milliseconds. */
  disturb?(pod: Resource): { env?: Record<string, string>; evictAfter?: number } | undefined;
}

/** Runs pods as processes, as the kubelet of a node would, and reports how they end. */
export async function runPods(
  plane: ControlPlane,
  options: KubeletOptions,
  signal: AbortSignal,
): Promise<void> {
  const seen = new Set<string>();
  while (!signal.aborted) {
    for (const pod of await plane.pods()) {
      const { name, uid } = pod.metadata;
      if (seen.has(uid) || pod.status.phase !== "Pending") continue;
      seen.add(uid);
      runPod(plane, pod, options).catch((error) => {
        throw new Error(`Cannot run pod '${name}'`, { cause: error });
      });
    }
    await delay(100);
  }
}

async function runPod(plane: ControlPlane, pod: Resource, options: KubeletOptions): Promise<void> {
  const [container] = pod.spec.containers;
  const { evictAfter, env: more = {} } = options.disturb?.(pod) ?? {};
  const env = { ...await variablesOf(container, pod, options.secrets), ...more };
  const paths = await mountVolumes(plane, pod, options.folder);
  const args: string[] = container.args.map((arg: string) =>
    arg.replaceAll(/\$\((\w+)\)/g, (all, name) => env[name] ?? all)
      .replace(/(?<=^|=)\/\w+(?=\/|$)/, (mount) => paths[mount] ?? mount)
  );
  const [program, ...first] = options.command;
  const child = spawn(program!, [...first, ...args], {
    env: { PATH: process.env.PATH!, HOME: options.folder, NO_COLOR: "1", ...env },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const ended = new Promise<number>((resolve) => child.on("exit", (code) => resolve(code ?? 137)));
  if (evictAfter !== undefined) {
    await delay(evictAfter);
    child.kill("SIGKILL");
  }
  const exitCode = await ended;
  const now = new Date().toISOString();
  const evicted = { type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI" };
  await plane.call(
    "PATCH",
    `/api/v1/namespaces/default/pods/${pod.metadata.name}/status`,
    {
      status: {
        phase: exitCode === 0 ? "Succeeded" : "Failed",
        ...(evictAfter === undefined
          ? {}
          : { conditions: [{ ...evicted, lastTransitionTime: now }] }),
        containerStatuses: [{
          name: container.name,
          image: container.image,
          imageID: "",
          ready: false,
          restartCount: 0,
          state: { terminated: { exitCode, reason: "Completed", startedAt: now, finishedAt: now } },
        }],
      },
    },
    "application/merge-patch+json",
  );
}

async function variablesOf(
  { env }: Resource,
  { metadata }: Resource,
  secrets: Record<string, string>,
): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const { name, value, valueFrom } of env) {
    const { fieldRef, secretKeyRef } = valueFrom ?? {};
    const [, map, key] = /^metadata\.(annotations|labels)\['(.*)'\]$/.exec(
      fieldRef?.fieldPath ?? "",
    ) ?? [];
    variables[name] = secretKeyRef
      ? secrets[`${secretKeyRef.name}/${secretKeyRef.key}`]!
      : map !== undefined
      ? metadata[map]?.[key!] ?? ""
      : fieldRef
      ? metadata.name
      : value ?? "";
  }
  return await Promise.resolve(variables);
}

/** Writes the ConfigMap as files, and makes the directory of the claim. */
async function mountVolumes(
  plane: ControlPlane,
  { spec }: Resource,
  folder: string,
): Promise<Record<string, string>> {
  const paths: Record<string, string> = {};
  for (const { name, configMap, persistentVolumeClaim } of spec.volumes) {
    // The path of a recipe is a part of the plan, so it must be the same in all pods.
    const path = paths[`/${name}`] = join(
      folder,
      persistentVolumeClaim?.claimName ?? configMap.name,
    );
    mkdirSync(path, { recursive: true });
    if (!configMap) continue;
    const { data } = await plane.call(
      "GET",
      `/api/v1/namespaces/default/configmaps/${configMap.name}`,
    );
    for (const { key, path: file } of configMap.items) {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      writeFileSync(join(path, file), data[key]);
    }
  }
  return paths;
}
