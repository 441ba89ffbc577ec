// What is loaded when it is first used, in a bundle whose chunks come late or never.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { bundle, type Chunk } from "../../bench/_bundle.ts";
import type { Dispatch, DispatchOptions } from "../../mod.ts";
import { createScriptedServer, type ScriptedServer } from "../../testing/mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { methodsOf, serve } from "../helpers/scripts.ts";

/** What a client needs to connect at all. */
const AT_ONCE = "runtime/terminate.ts";

let folder: string;
let chunks: Chunk[];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "dispatch-loading-"));
  chunks = await bundle(`export { Dispatch } from "./mod.ts";`);
});
after(() => rm(folder, { recursive: true }));

/** A client out of a bundle of its own, and what holds back all that it loads later. */
async function lateClient(
  how: "never" | "held",
  server: ScriptedServer,
  options: Partial<DispatchOptions> = {},
): Promise<{ client: Dispatch; release(): void; closed(): Promise<void> }> {
  const path = await mkdtemp(join(folder, "bundle-"));
  const gate = Promise.withResolvers<void>();
  const held = globalThis as unknown as Record<string, Promise<void>>;
  held[path] = gate.promise;
  for (const { name, text, isFirst, entry } of chunks) {
    const isLate = entry !== undefined && !isFirst && entry !== AT_ONCE;
    if (isLate && how === "never") continue;
    const wait = isLate ? `await globalThis[${JSON.stringify(path)}];` : "";
    await writeFile(join(path, name), wait + text);
  }
  await writeFile(join(path, "package.json"), `{"type":"module"}`);
  const url = pathToFileURL(join(path, "application.js")).href;
  const module = await import(url) as { Dispatch: typeof Dispatch };
  const client = new module.Dispatch({ url: server.url, token: "t", ...options });
  await within(client.connect(), "connecting");
  return {
    client,
    release: gate.resolve,
    async closed() {
      gate.resolve();
      await within(client.close(), "closing");
    },
  };
}

/** Each use of what is loaded late, and how it ends. */
const USES: Record<string, (client: Dispatch, signal?: AbortSignal) => Promise<unknown>> = {
  "subscribe()": (client, signal) => Promise.resolve(client.subscribe("jobs", { signal })),
  "reading subscribe()": (client, signal) =>
    client.subscribe("jobs", { signal })[Symbol.asyncIterator]().next(),
  "startWorkflow()": (client, signal) => client.startWorkflow("noop", {}, { signal }),
  "call('workflow.start')": (client, signal) => client.call("workflow.start", {}, { signal }),
  "job.wait()": (client, signal) => client.job("job_1").wait({ signal }),
  "run.wait()": (client, signal) => client.run("wfrun_1").wait({ signal }),
  "watch()": (client, signal) => client.watch("wfrun_1", { signal }).next(),
  "getJob()": (client, signal) => client.getJob("job_1", { signal }),
  "stats()": (client, signal) => client.stats({ signal }),
};

for (const [name, use] of Object.entries(USES)) {
  test(`${name} says that a part could not be loaded`, async () => {
    await using server = await createScriptedServer(serve);
    const { client, closed } = await lateClient("never", server);
    await assert.rejects(within(use(client), name), (error: Error & { code?: unknown }) => {
      assert.equal(error.name, "DispatchError");
      assert.equal(error.code, "load_failed");
      assert.match(error.message, /^Cannot .+: a part of the client could not be loaded$/);
      assert.ok(error.cause instanceof Error);
      return true;
    });
    // The rest goes on.
    assert.equal((await within(client.enqueue("noop"), "an enqueue")).queue, "default");
    await closed();
  });

  test(`${name} can be aborted while a part is being loaded`, async () => {
    await using server = await createScriptedServer(serve);
    const { client, closed } = await lateClient("held", server);
    const controller = new AbortController();
    const used = use(client, controller.signal);
    used.catch(() => {});
    await breathe();
    const reason = new Error("enough");
    controller.abort(reason);
    await assert.rejects(within(used, name), (error) => error === reason);
    await closed();
  });
}

for (const name of ["startWorkflow()", "call('workflow.start')", "job.wait()", "run.wait()"]) {
  test(`${name} ends when the client is closed while a part is being loaded`, async () => {
    await using server = await createScriptedServer(serve);
    const { client, release } = await lateClient("held", server);
    const used = USES[name]!(client);
    used.catch(() => {});
    await breathe();
    await within(client.close(), "closing");
    await assert.rejects(within(used, name), { name: "ConnectionError", code: "closed" });
    release();
    await breathe();
    assert.equal(server.peers.length, 1);
  });
}

test("a wait's deadline counts while a part is being loaded", async () => {
  await using server = await createScriptedServer(serve);
  const { client, closed } = await lateClient("held", server);
  await assert.rejects(within(client.job("job_1").wait({ timeout: 30 }), "the wait"), {
    name: "TimeoutError",
    message: "Cannot wait for job 'job_1': the deadline passed",
  });
  await assert.rejects(within(client.stats({ timeout: 30 }), "stats"), { name: "TimeoutError" });
  await closed();
});

test("a subscription leaves before what is called after it, and nothing is lost", async () => {
  await using server = await createScriptedServer(serve);
  const { client, release, closed } = await lateClient("held", server);
  const before = client.enqueue("noop");
  const jobs = client.subscribe("jobs")[Symbol.asyncIterator]();
  const first = jobs.next();
  const after = client.publishEvent("paid");
  const workflows = client.subscribe("workflows");
  const last = client.enqueue("noop");
  await within(before, "what was called before");
  await breathe();
  const [peer] = server.peers;
  assert.deepEqual(methodsOf(peer).slice(1), ["job.enqueue"]);
  release();
  await within(Promise.all([after, workflows, last]), "what was called after");
  const methods = methodsOf(peer).slice(2);
  assert.ok(methods.lastIndexOf("subscribe") < methods.indexOf("workflow.event"), `${methods}`);
  assert.ok(methods.indexOf("workflow.event") < methods.indexOf("job.enqueue"), `${methods}`);
  const data = { job_id: "job_1", job_name: "noop", queue: "default" };
  peer!.publish("job.enqueued", "job:job_1", data);
  assert.equal((await within(first, "the event")).value?.type, "job.enqueued");
  await closed();
});

test("a client can be closed while what reads its channels is being loaded", async () => {
  await using server = await createScriptedServer(serve);
  const { client, release } = await lateClient("held", server);
  const subscription = client.subscribe("jobs");
  const confirmed = Promise.resolve(subscription);
  confirmed.catch(() => {});
  const states = client.status();
  const read = Array.fromAsync(client.subscribe("workflows"));
  const call = client.stats();
  call.catch(() => {});
  await within(client.close(), "closing");
  assert.deepEqual(await within(read, "what is read"), []);
  await assert.rejects(within(call, "the call"), { name: "ConnectionError", code: "closed" });
  await assert.rejects(within(confirmed, "the subscription"), { code: "closed" });
  release();
  const types = (await within(Array.fromAsync(states), "the status")).map(({ type }) => type);
  assert.deepEqual(types, ["connected", "closed"]);
  await eventually(() => !server.peers[0]!.isOpen);
});
