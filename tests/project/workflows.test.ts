import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { binaryName, type Platform, PLATFORMS } from "../../packaging/binary.ts";
import { ACTIONS } from "../../runner/cli/manifest/github.ts";
import { expectWorkflow } from "../helpers/github_files.ts";
import { filesBelow, read, readJson } from "./sources.ts";

interface Job {
  permissions?: Record<string, string>;
  "timeout-minutes"?: number;
  uses?: string;
  needs?: string | string[];
  strategy?: { matrix: { include: { executable: string }[] } };
  steps?: { run?: string; uses?: string; with?: Record<string, unknown> }[];
}

interface Workflow {
  permissions?: Record<string, string>;
  jobs: Record<string, Job>;
}

const files = await filesBelow(".github/workflows");
const texts = await Promise.all(files.map(read));
const workflows = texts.map((text): Workflow => parse(text));
const [ci, release] = workflows as [Workflow, Workflow];
const jobs = workflows.flatMap(({ jobs }) => Object.values(jobs));
const steps = jobs.flatMap(({ steps = [] }) => steps);

test("the workflows match the schema of GitHub", () => {
  deepEqual(files, [".github/workflows/ci.yml", ".github/workflows/release.yml"]);
  // The schema does not know this permission, which GitHub has had since 2024.
  for (const text of texts) expectWorkflow(text.replaceAll(/^ +attestations: write\n/gm, ""));
});

test("other actions are pinned to a commit, with the version beside it", () => {
  const uses = texts.flatMap((text) => text.match(/(?<=\buses: ).*/g)!)
    .filter((one) => !one.startsWith("./"));
  ok(uses.length > 10);
  for (const one of uses) match(one, /^[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  const versions = new Map(uses.map((one) => [one.split("@")[0], one]));
  for (const one of uses) equal(one, versions.get(one.split("@")[0]));
});

test("the workflows of users, and those of the docs, have the versions of these", async () => {
  const own = new Map(
    texts.join("\n").matchAll(/\buses: ([\w/-]+)@\w+ # (v\d+)\./g).map(([, name, major]) => [
      name!,
      major!,
    ]),
  );
  const written = Object.values(ACTIONS);
  const shown = (await read("docs/install.md")).match(/(?<=\buses: )actions\/.*/g)!;
  ok(shown.length > 0);
  for (const one of [...written, ...shown]) {
    const [name, major] = one.split("@") as [string, string];
    // This repository takes Deno from npm.
    if (name !== "denoland/setup-deno") equal(major, own.get(name), name);
  }
});

test("each job has the permissions that it needs and no others, and an end", () => {
  for (const { permissions } of workflows) deepEqual(permissions, {});
  for (const { permissions, uses, ...job } of jobs) {
    ok(permissions !== undefined);
    ok(uses !== undefined || job["timeout-minutes"]! > 0);
  }
  const writing = (workflow: Workflow) =>
    Object.entries(workflow.jobs).flatMap(([name, { permissions = {} }]) =>
      Object.entries(permissions)
        .flatMap(([scope, access]) => access === "write" ? `${name} ${scope}` : [])
    );
  deepEqual(writing(ci), []);
  deepEqual(writing(release), [
    "npm id-token",
    "jsr id-token",
    ...["image packages", "image id-token", "image attestations"],
    ...["github contents", "github id-token", "github attestations"],
  ]);
});

test("no expression is part of a script, and no job keeps the token of its checkout", () => {
  for (const { run, uses, with: inputs } of steps) {
    ok(!(run ?? "").includes("${{"), run ?? "");
    if (uses?.startsWith("actions/checkout@")) equal(inputs?.["persist-credentials"], false);
  }
});

test("the tasks that the workflows run exist", async () => {
  const { tasks } = await readJson<{ tasks: Record<string, unknown> }>("deno.json");
  const named = texts.flatMap((text) =>
    Array.from(text.matchAll(/deno task ([\w:]+)/g), ([, name]) => name!)
  );
  ok(named.length > 1);
  for (const name of named) ok(name in tasks, name);
});

test("nothing is published before the tests have passed and every executable has started", () => {
  const publishing = ["npm", "jsr", "image", "github"];
  for (const name of publishing) deepEqual(release.jobs[name]!.needs, ["test", "try"]);
  equal(release.jobs.test!.uses, "./.github/workflows/ci.yml");
  const tried = release.jobs.try!.strategy!.matrix.include.map(({ executable }) => executable);
  const all = (Object.keys(PLATFORMS) as Platform[]).map(binaryName);
  deepEqual(tried.sort(), all.sort());
});

test("the action installs the executables that are built", async () => {
  const script = await read("action/install.sh");
  const named = Array.from(script.matchAll(/name=(dispatch-\S+)/g), ([, name]) => name!);
  deepEqual(named.sort(), (Object.keys(PLATFORMS) as Platform[]).map(binaryName).sort());
});
