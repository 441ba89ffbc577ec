import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { compare, median, type Outcome } from "../../runner/history/compare.ts";
import { fileKey, serverKey } from "../../runner/history/case_key.ts";

const passed = (duration_ms: number, flaky = false): Outcome => ({
  passed: true,
  flaky,
  duration_ms,
});
const failed = (duration_ms: number): Outcome => ({ passed: false, flaky: false, duration_ms });
const steady = [1000, 990, 1010, 1000, 1005].map((ms) => passed(ms));

test("returns undefined without earlier runs", () => {
  equal(compare([], passed(1)), undefined);
});

test("counts runs, and takes the median of those that passed", () => {
  deepEqual(compare([passed(10), failed(9000), passed(30, true), passed(20)], passed(20)), {
    runs: 4,
    failed: 1,
    flaky: 1,
    median_ms: 20,
    slower: false,
  });
  deepEqual(compare([failed(1), failed(2)], passed(900)), {
    runs: 2,
    failed: 2,
    flaky: 0,
    slower: false,
  });
});

test("a run is slower when it takes more than 1.5 times the median", () => {
  equal(compare(steady, passed(1501))?.slower, true);
  equal(compare(steady, passed(1500))?.slower, false);
});

test("calls no run slower before five runs have passed", () => {
  equal(compare(steady.slice(1), passed(60_000))?.slower, false);
  equal(compare([...steady.slice(1), failed(1000)], passed(60_000))?.slower, false);
});

test("a run that takes less than 100 ms longer is not slower", () => {
  const quick = [10, 10, 11, 10, 9].map((ms) => passed(ms));
  equal(compare(quick, passed(109))?.slower, false);
  equal(compare(quick, passed(110))?.slower, true);
});

test("a run is slower only beyond three median absolute deviations", () => {
  const varying = [400, 700, 1000, 1300, 1600].map((ms) => passed(ms));
  equal(compare(varying, passed(1900))?.slower, false);
  equal(compare(varying, passed(1901))?.slower, true);
});

test("a single outlier does not change the comparison", () => {
  equal(compare([...steady, passed(600_000)], passed(1600))?.slower, true);
});

test("never reports a failed run as slower", () => {
  equal(compare(steady, failed(30_000))?.slower, false);
});

test("takes the median of odd and even numbers of values", () => {
  equal(median([3, 1, 2]), 2);
  equal(median([4, 1, 2, 3]), 2.5);
  equal(median([7]), 7);
});

test("the key of a server is its host, without user, password and query", () => {
  equal(serverKey("embedded"), "embedded");
  equal(
    serverKey("wss://user:password@dispatch.example.com:8443/dwp?token=x"),
    "dispatch.example.com:8443",
  );
});

test("the key of a file is the same for all ways to write its path", () => {
  for (const path of ["recipes/a.yaml", "./recipes/a.yaml", "recipes/../recipes//a.yaml"]) {
    equal(fileKey(path), "recipes/a.yaml");
  }
  equal(fileKey("."), "");
});
