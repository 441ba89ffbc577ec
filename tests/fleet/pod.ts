import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { writeConfigMap } from "../helpers/config_map.ts";
import type { ControlPlane, Resource } from "./control_plane.ts";
import type { KubeletOptions } from "./kubelet.ts";

/** How much faster than in a cluster the probes are. */
const PROBES_SPEED = 10;

/** What ConfigMaps in the directories of volumes have: pods share them. */
const written = new Map<string, string>();

/** A pod: one process, and the volumes of its container. */
export class Pod {
  /** How often its container was started again. */
  restarts = 0;
  /** Whether its process runs. */
  isRunning = false;
  /** Whether its process has been told to end for good. */
  isEnding = false;
  /** The port of this machine that stands for that of the container. */
  port = 0;
  readonly name: string;
  readonly #plane: ControlPlane;
  readonly #object: Resource;
  readonly #options: KubeletOptions;
  #env: Record<string, string> = {};
  #args: string[] = [];
  #child: ChildProcess | undefined;
  #running: Promise<void> = Promise.resolve();

  /** Takes the object that describes it. */
  constructor(plane: ControlPlane, object: Resource, options: KubeletOptions) {
    this.#plane = plane;
    this.#object = object;
    this.#options = options;
    this.name = object.metadata.name;
  }

  /** The process that runs. */
  get process(): ChildProcess {
    return this.#child!;
  }

