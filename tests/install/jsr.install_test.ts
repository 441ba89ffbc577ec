import { deepEqual, equal, match, ok } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { REPORTERS } from "../../runner/report/registry.ts";
import { Collector } from "../report/_collector.ts";
import { ROOT, toolsEnv } from "../run_tools.mjs";
import { type Registry, startRegistry } from "./_jsr.ts";
import { testingProgram } from "./_programs.ts";
import { execute, startServing, tool } from "./_package.ts";

const RECIPE = `
import { recipe } from "@dispatch/sdk/runner";
export default recipe("Order", async (t) => {
  const order = await t.start("order-payment", { order_id: "ORD-7" });
  await t.publish("payment-received", { order_id: "ORD-7" });
  await t.wait(order, { until: "completed", within: "30s" });
});
`;

const PROGRAM = `
import { Dispatch } from "jsr:@dispatch/sdk";
import { createDevServer, referenceWorkload } from "jsr:@dispatch/sdk/dev";
import { createTestDispatch } from "jsr:@dispatch/sdk/testing";
await using server = await createDevServer(referenceWorkload());
await using client = await Dispatch.connect({ url: server.url, token: "demo-token" });
const job = await client.enqueue("send-email", { to: "a@example.com", subject: "Hello" });
const { state } = await job.wait({ timeout: 10_000 });
console.log(state, typeof createTestDispatch);
`;

/** What `deno doc --json` says about a module. */
interface DocumentedModule {
  module_doc?: { doc?: string };
  symbols: {
    name: string;
    declarations: { kind: string; declarationKind: string; jsDoc?: { doc?: string } }[];
  }[];
}

let registry: Registry;
let base: string;

before(async () => {
  registry = await startRegistry();
  base = await mkdtemp(join(tmpdir(), "dispatch-jsr-"));
  await mkdir(join(base, "program"));
});

after(async () => {
  await registry?.[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});

/** The environment of a user who has nothing but the registry. */
function environment(more: Record<string, string> = {}): Record<string, string | undefined> {
  return {
    ...toolsEnv(),
    HOME: base,
    XDG_CACHE_HOME: undefined,
    DENO_DIR: join(base, "cache"),
    JSR_URL: registry.url,
    ...more,
  };
}

/** Runs a program that must succeed, and returns what it printed. */
async function succeed(
  command: string,
  args: string[],
  more: Record<string, string> = {},
): Promise<string> {
  const { code, output } = await execute(command, args, join(base, "program"), environment(more));
  equal(code, 0, output);
  return output;
}

/** Runs Deno, which must succeed, and returns what it printed. */
function deno(...args: string[]): Promise<string> {
  return succeed(tool("deno"), args);
}

const CLI = ["run", "-A", "jsr:@dispatch/sdk/cli"];

test("Deno runs the command from the registry in an empty directory", async () => {
  await deno(...CLI, "init");
  await deno(...CLI, "check", "recipes");
  match(await deno(...CLI, "recipes"), /1 passed/);
});

test("Deno writes every report with the package of the registry", async () => {
  const names = Object.keys(REPORTERS).filter((name) => name !== "otel");
  const options = names.flatMap((name) => ["--reporter", `${name}=report.${name}`]);
  await deno(...CLI, "recipes", ...options);
  for (const name of names) {
    const text = await readFile(join(base, "program", `report.${name}`), "utf8");
    // Annotations are about failures only.
    equal(text.includes("First"), name !== "github", name);
  }
});

test("a program imports the client, the server and the tests' part from the registry", async () => {
  await writeFile(join(base, "program", "program.ts"), PROGRAM);
  match(await deno("run", "-A", "--check", "program.ts"), /completed function\n$/);
});

test("a test of a workflow runs with the package of the registry", async () => {
  await writeFile(join(base, "program", "testing.ts"), testingProgram("jsr:@dispatch/sdk"));
  match(await deno("run", "-A", "testing.ts"), /completed\n$/);
});

test("a server of its own serves recipes of another process", async () => {
  const args = [...CLI, "dev", "--port", "0"];
  await using server = await startServing(
    tool("deno"),
    args,
    join(base, "program"),
    environment(),
  );
  const { url } = server;
  match(await deno(...CLI, "recipes", "--url", url, "--token", "demo-token"), /1 passed/);
});

test("spans and metrics reach a collector", async () => {
  await using collector = await Collector.start();
  await succeed(tool("deno"), [...CLI, "recipes"], { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  ok(collector.spans().length > 0);
  ok(collector.points().length > 0);
});

test("`deno add` adds the package, and a recipe in TypeScript imports it", async () => {
  await writeFile(join(base, "program", "order.recipe.ts"), RECIPE);
  await deno("add", "jsr:@dispatch/sdk");
  match(await deno(...CLI, "order.recipe.ts"), /1 passed/);
  match(await deno("run", "-A", "order.recipe.ts"), /1 passed/);
});

test("`deno install -g` makes a command of it", async () => {
  const root = join(base, "installed");
  const options = ["install", "-g", "-A", "--root", root, "-n", "dispatch"];
  await deno(...options, "jsr:@dispatch/sdk/cli");
  match(await succeed(join(root, "bin", "dispatch"), ["recipes"]), /1 passed/);
});

// JSR also scores a description and the supported runtimes, which its site asks for, and provenance,
// which publishing from a workflow adds.
test("the package has every point of JSR's score that depends on its files", async () => {
  const { exports } = JSON.parse(await readFile(join(ROOT, "deno.json"), "utf8"));
  const entries = Object.values<string>(exports);
  // It has no slow types: with some, the registry of these tests would not have started.
  ok(registry.files.includes("README.md"));
  match(await readFile(join(ROOT, "README.md"), "utf8"), /^```/m);
  const args = ["doc", "--json", ...entries];
  const { stdout } = spawnSync(tool("deno"), args, {
    cwd: ROOT,
    env: toolsEnv(),
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  const modules = Object.values(JSON.parse(stdout).nodes) as DocumentedModule[];
  equal(modules.length, entries.length);
  ok(modules.every(({ module_doc }) => module_doc?.doc));
  const exported = modules.flatMap(({ symbols }) =>
    symbols.flatMap(({ name, declarations }) =>
      declarations.filter(({ declarationKind }) => declarationKind === "export")
        .map(({ kind, jsDoc }) => ({ name, kind, doc: jsDoc?.doc }))
    )
  );
  // Where an entry point exports a symbol of another one, its documentation is there.
  const own = exported.filter(({ kind }) => kind !== "reference");
  deepEqual(own.filter(({ doc }) => !doc), []);
  ok(own.length / exported.length > 0.8, "JSR counts the others as symbols without documentation");
});
