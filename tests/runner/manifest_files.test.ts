// What the ConfigMap of `manifest kubernetes` holds, run as a pod runs it.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import type { RecipeEvent } from "../../runner/mod.ts";
import { writeConfigMap } from "../helpers/config_map.ts";
import { runnerCli } from "./_cli.ts";

const NEEDED = ["--image", "dispatch", "--url", "wss://example.com/dwp"];
const PASS = "steps: [{ assert: true }]\n";

/** Calls back with a directory that has files, also in directories of their own. */
async function withTree(
  files: Record<string, string>,
  use: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "manifest-"));
  try {
    await writeTree(directory, files);
    await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function writeTree(directory: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}

interface Pod {
  /** What the command line names. */
  paths: string[];
  /** The files of the ConfigMap, by their paths. */
  files: Record<string, string>;
  err: string;
  /** Runs the pod, and returns the names of the cases that passed. */
  run(): Promise<string[]>;
}

/** Makes the manifest of some paths, and what the kubelet makes of it. */
async function podOf(paths: readonly string[], ...args: string[]): Promise<Pod> {
  const { code, out, err } = await runnerCli([
    "manifest",
    "kubernetes",
    ...paths,
    ...NEEDED,
    ...args,
  ]);
  assert.equal(code, 0, err);
  const [config, _claim, job] = parseAllDocuments(out).map((document) => document.toJS());
  const { containers: [container], volumes: [volume] } = job.spec.template.spec;
  const items: { key: string; path: string }[] = volume.configMap.items;
  const files = Object.fromEntries(items.map(({ key, path }) => [path, config.data[key]]));
  const named: string[] = container.args.filter((arg: string) => arg.startsWith("/recipes"));
  return {
    ...{ files, err, paths: named },
    async run() {
      let passed: string[] = [];
      await withTree({}, async (directory) => {
        const mount = join(directory, "recipes");
        writeConfigMap(mount, files);
        const stream = join(directory, "stream.jsonl");
        const own = named.map((path) => path.replace("/recipes", mount));
        const ended = await runnerCli(["run", ...own, "--reporter", `jsonl=${stream}`]);
        assert.equal(ended.code, 0, ended.err);
        passed = (await readFile(stream, "utf8")).trimEnd().split("\n")
          .map((line) => JSON.parse(line) as RecipeEvent)
          .flatMap((event) =>
            event.type === "case.finished" ? [`${event.status} ${event.name}`] : []
          );
      });
      return passed.sort();
    },
  };
}

test("rows of `cases` are in the ConfigMap, beside the recipe or elsewhere", async () => {
  const recipe = (cases: string) =>
    `name: Row\nvars: { n: 0 }\ncases: ${cases}\nsteps: [{ assert: vars.n > 0 }]\n`;
  const files = {
    "smoke/a.yaml": recipe("rows.csv"),
    "smoke/rows.csv": "n\n1\n2\n",
    "smoke/b.yaml": recipe("../data/rows.yaml"),
    "data/rows.yaml": "- { n: 3 }\n",
    "smoke/c.yaml": recipe("rows.json"),
    "smoke/rows.json": '[{ "n": 4 }]',
  };
  await withTree(files, async (directory) => {
    const pod = await podOf([join(directory, "smoke")]);
    assert.deepEqual(pod.files, files);
    const names = ["n=1", "n=2", "n=3", "n=4"].map((row) => `passed Row [${row}]`);
    assert.deepEqual(await pod.run(), names);
    assert.deepEqual(pod.paths, ["/recipes", "/recipes/smoke"]);
  });
});

test("rows in YAML beside their recipe are no recipe of the directory", async () => {
  const files = {
    "a.yaml": "name: Row\nvars: { n: 0 }\ncases: rows.yaml\nsteps: [{ assert: vars.n > 0 }]\n",
    "rows.yaml": "- { n: 1 }\n",
  };
  await withTree(files, async (directory) => {
    const pod = await podOf([directory]);
    assert.deepEqual([pod.paths, await pod.run()], [["/recipes"], ["passed Row [n=1]"]]);
    const { code, err } = await runnerCli([directory, join(directory, "rows.yaml")]);
    assert.equal(code, 2);
    assert.match(err, /a recipe must be a map\n --> .*rows\.yaml/);
  });
});

test("a pod runs the recipes that are named, and not those that they use", async () => {
  const files = {
    "smoke.yaml": "name: Smoke\nsteps: [{ use: lib/login.yaml }]\n",
    "lib/login.yaml": `name: Login\n${PASS}`,
    "other.yaml": PASS,
  };
  await withTree(files, async (directory) => {
    const one = await podOf([join(directory, "smoke.yaml"), `${directory}/./smoke.yaml`]);
    assert.deepEqual(Object.keys(one.files).sort(), ["lib/login.yaml", "smoke.yaml"]);
    assert.deepEqual(await one.run(), ["passed Smoke"]);
    const all = await podOf([directory]);
    assert.deepEqual(all.paths, ["/recipes", "/recipes/lib"]);
    assert.equal((await all.run()).length, 3);
  });
});

const SCRIPT = `import { recipe } from "@dispatch/sdk/runner";
import { limit } from "./lib/limit.ts";
import type { Missing } from "./missing.ts";
export type { Other } from "./missing.ts";
import rows from "../data/rows.json" with { type: "json" };
// import "./old.ts" is no longer needed
export default recipe("One", (t) => Promise.resolve(t.expect(rows.length).toBe(limit)));
`;

test("modules that a recipe in TypeScript imports are in the ConfigMap", async () => {
  const files = {
    "recipes/shop.ts": SCRIPT,
    "recipes/lib/limit.ts": 'export {\n  limit,\n} from "./two.ts";\nawait import("./three.ts");\n',
    "recipes/lib/two.ts": "export const limit = 2;\n",
    "recipes/lib/three.ts": "",
    "data/rows.json": "[1, 2]",
  };
  await withTree({ ...files, "recipes/unused.ts": "" }, async (directory) => {
    const pod = await podOf([join(directory, "recipes/shop.ts")]);
    assert.deepEqual(pod.files, files);
    assert.deepEqual(pod.paths, ["/recipes/recipes/shop.ts"]);
    assert.match(pod.err, /has the files that they import, but not those that they read/);
    assert.deepEqual(await pod.run(), ["passed One"]);
  });
});

test("says which modules are not in the ConfigMap", async () => {
  const script = `import { recipe } from "@dispatch/sdk/runner";
if (Date.now() === 0) {
  await import("yaml");
  await import("./late.ts");
}
export default recipe("One", () => Promise.resolve());
`;
  await withTree({ "a.recipe.ts": script }, async (directory) => {
    const { err } = await podOf([directory]);
    assert.match(err, /^warning: '.*a\.recipe\.ts' imports 'yaml', which the image must have$/m);
    assert.match(
      err,
      /^warning: '.*a\.recipe\.ts' seems to import '\.\/late\.ts', which was not found$/m,
    );
    assert.equal(err.split("\n").length, 4);
  });
});

test("refuses a file that a ConfigMap cannot have, and says to use an image", async () => {
  const script = `import { recipe } from "@dispatch/sdk/runner";
import { limit } from "./limit.js";
export default recipe("One", () => Promise.resolve(limit));
`;
  const files = {
    "a/a.yaml": "vars: { text: '' }\ncases: rows.csv\nsteps: [{ assert: true }]\n",
    "a/rows.csv": `case,text\n${`x,${"x".repeat(130_000)}\n`.repeat(9)}`,
    "b/b.recipe.ts": script,
    "b/limit.js": `export const limit = 2;\n// ${"x".repeat(1 << 20)}`,
  };
  await withTree(files, async (directory) => {
    for (
      const [name, why] of [
        ["a", "rows\\.csv', the file of `cases`"],
        ["b", "limit\\.js', which '.*b\\.recipe\\.ts' imports"],
      ] as const
    ) {
      const args = ["manifest", "kubernetes", join(directory, name), ...NEEDED];
      const { code, out, err } = await runnerCli(args);
      assert.deepEqual([code, out], [2, ""]);
      assert.match(
        err,
        new RegExp(`^error: Cannot put '.*${why}, into a ConfigMap: .*; use an image`),
      );
    }
  });
});
