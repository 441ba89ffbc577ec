// Runs each program of the tables of permissions with exactly what they name, and checks that each
// permission is needed. Deno only: the other runtimes have no permissions.
import { deepEqual, equal, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { startServer } from "../helpers/server.ts";
import { filesBelow, read, readJson, ROOT } from "../project/sources.ts";

/** The rows of the tables of permissions: what is run, and the flags. */
const rows: [program: string, flags: string[]][] = [];
for (const page of (await filesBelow("docs")).filter((path) => path.endsWith(".md"))) {
  for (
    const [, program, flags] of (await read(page)).matchAll(/^\| (.+?) +\| `(--allow-.+?)` +\|$/gm)
  ) {
    rows.push([program!, flags!.split(" ")]);
  }
}

// A number that only the `yaml` package reads: it needs permissions, and not each recipe needs it.
const RECIPE = `name: R
vars: { n: 0x1 }
steps:
  - id: job
    enqueue: noop
  - wait: job
  - assert: vars.n == 1 && "a".matches("^a$")
`;
const SCRIPT = `import { recipe } from "@dispatch/sdk/runner";
export default recipe("R", async (t) => {
  const job = await t.enqueue("noop");
  await t.wait(job);
});
`;
const CLIENT = `import { Dispatch } from "@dispatch/sdk";
await using client = await Dispatch.connect({ url: "ws://HOST:PORT/dwp", token: "demo-token" });
await (await client.enqueue("noop")).wait({ timeout: 10_000 });
await (await client.startWorkflow("process-item", {})).get();
const events = await client.subscribe("jobs");
await events.unsubscribe();
console.log("done");
`;
const HTTP = `import { DispatchSse } from "@dispatch/sdk";
using client = new DispatchSse({ url: "http://HOST:PORT/dwp", token: "demo-token", maxRetries: 0 });
await client.stats();
const events = await client.subscribe("jobs");
await events.unsubscribe();
console.log("done");
`;
const SERVER = `import { createDevServer } from "@dispatch/sdk/dev";
import { DispatchRpc } from "@dispatch/sdk";
await using server = await createDevServer();
using client = new DispatchRpc({ url: server.url, token: "demo-token" });
await client.stats();
console.log("done");
`;
const TESTING =
  `import { createFaultProxy, createScriptedServer, createTestDispatch } from "@dispatch/sdk/testing";
import { Dispatch } from "@dispatch/sdk";
await using env = await createTestDispatch();
await env.client.stats();
await using server = await createScriptedServer(() => {});
await using proxy = await createFaultProxy({ target: server.url });
await using client = await Dispatch.connect({ url: proxy.url, token: "t" });
console.log("done");
`;

/** The programs of the tables, or the arguments of the runner. */
const PROGRAMS: Record<string, string> = {
  "a client": CLIENT,
  "a client over HTTP": HTTP,
  "`createDevServer()`": SERVER,
  "`createTestDispatch()` of `/testing`": TESTING,
};

const { exports } = await readJson<{ exports: Record<string, string> }>("deno.json");

/** Replaces the names of the entry points by their addresses: the program is outside the project. */
function withAddresses(source: string): string {
  return source.replace(/"@dispatch\/sdk(.*?)"/g, (_, entry) => {
    return JSON.stringify(pathToFileURL(join(ROOT, exports[`.${entry}`]!)).href);
  });
}

/** Calls `work` with a folder that has the recipes. */
async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "dispatch-permissions-"));
  try {
    await writeFile(join(folder, "recipe.yaml"), RECIPE);
    await writeFile(join(folder, "recipe.ts"), withAddresses(SCRIPT));
    await writeFile(join(folder, "rows.jsonl"), "{}\n");
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Without any flag about permissions, Deno gives a child of `node:child_process` all of its own. */
const CONFIG = ["--config", join(ROOT, "deno.json"), "--deny-ffi"];

/** Runs Deno in the folder; ends a server after it has said that it is ready. */
function deno(folder: string, args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [
      "run",
      "--no-prompt",
      "--no-check",
      "-q",
      ...CONFIG,
      ...args,
    ], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", DISPATCH_DEBUG: "" },
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
    let output = "";
    const add = (text: string) => {
      output += text;
      if (output.includes("For production use")) child.kill("SIGINT");
    };
    child.stdout.setEncoding("utf8").on("data", add);
    child.stderr.setEncoding("utf8").on("data", add);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}

/** Finds a port that is free now. */
async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

const DONE = /done|1 passed|1 recipe is valid|For production use|^connections|1 enqueued/m;

/** The programs that lack a permission must end with the name of what they may not use. */
const DENIED =
  /Requires (net|read|write|env) access|Deno may not use the network|Cannot write (?:file|journal)/;

const isDeno = "Deno" in globalThis;

test("the tables of permissions have a row for each program", { skip: !isDeno }, () => {
  for (const name of Object.keys(PROGRAMS)) ok(rows.some(([program]) => program === name), name);
  deepEqual(rows.length, 13);
});

for (const [program, flags] of rows) {
  test(
    `Deno needs exactly the permissions of the docs: ${program}`,
    { skip: !isDeno },
    async () => {
      await using server = await startServer();
      const { port: serverPort } = new URL(server.url);
      const port = program.startsWith("`dev") ? await freePort() : serverPort;
      await withFolder(async (folder) => {
        const fill = (text: string) =>
          text.replaceAll("HOST", "127.0.0.1").replaceAll("PORT", port).replaceAll(
            "REPORTS",
            folder,
          );
        const source = PROGRAMS[program];
        const file = join(folder, "program.ts");
        if (source) await writeFile(file, withAddresses(fill(source)));
        const args = source
          ? [file]
          : [join(ROOT, "runner.ts"), ...fill(program.slice(1, -1)).split(" ")];
        const all = flags.map(fill);
        // With a report instead of the console nothing is printed.
        const isSilent = program.includes("--reporter");
        const { code, output } = await deno(folder, [...all, ...args]);
        ok(isSilent || DONE.test(output), output);
        if (!program.startsWith("`dev")) equal(code, 0, output);
        for (const flag of all) {
          const fewer = all.filter((other) => other !== flag);
          const denied = await deno(folder, [...fewer, ...args]);
          ok(DENIED.test(denied.output), `without ${flag}: ${denied.output}`);
          ok(!denied.output.includes("Internal error"), denied.output);
        }
      });
    },
  );
}
