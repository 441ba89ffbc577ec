import assert from "node:assert/strict";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createDevServer, loadWorkload, serve, type ServeOptions } from "../../dev/mod.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { Wire } from "./wire.ts";

const MODULE = new URL("../../dev/mod.ts", import.meta.url).href;

/** Starts `serve` and collects the lines it prints. */
function run(options: Partial<ServeOptions>) {
  const lines: string[] = [];
  const stop = new AbortController();
  let wake = () => {};
  const done = serve({
    port: 0,
    ...options,
    signal: stop.signal,
    print: (line) => {
      lines.push(line);
      wake();
    },
  });
  return {
    lines,
    /** Returns the first line that matches, waiting for it if necessary. */
    line: async (pattern: RegExp): Promise<string> => {
      for (;;) {
        const found = lines.find((line) => pattern.test(line));
        if (found !== undefined) return found;
        await Promise.race([new Promise<void>((resolve) => wake = resolve), done]);
      }
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await done;
    },
  };
}

async function directory() {
  const path = await mkdtemp(join(tmpdir(), "dispatch-"));
  return {
    write: async (name: string, text: string): Promise<string> => {
      const file = join(path, name);
      // Replaced as editors do it, so that no reader sees half of the file.
      await writeFile(`${file}.tmp`, text.replaceAll("@dispatch/sdk/dev", MODULE));
      await rename(`${file}.tmp`, file);
      return file;
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}

test("without a file it serves the reference workload and prints the URL on its own line", async () => {
  await using it = run({});
  const url = await it.line(/^ws:/);
  assert.match(url, /^ws:\/\/127\.0\.0\.1:\d+\/dwp$/);
  await it.line(/For production use a Dispatch server: https:/);
  const text = it.lines.join("\n");
  for (const token of ["demo-token", "readonly", "other"]) assert.ok(text.includes(token), token);
  for (const name of ["send-email", "flaky", "order-payment", "batch-process"]) {
    assert.ok(text.includes(name), name);
  }
  assert.match(text, /kept in memory only/);
  await using wire = await Wire.connect(url);
  assert.equal((await wire.call("workflow.start", { name: "parallel" })).state, "completed");
});

test("it stops when its signal aborts", async () => {
  let url: string;
  {
    await using it = run({});
    url = await it.line(/^ws:/);
  }
  await assert.rejects(Wire.open(url));
});

test("rejects with `port_taken` and names the port", async () => {
  await using server = await createDevServer();
  const { port } = server;
  await assert.rejects(serve({ port, signal: new AbortController().signal, print: () => {} }), {
    code: "port_taken",
    port,
    message: `Cannot listen on 127.0.0.1:${port}: the port is already in use`,
  });
});

test("it finds definitions in every kind of export, and masks tokens", async () => {
  await using folder = await directory();
  const file = await folder.write(
    "orders.ts",
    `import { defineCron, defineJob, defineWorkflow } from "@dispatch/sdk/dev";
    export const one = defineJob("one", () => {});
    export const more = [defineJob("two", { queue: "other" }, () => {})];
    export const workflows = { w: defineWorkflow("w", () => {}) };
    export const tokens = { "a-secret-token": { scopes: ["*"] } };
    export default [defineCron("c", { schedule: "@daily", job: "one" })];`,
  );
  await using it = run({ file });
  const url = await it.line(/^ws:/);
  await it.line(/production/);
  const text = it.lines.join("\n");
  assert.match(text, /jobs +two, one\n/);
  assert.match(text, /workflows +w\n/);
  assert.match(text, /crons +c\n/);
  assert.ok(!text.includes("a-secret-token"));
  assert.ok(!text.includes("demo-token"));
  await using wire = await Wire.connect(url, "a-secret-token");
  await wire.call("subscribe", { channel: "jobs" });
  await wire.call("job.enqueue", { name: "two" });
  assert.equal(
    (await wire.event("job.completed")).data.queue,
    "other",
    "the workers read the job's queue",
  );
});

test("rejects with `bad_workload` when the file cannot be imported or has no definitions", async () => {
  await using folder = await directory();
  const empty = await folder.write("empty.ts", "export const answer = 42;");
  const broken = await folder.write("broken.ts", "export const = ;");
  await assert.rejects(loadWorkload(empty), {
    code: "bad_workload",
    message: `Cannot load workload '${empty}': it exports no job, workflow or cron entry`,
  });
  for (const file of [broken, join(empty, "..", "missing.ts")]) {
    await assert.rejects(loadWorkload(file), (error: Error & { code?: string }) => {
      assert.equal(error.code, "bad_workload");
      assert.ok(error.message.startsWith(`Cannot load workload '${file}': the import failed: `));
      assert.ok(error.cause instanceof Error);
      return true;
    });
  }
});

test("with `watch` it reloads a file that changes, and connections stay open", async () => {
  await using folder = await directory();
  const source = (answer: string) =>
    `import { defineWorkflow } from "@dispatch/sdk/dev";
    export const w = defineWorkflow("w", (wf) => wf.step("${answer}", () => {}));`;
  const file = await folder.write("flow.ts", source("old"));
  const clock = new FakeClock();
  await using it = run({ file, watch: true, clock });
  const lineAfterChange = (pattern: RegExp) => clock.runUntil(it.line(pattern), 60);
  await using wire = await Wire.connect(await it.line(/^ws:/));
  const step = async (): Promise<string> => {
    const { run_id } = await wire.call("workflow.start", { name: "w" });
    return (await wire.call("workflow.timeline", { run_id }))[0].step_name;
  };
  assert.equal(await step(), "old");
  await folder.write("flow.ts", source("new"));
  await lineAfterChange(/^flow\.ts reloaded; work in progress continues/);
  assert.equal(await step(), "new");
  await folder.write("flow.ts", "export const = ;");
  await lineAfterChange(/^flow\.ts not reloaded, its last version stays: Cannot load workload/);
  assert.equal(await step(), "new");
  await folder.write("helper.ts", "export {};");
  await lineAfterChange(/^helper\.ts changed: restart to reload files that flow\.ts imports/);
});

test("it prints the faults and their seed", async () => {
  await using it = run({ faults: [{ do: "cut", when: { after: 10 } }], seed: 7 });
  assert.equal((await it.line(/faults/)).trim(), "faults     cut; seed 7");
});
