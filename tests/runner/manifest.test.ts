import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

const PASS = "steps:\n  - assert: true\n";
const NIGHTLY = `schedule: { cron: "30 2 * * *", timezone: Europe/Berlin }\n${PASS}`;
const NEEDED = ["--image", "registry.example.com/dispatch", "--url", "wss://example.com/dwp"];

// deno-lint-ignore no-explicit-any
type Resource = any;

/** Prints the objects for the recipes of a directory. */
async function objectsOf(directory: string, ...args: string[]): Promise<Resource[]> {
  const { code, out, err } = await runnerCli(
    ["manifest", "kubernetes", directory, ...NEEDED, ...args],
  );
  assert.equal(code, 0, err);
  return parseAllDocuments(out).map((document) => document.toJS());
}

const kinds = (objects: readonly Resource[]) => objects.map(({ kind }) => kind);

test("kubernetes: an Indexed Job runs the shards, and a Job merges their streams", async () => {
  await withFiles({ "a.yaml": PASS }, async (directory) => {
    const objects = await objectsOf(directory, "--shards", "3", "--name", "smoke");
    assert.deepEqual(kinds(objects), ["ConfigMap", "PersistentVolumeClaim", "Job", "Job"]);
    const [, , shards, merge] = objects;
    assert.equal(shards.metadata.name, "smoke");
    const { completionMode, completions, parallelism } = shards.spec;
    assert.deepEqual([completionMode, completions, parallelism], ["Indexed", 3, 3]);
    const [container] = shards.spec.template.spec.containers;
    const args: string = container.args.join(" ");
    assert.match(args, /^run \/recipes --shard auto .*--reporter jsonl=\/streams\/\$\(POD_NAME\)/);
    const value = (name: string) =>
      container.env.find((one: { name: string }) => one.name === name);
    assert.equal(value("DISPATCH_SHARDS").value, "3");
    assert.deepEqual(value("DISPATCH_TOKEN").valueFrom.secretKeyRef, {
      name: "dispatch",
      key: "token",
    });
    assert.match(
      merge.spec.template.spec.containers[0].args.join(" "),
      /^merge \/streams --wait 30m/,
    );
  });
});

test("kubernetes: verdicts fail at once, lost connections are tried again, evictions do not count", async () => {
  await withFiles({ "a.yaml": NIGHTLY }, async (directory) => {
    const [, , shards, merge] = await objectsOf(directory);
    const [, cron] = await objectsOf(directory, "--schedule");
    const policies: [Resource, string][] = [
      [shards.spec, "FailIndex"],
      [merge.spec, "FailJob"],
      [cron.spec.jobTemplate.spec, "FailJob"],
    ];
    for (const [{ podFailurePolicy: { rules } }, action] of policies) {
      assert.deepEqual(rules[0], {
        action: "Ignore",
        onPodConditions: [{ type: "DisruptionTarget", status: "True" }],
      });
      assert.deepEqual(
        rules.slice(1).map((rule: Resource) => [rule.action, rule.onExitCodes.values]),
        [[action, [1, 2, 4]], ["Count", [3, 130]]],
      );
    }
  });
});

test("kubernetes: no pod is root, writes to its image or may get privileges", async () => {
  await withFiles({ "a.yaml": PASS }, async (directory) => {
    const objects = await objectsOf(directory);
    for (const { spec: { template } } of objects.filter(({ kind }) => kind === "Job")) {
      const { securityContext, containers: [container], automountServiceAccountToken } =
        template.spec;
      assert.equal(securityContext.runAsNonRoot, true);
      assert.equal(automountServiceAccountToken, false);
      assert.equal(container.securityContext.readOnlyRootFilesystem, true);
      assert.deepEqual(container.securityContext.capabilities, { drop: ["ALL"] });
      assert.ok(container.resources.requests.memory && container.resources.limits.memory);
    }
  });
});

test("kubernetes: the ConfigMap has the recipes and those that they use, at their paths", async () => {
  await withFiles({ "a.yaml": "steps:\n  - use: ./lib/b.yaml\n" }, async (directory) => {
    await mkdir(join(directory, "lib"));
    await writeFile(join(directory, "lib", "b.yaml"), PASS);
    const [config, , shards] = await objectsOf(directory);
    const { items } = shards.spec.template.spec.volumes[0].configMap;
    const files = items.map(({ key, path }: Resource) => [path, config.data[key]]);
    assert.deepEqual(files.sort(), [
      ["a.yaml", "steps:\n  - use: ./lib/b.yaml\n"],
      ["lib/b.yaml", PASS],
    ]);
    for (const { key } of items) assert.match(key, /^[-._a-zA-Z0-9]+$/);
  });
});

