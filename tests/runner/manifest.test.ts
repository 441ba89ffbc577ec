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
  await withFiles({ "a.yaml": NIGHTLY }, async (directory) => {
    const objects = [
      ...await objectsOf(directory),
      ...await objectsOf(directory, "--monitor"),
    ].filter(({ kind }) => kind === "Job" || kind === "Deployment");
    assert.equal(objects.length, 3);
    for (const { spec: { template } } of objects) {
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

test("kubernetes: directories in a ConfigMap are links, and are named", async () => {
  await withFiles({ "a.yaml": NIGHTLY }, async (directory) => {
    for (const path of ["b", "b/c", "d.x"]) {
      await mkdir(join(directory, path));
      await writeFile(join(directory, path, "one.yaml"), NIGHTLY);
    }
    const names = "/recipes /recipes/b /recipes/d.x";
    for (const [option, index] of [["--shards=1", 2], ["--monitor", 2]] as const) {
      const object = (await objectsOf(directory, option))[index];
      const args: string = object.spec.template.spec.containers[0].args.join(" ");
      assert.match(args, /^(run|schedule) /);
      assert.ok(args.includes(` ${names} --`), args);
    }
  });
});

const SETTINGS = `secrets: [PAGER_KEY]
targets: { pager: { pagerduty: { routing_key: "\${{ secrets.PAGER_KEY }}" } } }
`;
const ALERTING = `secrets: [LOGIN]
env: { REGION: eu, DISPATCH_TOKEN: x }
alert: { to: [pager] }
${NIGHTLY}`;

test("kubernetes: with --monitor one pod runs the schedule, with a volume, probes and a Service", async () => {
  await withFiles({ "a.yaml": ALERTING, "health.yml": SETTINGS }, async (directory) => {
    const [recipe, health] = [join(directory, "a.yaml"), join(directory, "health.yml")];
    const options = ["--monitor", "--health", health];
    const objects = await objectsOf(recipe, ...options, "--public-url", "https://example.com");
    assert.deepEqual(kinds(objects), [
      ...["ConfigMap", "PersistentVolumeClaim", "Deployment", "Service"],
    ]);
    const [config, claim, { metadata, spec }, service] = objects;
    assert.equal(metadata.name, "checks");
    assert.deepEqual([spec.replicas, spec.strategy], [1, { type: "Recreate" }]);
    assert.deepEqual(service.spec.selector, spec.selector.matchLabels);
    const { metadata: { labels, annotations }, spec: pod } = spec.template;
    assert.deepEqual(labels, spec.selector.matchLabels);
    const [container] = pod.containers;
    assert.deepEqual(container.ports, [{ name: "page", containerPort: 9600 }]);
    for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) {
      assert.deepEqual(container[probe].httpGet, { path: "/healthz", port: "page" });
    }
    const [{ port, targetPort }] = service.spec.ports;
    assert.deepEqual([port, targetPort], [9600, container.ports[0].name]);
    assert.equal(pod.restartPolicy, "Always");
    // `always` and the last alerts have 15 seconds.
    assert.ok(pod.terminationGracePeriodSeconds >= 20);
    const args: string = container.args.join(" ");
    // The options are those of the command: a dry run reads them.
    const { code, err } = await runnerCli(
      args.replace("/recipes", recipe).replace("/settings/health.yaml", health).split(" ")
        .concat("--dry-run"),
      { env: { DISPATCH_PAGE_TOKEN: "x", LOGIN: "x", PAGER_KEY: "x" } },
    );
    assert.equal(code, 0, err);
    assert.match(args, /--history \/state\/health\.db .*--listen 0\.0\.0\.0:9600 /);
    assert.match(args, /--health \/settings\/health\.yaml --public-url https:\/\/example\.com$/);
    const mounts = container.volumeMounts.map(({ mountPath }: Resource) => mountPath);
    assert.deepEqual(mounts, ["/recipes", "/state", "/settings"]);
    assert.equal(pod.volumes[1].persistentVolumeClaim.claimName, claim.metadata.name);
    const [item] = pod.volumes[2].configMap.items;
    assert.equal(config.data[item.key], SETTINGS);
    const variables: Resource[] = container.env;
    assert.equal(variables.find(({ name }) => name === "SQLITE_TMPDIR").value, "/state");
    const references = variables.filter(({ valueFrom }) => valueFrom).map((one) => {
      const { key, optional } = one.valueFrom.secretKeyRef;
      return [one.name, key, optional];
    });
    assert.deepEqual(references, [
      ["DISPATCH_TOKEN", "token", undefined],
      ["DISPATCH_PAGE_TOKEN", "page-token", undefined],
      ["LOGIN", "LOGIN", undefined],
      ["PAGER_KEY", "PAGER_KEY", undefined],
      ["REGION", "REGION", true],
    ]);
    // Other settings need another pod; other recipes do not.
    await writeFile(health, `${SETTINGS}parallel: 2\n`);
    const [, , later] = await objectsOf(recipe, ...options);
    assert.notDeepEqual(later.spec.template.metadata.annotations, annotations);
    const command = ["manifest", "kubernetes", recipe, ...NEEDED, ...options];
    assert.match(
      (await runnerCli(command)).err,
      /^The Secret 'dispatch' needs the keys token, page-token, LOGIN, PAGER_KEY$/m,
    );
    // Each of the two has room in a ConfigMap, but not both: it is bytes that count.
    const half = `# ${"é".repeat(300_000)}\n`;
    await writeFile(recipe, ALERTING + half);
    await writeFile(health, SETTINGS + half);
    const { code: tooLarge, err: why } = await runnerCli(command);
    assert.equal(tooLarge, 2);
    assert.match(why, /larger than a ConfigMap may be/);
  });
});

test("what recipes declare comes from the Secret, or from those of GitHub, and only what they declare", async () => {
  const files = { "a.yaml": `secrets: [LOGIN]\nenv: [REGION]\n${NIGHTLY}`, "b.yaml": NIGHTLY };
  await withFiles(files, async (directory) => {
    const declared = (pod: Resource) =>
      pod.spec.containers[0].env.flatMap((one: Resource) => {
        const { name, key, optional } = one.valueFrom?.secretKeyRef ?? {};
        return key && key !== "token" ? [[one.name, name, key, optional]] : [];
      });
    const expected = [["LOGIN", "dispatch", "LOGIN", undefined], [
      ...["REGION", "dispatch", "REGION", true],
    ]];
    const [, , shards, merge] = await objectsOf(directory);
    assert.deepEqual(declared(shards.spec.template), expected);
    assert.deepEqual(declared(merge.spec.template), []);
    const [, a, b] = await objectsOf(directory, "--schedule");
    assert.deepEqual(declared(a.spec.jobTemplate.spec.template), expected);
    assert.deepEqual(declared(b.spec.jobTemplate.spec.template), []);
    const keys = "The Secret 'dispatch' needs the keys token, LOGIN\n";
    for (const more of [[], ["--schedule"]]) {
      const { err } = await runnerCli(["manifest", "kubernetes", directory, ...NEEDED, ...more]);
      assert.equal(err, keys);
    }
    const { out, err } = await runnerCli(["manifest", "github", directory]);
    assert.deepEqual([parse(out).jobs.shard.env, err], [
      { LOGIN: "${{ secrets.LOGIN }}" },
      "",
    ]);
    assert.equal(parse(out).jobs.merge.env, undefined);
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
    "alert.yaml": ALERTING,
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
      [
        ["github", directory, "--url", "nope"],
        /--url must be a ws\(s\) or http\(s\) URL, not 'nope'/,
      ],
      [["kubernetes", directory, "--image", "x", "--url", ""], /--url must be a ws/],
      [["kubernetes", directory, "--image", "", "--url", "ws://x"], /needs --image/],
      [
        ["kubernetes", directory, "--image", "x", "--url", "ws://x", "--shards", "10001"],
        /--shards: a plan has at most 10000 parts, not 10001/,
      ],
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
    table.push(
      [["github", directory, "--monitor"], /--monitor is for kubernetes only/],
      ...([
        [["a.yaml"], /--monitor: no recipe has a `schedule`/],
        [["last.yml", "--schedule"], /--monitor and --schedule exclude each other/],
        [["last.yml", "--wait=1m"], /--monitor and --wait exclude each other/],
        [["last.yml", "--public-url=x"], /--public-url must be an address without a path/],
        [["last.yml", "--name=1a"], /--name must begin with a letter, not '1a'/],
        [["alert.yaml"], /there is no target `pager`/],
        [["last.yml", "--health=none.yaml"], /none\.yaml/],
      ] as const).map(([[name, ...more], message]): [string[], RegExp] => [
        ["kubernetes", join(directory, name), ...NEEDED, "--monitor", ...more],
        message,
      ]),
      [["kubernetes", directory, ...NEEDED, "--health=x.yaml"], /--health needs --monitor/],
    );
    for (const [args, message] of table) {
      const { code, out, err } = await runnerCli(["manifest", ...args]);
      assert.equal(code, 2, `${args}: ${err}`);
      assert.equal(out, "");
      assert.match(err, message);
    }
  });
});
