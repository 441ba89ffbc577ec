import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { createDevServer, referenceWorkload } from "../../dev/mod.ts";
import { REPORTERS } from "../../runner/report/registry.ts";
import { launch, openPage, servePage } from "../browser/_page.ts";
import { Collector } from "../report/_collector.ts";
import { findChromium, NO_CHROMIUM } from "../run_chromium.mjs";
import { type Installed, installPackage, nodeOf, tool } from "./_package.ts";
import { testingProgram } from "./_programs.ts";

const PROGRAM = `
import { Dispatch } from "@dispatch/sdk";
import { createDevServer, referenceWorkload } from "@dispatch/sdk/dev";
import { recipe } from "@dispatch/sdk/runner";
import { createTestDispatch } from "@dispatch/sdk/testing";

const server = await createDevServer(referenceWorkload());
const client = await Dispatch.connect({ url: server.url, token: "demo-token" });
const job = await client.enqueue("send-email", { to: "a@example.com", subject: "Hello" });
const { state }: { state: string } = await job.wait({ timeout: 10_000 });
await client.close();
await server.close();
console.log(state, typeof recipe, typeof createTestDispatch);
`;

const RECIPE = `
import { recipe } from "@dispatch/sdk/runner";
export default recipe("Order", async (t) => {
  const order = await t.start("order-payment", { order_id: "ORD-7" });
  await t.publish("payment-received", { order_id: "ORD-7" });
  await t.wait(order, { until: "completed", within: "30s" });
});
`;

const WORKLOAD = `
import { defineJob } from "@dispatch/sdk/dev";
export const greet = defineJob("greet", () => {});
`;

const GREET = "steps:\n  - { id: hello, enqueue: greet }\n  - wait: hello\n";

/** How each runtime runs a module of JavaScript or TypeScript. */
const RUNTIMES: Record<string, string[]> = {
  "Node 26": [nodeOf("node")],
  "Node 24": [nodeOf("node-24")],
  Bun: [tool("bun"), "--bun"],
};
const COMMAND = "node_modules/.bin/dispatch";

let installed: Installed;

before(async () => {
  installed = await installPackage();
  await installed.write("program.ts", PROGRAM);
  await installed.write("testing.ts", testingProgram("@dispatch/sdk"));
  await installed.write("order.recipe.ts", RECIPE);
  await installed.write("workload.ts", WORKLOAD);
  await installed.write("greet.yaml", GREET);
});

after(() => installed?.[Symbol.asyncDispose]());

/** Runs a program that must succeed, and returns what it printed. */
async function succeed(command: string[], ...args: string[]): Promise<string> {
  const { code, output } = await installed.run(command[0]!, ...command.slice(1), ...args);
  equal(code, 0, output);
  return output;
}

for (const [name, runtime] of Object.entries(RUNTIMES)) {
  const dispatch = (...args: string[]) => succeed([...runtime, COMMAND], ...args);

  test(`a program imports every entry point on ${name}`, async () => {
    equal(await succeed(runtime, "program.ts"), "completed function function\n");
  });

  test(`the command writes a first recipe, checks it and runs it on ${name}`, async () => {
    const directory = name.replace(" ", "-");
    await dispatch("init", directory);
    await dispatch("check", directory);
    match(await dispatch(`${directory}/recipes`), /1 passed/);
  });

  test(`a recipe in TypeScript runs on ${name}, by the command and as a program`, async () => {
    match(await dispatch("order.recipe.ts"), /1 passed/);
    match(await succeed(runtime, "order.recipe.ts"), /1 passed/);
  });

  test(`a recipe runs against a workload in TypeScript on ${name}`, async () => {
    match(await dispatch("greet.yaml", "--dev", "workload.ts"), /1 passed/);
  });

  test(`a test of a workflow runs on ${name}`, async () => {
    equal(await succeed(runtime, "testing.ts"), "completed\n");
  });

  test(`a server of its own serves a workload in TypeScript on ${name}`, async () => {
    const [program, ...args] = [...runtime, COMMAND, "dev", "workload.ts", "--port", "0"];
    await using server = await installed.serve(program!, ...args);
    match(await dispatch("greet.yaml", "--url", server.url, "--token", "demo-token"), /1 passed/);
  });

  test(`spans and metrics reach a collector from ${name}`, async () => {
    await using collector = await Collector.start();
    const endpoint = `OTEL_EXPORTER_OTLP_ENDPOINT=${collector.url}`;
    await succeed(["env", endpoint, ...runtime, COMMAND], "greet.yaml", "--dev", "workload.ts");
    ok(collector.spans().length > 0);
    ok(collector.points().length > 0);
  });

  test(`every reporter writes its report on ${name}`, async () => {
    const files = Object.keys(REPORTERS).filter((reporter) => reporter !== "otel");
    const reports = files.map((reporter) => `${name.replace(" ", "-")}.${reporter}`);
    const options = files.flatMap((reporter, i) => ["--reporter", `${reporter}=${reports[i]}`]);
    await dispatch("greet.yaml", "--dev", "workload.ts", ...options);
    for (const report of reports) {
      const text = await readFile(join(installed.directory, report), "utf8");
      // Annotations are about failures only.
      equal(text.includes("greet"), !report.endsWith(".github"), report);
    }
  });
}

