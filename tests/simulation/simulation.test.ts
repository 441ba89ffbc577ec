import { deepEqual, equal } from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { toolsEnv } from "../run_tools.mjs";
import { CORPUS } from "./corpus.ts";
import { CLIENTS, describeFailure, judge, search } from "./search.ts";
import { traces } from "./traces.ts";

for (const { what, program } of CORPUS) {
  test(`${what}`, async () => {
    deepEqual((await judge(CLIENTS, program)).violations, []);
  });
}

/**
 * The runtime to compare this one's hashes with. The three form a circle, so that all are compared.
 */
const OTHER: readonly string[] = "Bun" in globalThis
  ? ["deno", "run", "-A", "--no-check"]
  : "Deno" in globalThis
  ? ["node"]
  : ["bun"];

test(`the same programs leave the same traces here and on ${OTHER[0]}`, async () => {
  const [command, ...args] = OTHER;
  const file = fileURLToPath(new URL("traces.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(command!, [...args, file], { env: toolsEnv() });
  deepEqual(await traces(), JSON.parse(stdout));
});

/** The milliseconds for random programs, and how many run at least in CI: 1,500 on three runtimes. */
const TIME = 4_000;
const LEAST = process.env.CI ? 500 : 0;

const seed = Math.floor(Math.random() * 2 ** 31);
test(`random programs contradict no rule, seed ${seed}`, async () => {
  const result = await search({ seed, programs: 1e6, ms: TIME, atLeast: LEAST }, CLIENTS);
  equal(result.failure && describeFailure(result, CLIENTS), undefined);
});
