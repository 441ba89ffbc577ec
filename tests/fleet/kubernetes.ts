/**
 * Runs what `manifest kubernetes` prints on a real control plane: `node tests/fleet/kubernetes.ts`.
 * It needs Go, and some ten minutes to build the control plane the first time; it is kept in the
 * directory for temporary files. Pods are processes of a stand-in for the kubelet.
 *
 * @module
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseAllDocuments } from "yaml";
import { createDevServer, referenceWorkload } from "../../dev/mod.ts";
import { build, ControlPlane, type Resource, until } from "./control_plane.ts";
import { Kubelet } from "./kubelet.ts";
import { checkMonitor } from "./kubernetes_monitor.ts";

const folder = join(tmpdir(), "dispatch-fleet");
mkdirSync(folder, { recursive: true });
const program = build(folder);
const volumes = join(folder, "volumes");
const recipes = join(folder, "recipes");
const PAGE_TOKEN = "page-token";
const root = join(import.meta.dirname!, "../..");
const command = [process.execPath, join(root, "runner.mjs")];

for (const path of [volumes, recipes]) {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
}
const pass = "steps:\n  - id: job\n    enqueue: noop\n  - wait: job\n  - sleep: 1s\n";
const FILES: Record<string, string> = {
  "1-pass.yaml": pass,
  "2-fail.yaml": "steps:\n  - assert: 1 == 2\n",
  "3-lost.yaml": pass,
  "4-evicted.yaml": pass,
};

function manifest(...args: string[]): Resource[] {
  const { status, stdout, stderr } = spawnSync(command[0]!, [
    command[1]!,
    ...["manifest", "kubernetes", recipes, "--image", "dispatch", "--url", server.url, ...args],
  ], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return parseAllDocuments(stdout).map((document) => document.toJS());
}

function condition(job: Resource, type: string): Resource | undefined {
  return job.status.conditions?.find((one: Resource) => one.type === type && one.status === "True");
}

await using server = await createDevServer(referenceWorkload());
await using plane = await ControlPlane.start(program, join(folder, "plane"));
const attempts = new Map<string, number>();
// Disposed before the control plane, which it asks for pods.
await using kubelet = new Kubelet(plane, {
  command,
  folder: volumes,
  secrets: { "dispatch/token": "demo-token", "dispatch/page-token": PAGE_TOKEN },
  disturb(pod) {
    const index = pod.metadata.annotations?.["batch.kubernetes.io/job-completion-index"];
    if (index === undefined) return undefined;
    const attempt = (attempts.get(index) ?? 0) + 1;
    attempts.set(index, attempt);
    if (index === "2" && attempt === 1) return { env: { DISPATCH_URL: "ws://127.0.0.1:9/dwp" } };
    if (index === "3" && attempt <= 2) return { evictAfter: 700 };
  },
});

for (const [file, text] of Object.entries(FILES)) writeFileSync(join(recipes, file), text);
for (const object of manifest("--shards", "4", "--wait", "5m")) await plane.create(object);
await until("the shards end", async () => condition(await plane.job("recipes"), "Failed"));
const shards = await plane.job("recipes");
assert.equal(shards.status.completedIndexes, "0,2,3");
assert.equal(shards.status.failedIndexes, "1");
assert.equal(attempts.get("0"), 1);
assert.equal(attempts.get("1"), 1, "a false assertion is not run again");
assert.equal(attempts.get("2"), 2, "a lost connection is tried again");
assert.equal(attempts.get("3"), 3, "evictions do not count");
await until("the merge ends", async () => condition(await plane.job("recipes-merge"), "Failed"));
const merged = condition(await plane.job("recipes-merge"), "Failed");
assert.equal(merged!.reason, "PodFailurePolicy", "the merge exits with 1, as the whole run");
const report = readFileSync(join(volumes, "recipes-streams", "report.html"), "utf8");
for (const name of ["1-pass", "2-fail", "3-lost", "4-evicted"]) assert.ok(report.includes(name));
process.stdout.write("shards: ok\n");

// A time zone with an odd offset, in which the next minute is at another hour and minute than in UTC.
const zone = "Asia/Kathmandu";
const next = new Date(Date.now() + 75_000);
const [hour, minute] = new Intl.DateTimeFormat("en-GB", {
  timeZone: zone,
  hour: "2-digit",
  minute: "2-digit",
}).format(next).split(":");
for (const file of Object.keys(FILES)) rmSync(join(recipes, file));
const schedule = `schedule: { cron: "${Number(minute)} ${
  Number(hour)
} * * *", timezone: ${zone} }\n`;
writeFileSync(join(recipes, "nightly.yaml"), schedule + pass);
for (const object of manifest("--schedule", "--name", "checks")) await plane.create(object);
await until("the CronJob fires", async () => {
  const { items } = await plane.call("GET", "/apis/batch/v1/namespaces/default/jobs");
  const own = items.find((job: Resource) => job.metadata.name.startsWith("checks-nightly-"));
  return own !== undefined && condition(own, "Complete") !== undefined;
});
process.stdout.write("schedule: ok\n");

rmSync(join(recipes, "nightly.yaml"));
await checkMonitor({ plane, kubelet, recipes, manifest, pageToken: PAGE_TOKEN });
process.stdout.write("monitor: ok\n");