  get #container(): Resource {
    return this.#object.spec.containers[0];
  }

  /** Gives it to the node, and starts its process. */
  async start(): Promise<void> {
    await this.#plane.create({
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name: this.name },
      target: { kind: "Node", name: "stand-in" },
    }, `pods/${this.name}/binding`);
    const { disturb } = this.#options;
    const { evictAfter, env = {} } = disturb?.(this.#object) ?? {};
    const paths = await this.#mountVolumes();
    const onDisk = (text: string) =>
      text.replace(/(?<=^|=)\/\w+(?=\/|$)/, (mount) => paths[mount] ?? mount);
    const variables = { ...this.#variables(), ...env };
    this.#env = Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [name, onDisk(value)]),
    );
    this.#args = this.#container.args.map((arg: string) =>
      onDisk(arg.replaceAll(/\$\((\w+)\)/g, (all, name) => this.#env[name] ?? all))
    );
    await this.#takePort();
    this.#running = this.#object.spec.restartPolicy === "Never"
      ? this.#runOnce(evictAfter)
      : this.#runAgain();
  }

  /** Writes ConfigMaps that have changed. */
  async refresh(): Promise<void> {
    if (this.isRunning) await this.#mountVolumes();
  }

  /** Ends it, because its object is to be deleted. */
  delete(): void {
    if (this.isEnding) return;
    void this.end().then(async () => {
      await this.#plane.call("DELETE", this.#path, { gracePeriodSeconds: 0 });
    });
  }

  /** Ends its process as a kubelet does: with a signal, and later with another one. */
  async end(): Promise<void> {
    this.isEnding = true;
    await this.#terminate();
    await this.#running;
  }

  get #path(): string {
    return `/api/v1/namespaces/default/pods/${this.name}`;
  }

  async #terminate(): Promise<void> {
    const child = this.#child!;
    if (!this.isRunning) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    const grace = this.#object.spec.terminationGracePeriodSeconds * 1000 / PROBES_SPEED;
    const late = delay(grace).then(() => child.kill("SIGKILL"));
    await Promise.race([ended, late]);
    await ended;
  }

  #spawn(): Promise<number> {
    const [program, ...first] = this.#options.command;
    const child = this.#child = spawn(program!, [...first, ...this.#args], {
      env: {
        ...{ PATH: process.env.PATH!, HOME: this.#options.folder, NO_COLOR: "1" },
        ...this.#env,
      },
      stdio: ["ignore", "inherit", "inherit"],
    });
    this.isRunning = true;
    return new Promise((resolve) =>
      child.on("exit", (code) => {
        this.isRunning = false;
        resolve(code ?? 137);
      })
    );
  }

  async #runOnce(evictAfter: number | undefined): Promise<void> {
    const ended = this.#spawn();
    if (evictAfter !== undefined) {
      await delay(evictAfter);
      this.#child!.kill("SIGKILL");
    }
    const exitCode = await ended;
    const now = new Date().toISOString();
    const evicted = { type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI" };
    await this.#report({
      phase: exitCode === 0 ? "Succeeded" : "Failed",
      ...(evictAfter === undefined
        ? {}
        : { conditions: [{ ...evicted, lastTransitionTime: now }] }),
      ...this.#containerStatus(false, {
        terminated: { exitCode, reason: "Completed", startedAt: now, finishedAt: now },
      }),
    });
  }

  /** Starts the process again whenever it has ended, also because a probe has failed. */
  async #runAgain(): Promise<void> {
    while (!this.isEnding) {
      const ended = this.#spawn();
      const probing = new AbortController();
      const probes = this.#probe(probing.signal);
      await ended;
      probing.abort();
      await probes;
      if (this.isEnding) return;
      this.restarts++;
      await this.#reportReady(false);
    }
  }

  async #probe(signal: AbortSignal): Promise<void> {
    const { startupProbe, readinessProbe, livenessProbe } = this.#container;
    await this.#reportReady(false);
    if (!await this.#passes(startupProbe, signal)) return void await this.#terminate();
    await this.#reportReady(true);
    const watch = async (probe: Resource, onFailure: () => Promise<void>) => {
      while (!signal.aborted) {
        if (await this.#fails(probe, signal)) return await onFailure();
      }
    };
    await Promise.all([
      watch(readinessProbe, () => this.#reportReady(false)),
      watch(livenessProbe, () => this.#terminate()),
    ]);
  }

  /** Asks until the probe passes, but not too often. */
  async #passes(probe: Resource, signal: AbortSignal): Promise<boolean> {
    for (let i = 0; i < probe.failureThreshold; i++) {
      if (await this.#ask(probe)) return true;
      if (!await pause(probe, signal)) return true;
    }
    return false;
  }

  /** Asks until the probe has failed too often; not if it is no longer asked for. */
  async #fails(probe: Resource, signal: AbortSignal): Promise<boolean> {
    for (let failures = 0; failures < probe.failureThreshold;) {
      if (!await pause(probe, signal)) return false;
      failures = await this.#ask(probe) ? 0 : failures + 1;
    }
    return !signal.aborted;
  }

  async #ask({ httpGet, timeoutSeconds }: Resource): Promise<boolean> {
    const signal = AbortSignal.timeout(timeoutSeconds * 1000 / PROBES_SPEED);
    try {
      return (await fetch(`http://127.0.0.1:${this.port}${httpGet.path}`, { signal })).ok;
    } catch (_error) {
      return false;
    }
  }

  async #reportReady(isReady: boolean): Promise<void> {
    const lastTransitionTime = new Date().toISOString();
    const conditions = ["Ready", "ContainersReady"].map((type) => ({
      ...{ type, lastTransitionTime },
      status: isReady ? "True" : "False",
    }));
    const state = { running: { startedAt: lastTransitionTime } };
    await this.#report({ phase: "Running", conditions, ...this.#containerStatus(isReady, state) });
  }

  #containerStatus(ready: boolean, state: Resource): Resource {
    const { name, image } = this.#container;
    const status = { name, image, imageID: "", ready, restartCount: this.restarts, state };
    return { containerStatuses: [status] };
  }

  async #report(status: Resource): Promise<void> {
    await this.#plane.call(
      "PATCH",
      `${this.#path}/status`,
      { status },
      "application/merge-patch+json",
    );
  }

  #variables(): Record<string, string> {
    const variables: Record<string, string> = {};
    const { metadata } = this.#object;
    for (const { name, value, valueFrom } of this.#container.env) {
      const { fieldRef, secretKeyRef } = valueFrom ?? {};
      const secret = secretKeyRef &&
        this.#options.secrets[`${secretKeyRef.name}/${secretKeyRef.key}`];
      if (secretKeyRef?.optional && secret === undefined) continue;
      const [, map, key] = /^metadata\.(annotations|labels)\['(.*)'\]$/.exec(
        fieldRef?.fieldPath ?? "",
      ) ?? [];
      variables[name] = secretKeyRef
        ? secret!
        : map !== undefined
        ? metadata[map]?.[key!] ?? ""
        : fieldRef
        ? metadata.name
        : value ?? "";
    }
    return variables;
  }

  /** Writes ConfigMaps as files, and makes the directories of claims. */
  async #mountVolumes(): Promise<Record<string, string>> {
    const paths: Record<string, string> = {};
    for (const { name, configMap, persistentVolumeClaim } of this.#object.spec.volumes) {
      // The path of a recipe is a part of the plan, so it must be the same in all pods.
      const volume = persistentVolumeClaim?.claimName ?? `${configMap.name}-${name}`;
      const path = paths[`/${name}`] = join(this.#options.folder, volume);
      mkdirSync(path, { recursive: true });
      if (!configMap) continue;
      const map = `/api/v1/namespaces/default/configmaps/${configMap.name}`;
      const { data } = await this.#plane.call("GET", map);
      const items: { key: string; path: string }[] = configMap.items;
      const files = Object.fromEntries(items.map(({ key, path }) => [path, data[key]]));
      const text = JSON.stringify(files);
      if (written.get(path) === text) continue;
      written.set(path, text);
      writeConfigMap(path, files);
    }
    return paths;
  }

  /** Takes a free port for that of the container: pods have addresses of their own. */
  async #takePort(): Promise<void> {
    const [declared] = this.#container.ports ?? [];
    if (!declared) return;
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    this.port = (server.address() as { port: number }).port;
    server.close();
    this.#args = this.#args.map((arg) =>
      arg.replace(`0.0.0.0:${declared.containerPort}`, `0.0.0.0:${this.port}`)
    );
  }
}

/** Waits for the next time of a probe; returns whether it is still asked for. */
async function pause({ periodSeconds }: Resource, signal: AbortSignal): Promise<boolean> {
  await delay(periodSeconds * 1000 / PROBES_SPEED, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}
