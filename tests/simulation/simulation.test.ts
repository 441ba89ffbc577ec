import { deepEqual, equal } from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { CORPUS } from "./corpus.ts";
import { CLIENTS, describeFailure, judge, search } from "./search.ts";
import { traces } from "./traces.ts";
import { isNode, tracesElsewhere } from "./traces_elsewhere.ts";

for (const { what, program } of CORPUS) {
  test(`${what}`, async () => {
    deepEqual((await judge(CLIENTS, program)).violations, []);
  });
}

if (isNode) {
  test("the same programs leave the same traces on Deno, Bun and Node", async () => {
    const [here, ...others] = await Promise.all([traces(), ...tracesElsewhere("traces.ts")]);
    for (const other of others) deepEqual(other, here);
  });
}

/**
 * The milliseconds for random programs, and how many run even if that takes longer. In CI the three
 * runtimes run programs and recipes for 60 seconds in all, and at least 1,500 programs.
 */
const [TIME, LEAST] = process.env.CI ? [15_000, 500] : [4_000, 0];

const seed = Math.floor(Math.random() * 2 ** 31);
test(`random programs contradict no rule, seed ${seed}`, async () => {
  const result = await search({ seed, programs: 1e6, ms: TIME, atLeast: LEAST }, CLIENTS);
  equal(result.failure && describeFailure(result, CLIENTS), undefined);
});
