import { equal, match } from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { REPORTERS } from "../../runner/report/registry.ts";
import { toolsEnv } from "../run_tools.mjs";
import { type Registry, startRegistry } from "./_jsr.ts";
import { execute, tool } from "./_package.ts";

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

/** Runs Deno with nothing but the registry: it must succeed. Returns what it printed. */
async function deno(...args: string[]): Promise<string> {
  const env = {
    ...toolsEnv(),
    HOME: base,
    XDG_CACHE_HOME: undefined,
    DENO_DIR: join(base, "cache"),
    JSR_URL: registry.url,
  };
  const { code, output } = await execute(tool("deno"), args, join(base, "program"), env);
  equal(code, 0, output);
  return output;
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
  match(await readFile(join(root, "bin", "dispatch"), "utf8"), /jsr:@dispatch\/sdk/);
});
