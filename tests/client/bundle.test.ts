import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { bundle, sizeOf } from "../../bench/_bundle.ts";
import { createScriptedServer } from "../../testing/mod.ts";
import { within } from "../helpers/eventually.ts";
import { serve, STATS } from "../helpers/scripts.ts";

const MSGPACK = "@msgpack/msgpack/dist.esm/index.mjs";

test("an application that imports `Dispatch` gets one chunk of at most 15 kB", async () => {
  const { first, later } = await bundle(`export { Dispatch } from "./mod.ts";`);
  assert.equal(first.length, 1);
  const { gzipped } = sizeOf(first);
  assert(gzipped <= 15_000, `${gzipped} bytes, minified and gzipped`);
  assert.equal(later.length, 1);
  assert(later[0]!.entry!.endsWith(MSGPACK), "only MessagePack is loaded later");
});

test("an application that imports `DispatchRpc` gets one chunk of at most 5 kB", async () => {
  const { first, later } = await bundle(`export { DispatchRpc } from "./mod.ts";`);
  assert.equal(first.length, 1);
  const { gzipped } = sizeOf(first);
  assert(gzipped <= 5_000, `${gzipped} bytes, minified and gzipped`);
  assert.deepEqual(later, []);
});

test("an application that imports `DispatchAdmin` gets one chunk of at most 6 kB", async () => {
  const { first, later } = await bundle(`export { DispatchAdmin } from "./mod.ts";`);
  assert.equal(first.length, 1);
  const { gzipped } = sizeOf(first);
  assert(gzipped <= 6_000, `${gzipped} bytes, minified and gzipped`);
  assert.deepEqual(later, []);
});

test("the other clients have nothing of `DispatchAdmin`", async () => {
  for (const name of ["Dispatch", "DispatchRpc", "DispatchSse"]) {
    const { first } = await bundle(`export { ${name} } from "./mod.ts";`);
    assert(first.every(({ text }) => !/admin API|replay-all/.test(text)), name);
  }
});

test("a client without the MessagePack package speaks JSON, and cannot connect with `msgpack`", async () => {
  const { first: [chunk] } = await bundle(`export { Dispatch } from "./mod.ts";`, [MSGPACK]);
  const folder = await mkdtemp(join(tmpdir(), "dispatch-bundle-"));
  try {
    const file = join(folder, "application.mjs");
    await writeFile(file, chunk!.text.replace(MSGPACK, "not-installed"));
    const { Dispatch }: typeof import("../../mod.ts") = await import(pathToFileURL(file).href);
    await using server = await createScriptedServer(serve);
    const options = { url: server.url, token: "t" };
    await using client = await within(Dispatch.connect(options), "connecting");
    assert.deepEqual(await within(client.stats(), "a call"), STATS);
    await assert.rejects(
      within(Dispatch.connect({ ...options, format: "msgpack" }), "connecting"),
      {
        name: "ConnectionError",
        code: "connect_failed",
        message: "Cannot load '@msgpack/msgpack'",
      },
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