test("kubernetes: with --schedule each recipe with a schedule is a CronJob in its time zone", async () => {
  await withFiles({ "a.yaml": PASS, "Night_ly.yaml": NIGHTLY }, async (directory) => {
    const objects = await objectsOf(directory, "--schedule");
    assert.deepEqual(kinds(objects), ["ConfigMap", "CronJob"]);
    const [, { metadata, spec }] = objects;
    assert.equal(metadata.name, "recipes-night-ly");
    assert.deepEqual([spec.schedule, spec.timeZone], ["30 2 * * *", "Europe/Berlin"]);
    assert.equal(spec.concurrencyPolicy, "Forbid");
  });
});

test("github: a matrix runs the shards, and a job merges the streams of all attempts", async () => {
  await withFiles({ "a.yaml": PASS }, async (directory) => {
    const { code, out } = await runnerCli(["manifest", "github", directory, "--shards", "3"]);
    assert.equal(code, 0);
    const { jobs: { shard, merge } } = parse(out);
    assert.deepEqual(shard.strategy, { "fail-fast": false, matrix: { shard: [1, 2, 3] } });
    assert.equal(shard.env, undefined);
    const commands = (job: Resource) =>
      job.steps.flatMap(({ run }: { run?: string }) => run ?? []).join("\n");
    assert.match(commands(shard), /--shard \$\{\{ matrix\.shard \}\}\/3 /);
    assert.match(commands(merge), /merge .*--reporter junit=/);
    assert.equal(merge.if, "${{ !cancelled() }}");
    const names = shard.steps.flatMap((step: Resource) => step.with?.name ?? []);
    assert.deepEqual(names, ["stream-${{ matrix.shard }}-${{ github.run_attempt }}"]);
    const { out: real } = await runnerCli(
      ["manifest", "github", directory, "--url", "wss://example.com/dwp"],
    );
    assert.deepEqual(parse(real).jobs.shard.env, {
      DISPATCH_URL: "wss://example.com/dwp",
      DISPATCH_TOKEN: "${{ secrets.DISPATCH_TOKEN }}",
    });
  });
});

test("rejects what cannot be a manifest, and prints none", async () => {
  const files = {
    "a.yaml": PASS,
    "seconds.yaml": NIGHTLY.replace("30 2", "0 30 2"),
    "last.yml": NIGHTLY.replace("2 * *", "2 L *"),
    "sunday.yml": NIGHTLY.replace('* *"', '* 6-7"'),
    "broken.txt": "",
  };
  await withFiles(files, async (directory) => {
    const table: [string[], RegExp][] = [
      [[], /manifest takes kubernetes or github first, not nothing/],
      [["docker", directory], /not 'docker'/],
      [["github"], /No recipes: name a file or directory/],
      [["kubernetes", directory], /needs --image/],
      [["kubernetes", directory, "--image", "x"], /needs --url/],
      [
        ["kubernetes", directory, ...NEEDED, "--name", "A_b"],
        /--name must be at most 42 lower-case/,
      ],
      [["kubernetes", directory, ...NEEDED, "--secret", "x"], /--secret must be NAME\/KEY/],
      [["kubernetes", directory, ...NEEDED, "--secret", "Dispatch/token"], /--secret must be/],
      [["github", directory, "--shards", "257"], /--shards: GitHub runs at most 256 jobs/],
      [["kubernetes", directory, ...NEEDED, "--wait", "long"], /--wait/],
      [["kubernetes", directory, ...NEEDED, "--shards", "0"], /--shards/],
      [
        ["kubernetes", join(directory, "a.yaml"), ...NEEDED, "--schedule"],
        /no recipe has a `sched/,
      ],
      ...([
        ["seconds.yaml", /a CronJob has no seconds \('0 30 2 /],
        ["last.yml", /a CronJob does not know 'L'/],
        ["sunday.yml", /a CronJob does not know '6-7'/],
      ] as const).map(([name, message]): [string[], RegExp] => [
        ["kubernetes", join(directory, name), ...NEEDED, "--schedule"],
        message,
      ]),
    ];
    for (const [args, message] of table) {
      const { code, out, err } = await runnerCli(["manifest", ...args]);
      assert.equal(code, 2, `${args}: ${err}`);
      assert.equal(out, "");
      assert.match(err, message);
    }
  });
});
