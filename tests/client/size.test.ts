import { ok } from "node:assert/strict";
import { test } from "node:test";
import { bundle, sizeOf } from "../../bench/_bundle.ts";

test("an application that imports Dispatch loads less than 9,000 bytes at its start", async () => {
  const chunks = await bundle(`export { Dispatch } from "./mod.ts";`);
  const first = chunks.filter(({ isFirst }) => isFirst);
  const { gzipped } = sizeOf(first);
  ok(gzipped < 9_000, `it is ${gzipped} bytes, minified and gzipped`);
  ok(first.length <= 2, `it comes in ${first.length} pieces`);
});