test("a Node that is too old says in one line what is needed", async () => {
  const { code, output } = await installed.run(nodeOf("node-20"), COMMAND, "greet.yaml");
  equal(code, 2);
  match(output, /^error: dispatch needs Node 24 or newer; this is Node 20\.\d+\.\d+\n$/);
});

for (const [module, resolution] of [["nodenext", "nodenext"], ["esnext", "bundler"]]) {
  test(`the declarations have no mistakes with moduleResolution ${resolution}`, async () => {
    const flags = ["--noEmit", "--ignoreConfig", "--strict", "--exactOptionalPropertyTypes"];
    const modules = ["--module", module!, "--moduleResolution", resolution!, "--target", "es2022"];
    await succeed([nodeOf("node"), tool("tsc")], ...flags, ...modules, "program.ts");
  });
}

test("publint and Are The Types Wrong find nothing", async () => {
  const lint = await succeed(
    [nodeOf("node"), tool("publint")],
    "node_modules/@dispatch/sdk",
    "--level",
    "warning",
  );
  match(lint, /All good/);
  await succeed([nodeOf("node"), tool("attw")], installed.archive, "--profile", "esm-only");
});

test("the package has no source, no test and no dependency of development", async () => {
  const base = join(installed.directory, "node_modules", "@dispatch", "sdk");
  const files = await readdir(base, { recursive: true });
  deepEqual(files.filter((path) => /(?<!\.d)\.ts$|\.map$|test\.|\.css$/.test(path)), []);
  for (const text of ["README.md", "LICENSE", "CHANGELOG.md"]) ok(files.includes(text), text);
  const manifest = JSON.parse(await readFile(join(base, "package.json"), "utf8"));
  for (const key of ["private", "devDependencies", "scripts"]) ok(!(key in manifest), key);
});

const APPLICATION = `
import { Dispatch } from "@dispatch/sdk";

globalThis.runJob = async (url) => {
  const client = await Dispatch.connect({ url, token: "demo-token" });
  const job = await client.enqueue("send-email", { to: "a@example.com", subject: "Hello" });
  const { state } = await job.wait({ timeout: 10_000 });
  await client.close();
  return state;
};
`;

const PAGE = '<!doctype html><script type="module" src="/application.js"></script>';

/** The only script that Vite has written. */
async function builtScript(directory: string): Promise<string> {
  const assets = join(directory, "dist", "assets");
  const scripts = (await readdir(assets)).filter((name) => /^index.*\.js$/.test(name));
  equal(scripts.length, 1);
  return await readFile(join(assets, scripts[0]!), "utf8");
}

/** The code that Vite has built from an application; it is built once. */
let built: Promise<string> | undefined;

async function build(): Promise<string> {
  await installed.write("application.js", APPLICATION);
  await installed.write("index.html", PAGE);
  const { code, output } = await installed.run(nodeOf("node"), tool("vite"), "build");
  equal(code, 0, output);
  ok(!output.includes("externalized for browser"), output);
  return await builtScript(installed.directory);
}

test("an application that Vite builds from the package has no module of Node in it", async () => {
  const script = await (built ??= build());
  ok(!script.includes("node:"));
});

const skip = findChromium() === undefined && process.env["CI"] === undefined && NO_CHROMIUM;

test("an application that Vite builds from the package works in a browser", { skip }, async () => {
  await using server = await createDevServer(referenceWorkload());
  await using site = await servePage(await (built ??= build()));
  const browser = await launch();
  try {
    const [page, errors] = await openPage(browser, site.url);
    equal(await page.evaluate(`runJob(${JSON.stringify(server.url)})`), "completed");
    equal(errors.length, 0, String(errors[0]));
  } finally {
    await browser.close();
  }
});
