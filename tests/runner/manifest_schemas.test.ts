import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Deployment } from "kubernetes-models/apps/v1";
import { CronJob, Job } from "kubernetes-models/batch/v1";
import { ConfigMap, PersistentVolumeClaim, Service } from "kubernetes-models/v1";
import { parse, stringify } from "yaml";
import { githubWorkflow } from "../../runner/cli/manifest/github.ts";
import { cronJobName, cronJobs, shardedJob } from "../../runner/cli/manifest/kubernetes.ts";
import { monitorDeployment } from "../../runner/cli/manifest/kubernetes_monitor.ts";
import type {
  KubernetesObject,
  KubernetesOptions,
} from "../../runner/cli/manifest/kubernetes_objects.ts";
import type { Recipe } from "../../runner/language/model.ts";
import { expectWorkflow } from "../helpers/github_files.ts";

/** The schemas of Kubernetes, one for each kind that a manifest has. */
const KINDS: Record<string, new (data: never) => { validate(): void }> = {
  ConfigMap,
  CronJob,
  Deployment,
  Job,
  PersistentVolumeClaim,
  Service,
};

/** The names that Kubernetes gives objects: of lower-case letters, digits and hyphens. */
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Texts that break formats: quotes, expressions, line breaks, other scripts. */
const text = fc.oneof(
  fc.constantFrom(
    "a b",
    "${{ secrets.TOKEN }}",
    'it\'s "x"',
    "a\nb: c",
    "- x",
    "日本",
    "$(X)",
    "#",
    "~",
  ),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
);
const word = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,6}[a-z0-9])?$/);
const path = fc.array(fc.oneof(word, text), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.map((part) => part.replaceAll("/", "_")).join("/") + ".yaml");
const files = fc.uniqueArray(fc.record({ path, text }), {
  minLength: 1,
  maxLength: 4,
  selector: (file) => file.path,
});
const options: fc.Arbitrary<KubernetesOptions> = fc.record({
  name: word,
  image: text,
  url: text,
  secret: fc.record({ name: word, key: word }, { noNullPrototype: true }),
  shards: fc.integer({ min: 1, max: 1_000 }),
  wait: fc.constantFrom("30m", "90s"),
  secrets: fc.constant(["A"]),
  variables: fc.constant(["B"]),
});
const cron = fc.constantFrom("30 2 * * *", "*/5 8-18 * JUL mon-fri", "@Daily");

/** Writes an object as `manifest` does, and reads it as `kubectl` does. */
function printed(object: KubernetesObject): KubernetesObject {
  return parse(stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }));
}

/** Returns why Kubernetes would refuse an object; nothing if it would not. */
function refusal(object: KubernetesObject): string | undefined {
  try {
    new KINDS[object.kind as string]!(object as never).validate();
  } catch (error) {
    return (error as Error).message;
  }
}

/** The paths of all fields in a value: `["spec", "template"]`. */
function fieldPaths(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const here = [...path, key];
    return [here, ...fieldPaths(child, here)];
  });
}

/** Returns a copy of an object in which one field has another value. */
function withField(object: KubernetesObject, path: readonly string[], value: unknown) {
  const copy = structuredClone(object);
  let at: Record<string, unknown> = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[path.at(-1)!] = value;
  return copy;
}

/** All objects for some files: of a run in shards, of CronJobs and of a monitor. */
function objectsOf(
  files: readonly { path: string; text: string }[],
  options: KubernetesOptions,
  pattern: string,
  words: string,
): KubernetesObject[] {
  const recipes = scheduled(files.map(({ path }) => path), pattern);
  const own = { settings: words, publicUrl: words };
  return [
    ...shardedJob({ files, paths: ["/recipes"] }, options),
    ...cronJobs(recipes, files, options),
    ...monitorDeployment({ files, paths: ["/recipes"] }, { ...options, ...own }),
  ];
}

function scheduled(paths: readonly string[], pattern: string) {
  const schedule = { cron: pattern, timezone: "Europe/Berlin" };
  const declared = { secrets: [{ name: "A" }], env: [{ name: "B" }], uses: [] as Recipe[] };
  return paths.map((path) => ({ recipe: { schedule, ...declared } as unknown as Recipe, path }));
}

test("kubernetes: objects match the schemas of Kubernetes, whatever names and texts are", () => {
  fc.assert(
    fc.property(files, options, cron, text, (files, options, cron, words) => {
      for (const object of objectsOf(files, options, cron, words)) {
        const read = printed(object);
        assert.deepEqual(read, object);
        assert.equal(refusal(read), undefined);
        assert.match((read.metadata as { name: string }).name, NAME);
      }
    }),
    { numRuns: 10 },
  );
});

test("kubernetes: the schemas know every field, and refuse it with another type", () => {
  const given = { path: "a.yaml", text: "steps: []" };
  const options = {
    name: "x",
    image: "x",
    url: "x",
    secret: { name: "x", key: "y" },
    shards: 2,
    wait: "1m",
    secrets: ["A"],
    variables: ["B"],
  };
  const objects = objectsOf([given], options, "@daily", "x");
  // The schemas allow fields that they do not know; those would match with any value.
  for (const object of objects) {
    const unknown = fieldPaths(object).filter((path) =>
      refusal(withField(object, path, Symbol("of no type"))) === undefined
    );
    assert.deepEqual(unknown, [], object.kind as string);
  }
});

test("kubernetes: names of CronJobs have at most 52 characters, and differ for each path", () => {
  const name = "n".repeat(42);
  const long = "checks/of/the/payment/service/in/the/night";
  const paths = [`${long}.yaml`, `${long}-2.yaml`, "日本.yaml", "語.yaml", "-.yaml", "a.yaml"];
  const names = paths.map((path) => cronJobName(name, path));
  for (const one of names) {
    assert.ok(one.length <= 52, one);
    assert.match(one, NAME);
  }
  assert.equal(new Set(names).size, paths.length);
  assert.equal(names.at(-1), `${name}-a`);
});

test("kubernetes: keys of a ConfigMap have at most 253 characters", () => {
  const file = { path: `${"x".repeat(300)}.yaml`, text: "" };
  const [{ data }] = cronJobs([], [file], {} as KubernetesOptions) as [{ data: object }];
  for (const key of Object.keys(data)) assert.match(key, /^[-._a-zA-Z0-9]{1,253}$/);
});

const workflows = fc.record({
  paths: fc.array(path, { minLength: 1, maxLength: 3 }),
  shards: fc.integer({ min: 1, max: 8 }),
  url: fc.option(text, { nil: undefined }),
  secrets: fc.constantFrom([], ["PIN"]),
}).map((options) => stringify(githubWorkflow(options), { lineWidth: 0 }));

test("github: workflows match the schema of GitHub", () => {
  // The validator takes a tenth of a second.
  fc.assert(fc.property(workflows, expectWorkflow), { numRuns: 3 });
});

test("github: no text of the user is an expression", () => {
  const ours = [
    "matrix.shard",
    "github.run_attempt",
    "!cancelled()",
    "secrets.DISPATCH_TOKEN",
    "secrets.PIN",
  ];
  fc.assert(
    fc.property(workflows, (workflow) => {
      const found = [...workflow.matchAll(/\$\{\{(.*?)\}\}/gs)].map(([, inner]) => inner!.trim());
      assert.deepEqual(found.filter((one) => ![...ours, "'${{'"].includes(one)), []);
    }),
  );
});
