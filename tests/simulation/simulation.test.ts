import { deepEqual, equal } from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import fc from "fast-check";
import { CORPUS } from "./corpus.ts";
import { CLIENTS, describeFailure, judge, search } from "./search.ts";
import { traces } from "./traces.ts";
import { isNode, tracesElsewhere } from "./traces_elsewhere.ts";

for (const { what, program } of CORPUS) {
  test(`${what}`, async () => {
    deepEqual((await judge(CLIENTS, program)).violations, []);
  });
}

test("a program that comes to no end counts as one that contradicts a rule", async () => {
  const subject = {
    ...{ flags: "", show: String, strata: [fc.nat({ max: 9 })] },
    run: (program: number) =>
      program < 5
        ? Promise.resolve({ violations: [], steps: 0, hash: () => "", timeline: () => [] })
        : Promise.reject(new Error("it hangs")),
  };
  const { failure } = await search({ seed: 1, programs: 200 }, subject);
  deepEqual(failure?.program, 5);
  deepEqual(failure?.verdict.violations, ["1: the program cannot be judged: it hangs"]);
});

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
