import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ControlPlane, type Resource, until } from "./control_plane.ts";
import type { Kubelet } from "./kubelet.ts";
import type { Pod } from "./pod.ts";

/** What the check of a monitor needs. */
export interface MonitorCheck {
  plane: ControlPlane;
  kubelet: Kubelet;
  /** An empty directory for recipes. */
  recipes: string;
  /** Returns what `manifest kubernetes` prints for it. */
  manifest(...args: string[]): Resource[];
  /** The token of the page. */
  pageToken: string;
}

const NAME = "watch";
const recipe = (asserted: boolean) =>
  `name: Smoke\nschedule: { every: 1s }\nsteps: [{ assert: ${asserted} }]\n`;

/**
 * Runs what `manifest kubernetes --monitor` prints: probes find a process that is gone or hangs, the
 * history outlives it and its pod, changed recipes are read, changed settings start another pod, and no
 * check runs twice.
 */
export async function checkMonitor(check: MonitorCheck): Promise<void> {
  const { plane, kubelet, recipes, manifest, pageToken } = check;
  const settings = join(dirname(recipes), "settings/health.yaml");
  mkdirSync(dirname(settings), { recursive: true });
  writeFileSync(settings, "parallel: 2\n");
  writeFileSync(join(recipes, "smoke.yaml"), recipe(true));
  const objects = () => manifest("--monitor", "--name", NAME, "--health", settings);
  const monitors = () => kubelet.running.filter(({ name }) => name.startsWith(`${NAME}-`));
  // The most at the same time: of all, and of those that have not been told to end.
  const most = { all: 0, going: 0 };
  const counting = setInterval(() => {
    most.all = Math.max(most.all, monitors().length);
    most.going = Math.max(most.going, monitors().filter(({ isEnding }) => !isEnding).length);
  }, 20);
  const monitor = (): Pod => monitors()[0]!;
  const api = async (path: string): Promise<Resource> => {
    const answer = await fetch(`http://127.0.0.1:${monitor().port}/api/v1${path}`, {
      headers: { authorization: `Bearer ${pageToken}` },
    });
    assert.equal(answer.status, 200);
    return await answer.json();
  };
  const runs = async (): Promise<Resource[]> => {
    const { checks: [{ id }] } = await api("/checks");
    return (await api(`/checks/${encodeURIComponent(id)}/runs?limit=500`)).runs;
  };
  const isAvailable = async () => {
    const path = `/apis/apps/v1/namespaces/default/deployments/${NAME}`;
    const { status, metadata } = await plane.call("GET", path);
    return status.observedGeneration === metadata.generation && status.availableReplicas === 1 &&
      status.updatedReplicas === 1 && status.unavailableReplicas === undefined;
  };
  /** Waits until a pod is ready that has the runs of all pods before it, and more. */
  const hasGoneOn = async (what: string, known: number, isOther: (pod: Pod) => boolean) => {
    await until(
      `${what}: the check runs again`,
      async () =>
        monitors().length === 1 && isOther(monitor()) && await isAvailable() &&
        await runs().then(({ length }) => length > known, () => false),
    );
    assert.equal((await runs()).at(-1)!.started, first, `${what}: the history is kept`);
  };

  for (const object of objects()) await plane.create(object);
  await until("the monitor is available", isAvailable);
  await until("the check has run", async () => (await runs()).length >= 2);
  const first = (await runs()).at(-1)!.started;

  const pod = monitor();
  let known = (await runs()).length;
  pod.process.kill("SIGKILL");
  await hasGoneOn("a process that is gone", known, ({ restarts }) => restarts === 1);

  known = (await runs()).length;
  pod.process.kill("SIGSTOP");
  await hasGoneOn("a process that hangs", known, ({ restarts }) => restarts === 2);

  known = (await runs()).length;
  await plane.call("DELETE", `/api/v1/namespaces/default/pods/${pod.name}`);
  await hasGoneOn("a pod that is deleted", known, ({ name }) => name !== pod.name);

  // A pod that is deleted has a successor at once, while it still ends.
  assert.equal(most.going, 1);
  most.all = 0;
  const second = monitor();
  writeFileSync(join(recipes, "smoke.yaml"), recipe(false));
  await plane.apply(objects().find(({ kind }) => kind === "ConfigMap"));
  await until("the changed recipe is read", async () => (await runs())[0]!.verdict === "failed");
  assert.equal(monitor(), second);

  known = (await runs()).length;
  writeFileSync(settings, "parallel: 3\n");
  for (const object of objects()) await plane.apply(object);
  await hasGoneOn("changed settings", known, ({ name }) => name !== second.name);

  clearInterval(counting);
  assert.deepEqual(
    most,
    { all: 1, going: 1 },
    "changed settings wait for the end of the first pod",
  );
  const due = (await runs()).map((run) => run.due);
  assert.equal(new Set(due).size, due.length, "no check runs twice at one time");
}
