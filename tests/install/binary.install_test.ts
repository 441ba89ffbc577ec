import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import process from "node:process";
import { dirname, join } from "node:path";
import { binaryName, buildBinary, hostPlatform, PLATFORMS } from "../../packaging/binary.ts";
import { REPORTERS } from "../../runner/report/registry.ts";
import { type Ended, execute } from "./_package.ts";

const ORDER = `
name: Order
steps:
  - { id: order, start: order-payment, input: { order_id: ORD-7 } }
  - { publish: payment-received, payload: { order_id: ORD-7 } }
  - { wait: order, until: completed, within: 30s }
`;

/** Imports all entry points, and a package that lies beside it. */
const RECIPE = `
import { Dispatch } from "@dispatch/sdk";
import { referenceWorkload } from "@dispatch/sdk/dev";
import { recipe, RecipeScript } from "@dispatch/sdk/runner";
import { createTestDispatch } from "@dispatch/sdk/testing";
import { subject } from "beside";
import { limit } from "./limit.ts";

const entries = [Dispatch, referenceWorkload, RecipeScript, createTestDispatch];
export default recipe("Order", async (t) => {
  t.expect(entries.map((entry) => typeof entry)).toEqual(entries.map(() => "function"));
  const job = await t.enqueue("send-email", { to: "a@example.com", subject });
  await t.wait(job, { within: limit });
});
`;

const WORKLOAD = `
import { defineJob } from "@dispatch/sdk/dev";
export const greet = defineJob("greet", () => {});
`;

const FILES: Record<string, string> = {
  "order.yaml": ORDER,
  "order.recipe.ts": RECIPE,
  "limit.ts": `import type { Job } from "@dispatch/sdk";\nexport const limit: string = "30s";\n`,
  "workload.ts": WORKLOAD,
  "greet.yaml": "steps:\n  - { id: hello, enqueue: greet }\n  - wait: hello\n",
  "node_modules/beside/package.json": `{ "name": "beside", "exports": "./lib/main.js" }`,
  "node_modules/beside/lib/main.js": `export const subject = "Hello";`,
  // What is installed for types only must not take the place of what the executable brings.
  "node_modules/@dispatch/sdk/package.json":
    `{ "name": "@dispatch/sdk", "type": "module", "exports": { "./runner": "./runner.js" } }`,
  "node_modules/@dispatch/sdk/runner.js": `export const recipe = () => "another copy";`,
};

const platform = hostPlatform();
/** Settings for all programs. */
const env: Record<string, string | undefined> = { PATH: "", SystemRoot: process.env.SystemRoot };
let base: string;
let directory: string;

before(async () => {
  base = await mkdtemp(join(tmpdir(), "dispatch-binary-"));
  directory = join(base, "program");
  env.HOME = join(base, "home");
  await mkdir(env.HOME);
  for (const [path, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  if (platform !== undefined) await symlink(buildBinary(platform, base), join(base, "dispatch"));
});

after(() => rm(base, { recursive: true }));

/** Runs the executable without settings, and without any runtime on the `PATH`. */
function dispatch(...args: string[]): Promise<Ended> {
  return execute(join(base, "dispatch"), args, directory, env);
}

async function succeed(...args: string[]): Promise<string> {
  const { code, output } = await dispatch(...args);
  equal(code, 0, output);
  return output;
}

test("there is a name for the executable of every platform", () => {
  const names = (Object.keys(PLATFORMS) as (keyof typeof PLATFORMS)[]).map(binaryName);
  equal(new Set(names).size, names.length);
  deepEqual(names.filter((name) => name.endsWith(".exe")), ["dispatch-windows-x64.exe"]);
});

const skip = platform === undefined && "no executable is built for this machine";

test("an executable runs recipes where no runtime is installed", { skip }, async () => {
  match(await succeed("order.yaml"), /1 passed/);
  equal(await succeed("--version"), `dispatch ${await version()}\n`);
  match(await succeed("init", "first"), /Next, run the recipe: \S+dispatch first\/recipes/);
  match(await succeed("check", "first"), /1 recipe is valid/);
  deepEqual(await readdir(join(base, "home")), []);
});

test("an executable brings @dispatch/sdk for recipes in TypeScript", { skip }, async () => {
  match(await succeed("order.recipe.ts"), /1 passed/);
});

test("an executable runs a workload, every reporter and a history", { skip }, async () => {
  const files = Object.keys(REPORTERS).filter((reporter) => reporter !== "otel");
  const options = files.flatMap((reporter) => ["--reporter", `${reporter}=reports/${reporter}`]);
  await succeed("greet.yaml", "--dev", "workload.ts", "--history", "runs.db", ...options);
  for (const reporter of files) {
    const text = await readFile(join(directory, "reports", reporter), "utf8");
    // Annotations are about failures only.
    equal(text.includes("greet"), reporter !== "github", reporter);
  }
  match(await succeed("history", "--history", "runs.db"), /1 run, 1 passed/);
});

test("an executable exports traces and metrics", { skip }, async () => {
  const requests = new Set<string | undefined>();
  const server = createServer(({ url }, response) => {
    requests.add(url);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${port}`;
  await succeed("order.yaml", "--reporter", "otel");
  server.close();
  delete env.OTEL_EXPORTER_OTLP_ENDPOINT;
  deepEqual([...requests].sort(), ["/v1/metrics", "/v1/traces"]);
});

test("an executable reads no settings in the working directory", { skip }, async () => {
  await writeFile(join(directory, "bunfig.toml"), `preload = ["./first.ts"]\n`);
  await writeFile(join(directory, "first.ts"), `console.log("ran first");\n`);
  await writeFile(join(directory, ".env"), "DISPATCH_URL=ws://127.0.0.1:1/dwp\n");
  const output = await succeed("order.yaml");
  ok(!output.includes("ran first"), output);
});

test("an executable says where an import is that it cannot find", { skip }, async () => {
  const text = `import { name } from "missing";\n${RECIPE.replace(`"Order"`, "name")}`;
  await writeFile(join(directory, "broken.recipe.ts"), text);
  const { code, output } = await dispatch("broken.recipe.ts");
  equal(code, 2);
  match(output, /Cannot find package 'missing'.*\n --> broken\.recipe\.ts:1:23\n/);
  const missing = await dispatch("greet.yaml", "--dev", "missing.ts");
  match(missing.output, /the import failed: Cannot find module '[^']*missing\.ts'\n/);
});

async function version(): Promise<string> {
  return JSON.parse(await readFile("package.json", "utf8")).version;
}
