import { equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { RunnerProcess } from "../runner/_process.ts";

test("a process that ends at once gives the cursor back", async () => {
  const runner = new RunnerProcess(["tests/report/_end_at_once.ts"]);
  equal(await runner.exit(), 130);
  ok(runner.output.includes("\x1b[?25l"));
  // deno-lint-ignore no-control-regex
  match(runner.output, /0\/7[^]*\x1b\[\d+A\x1b\[J\x1b\[\?25h$/);
});
