import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { readTextFile } from "../../runtime/file.ts";
import { CORPUS } from "./corpus.ts";
import { runProgram } from "./run_program.ts";
import { describeFailure, search } from "./search.ts";
import { traces, TRACES_FILE } from "./traces.ts";

for (const { what, program } of CORPUS) {
  test(`${what}`, async () => {
    deepEqual((await runProgram(program)).violations, []);
  });
}

test("the same programs leave the same trace on every runtime", async () => {
  deepEqual(await traces(), JSON.parse(await readTextFile(TRACES_FILE)));
});

/** The milliseconds for random programs, and how many run at least. */
const TIME = 8_000;
const LEAST = 300;

const seed = Math.floor(Math.random() * 2 ** 31);
test(`random programs contradict no rule, seed ${seed}`, async () => {
  const result = await search({ seed, programs: 1e6, ms: TIME, atLeast: LEAST });
  equal(result.failure && describeFailure(seed, result), undefined);
});
