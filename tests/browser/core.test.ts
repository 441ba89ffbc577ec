import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { startCoreServer } from "./_server.ts";
import { SCENARIOS } from "./core.ts";

for (const [name, { run, expected }] of Object.entries(SCENARIOS)) {
  test(name, async () => {
    await using env = await startCoreServer();
    deepEqual(await run(env), expected);
  });
}
