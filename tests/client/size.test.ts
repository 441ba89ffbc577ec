import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { bundle, sizeOf } from "../../bench/_bundle.ts";

test("an application that imports `Dispatch` gets one chunk of at most 15 kB", async () => {
  const { first, later } = await bundle(`export { Dispatch } from "./mod.ts";`);
  equal(first.length, 1);
  const { gzipped } = sizeOf(first);
  ok(gzipped <= 15_000, `${gzipped} bytes, minified and gzipped`);
  equal(later.length, 1);
  match(later[0]!.entry!, /node_modules\/@msgpack\/msgpack\//);
});

test("an application that imports `DispatchRpc` gets one chunk of at most 5 kB", async () => {
  const { first, later } = await bundle(`export { DispatchRpc } from "./mod.ts";`);
  equal(first.length, 1);
  const { gzipped } = sizeOf(first);
  ok(gzipped <= 5_000, `${gzipped} bytes, minified and gzipped`);
  deepEqual(later, []);
});
