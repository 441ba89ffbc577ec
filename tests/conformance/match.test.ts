import { equal, match, throws } from "node:assert/strict";
import { test } from "node:test";
import { type Bindings, mismatch, substitute } from "./match.ts";

const JOB = "job_01m86ewx8zewr8d3at8zp36rsj";
const OTHER_JOB = "job_01m86ewx8zewr8d3at8zp36rsk";
const none = (): Bindings => new Map();

test("the order of keys does not matter", () => {
  const value = { a: 1, b: [true, null, { c: "x" }] };
  equal(mismatch({ b: [true, null, { c: "x" }], a: 1 }, value, none()), undefined);
});

test("an unexpected field is a mismatch, at any depth", () => {
  match(mismatch({ a: 1 }, { a: 1, b: 2 }, none()) ?? "", /frame\.b: unexpected 2/);
  match(mismatch({ a: {} }, { a: { b: null } }, none()) ?? "", /frame\.a\.b: unexpected null/);
});

test("a missing field is a mismatch", () => {
  match(mismatch({ a: 1 }, {}, none()) ?? "", /frame\.a: expected 1, but it is absent/);
  match(mismatch({ a: null }, {}, none()) ?? "", /but it is absent/);
});

test("values of different types are a mismatch", () => {
  for (
    const [expected, actual] of [[1, "1"], [{}, []], [[], {}], [null, {}], ["x", 1], [0, false]]
  ) {
    match(mismatch(expected, actual, none()) ?? "", /frame: expected .*, received .*/);
  }
});

test("lists must have the same length and order", () => {
  match(mismatch([1, 2], [1], none()) ?? "", /expected 2 items, received 1/);
  match(mismatch([1, 2], [2, 1], none()) ?? "", /frame\[0\]: expected 1, received 2/);
});

test("$time matches RFC 3339 and nothing else", () => {
  equal(mismatch("$time", "2026-11-24T09:41:23.871880614Z", none()), undefined);
  equal(mismatch("$time", "2026-11-24T09:41:23+02:00", none()), undefined);
  for (const wrong of ["2026-11-24", "", 5, null, "2026-11-24 09:41:23Z"]) {
    match(mismatch("$time", wrong, none()) ?? "", /received/);
  }
});

test("$base64, $number and $frame match values of their kind and nothing else", () => {
  equal(mismatch("$base64", "e30=", none()), undefined);
  match(mismatch("$base64", "e30", none()) ?? "", /received/);
  equal(mismatch("$number", 0, none()), undefined);
  match(mismatch("$number", "0", none()) ?? "", /received/);
  equal(mismatch("$frame", "x", none()), undefined);
  match(mismatch("$frame", "", none()) ?? "", /received/);
});

test("elapsed_ms may be absent, expected or not", () => {
  equal(mismatch({ elapsed_ms: "$ms" }, {}, none()), undefined);
  equal(mismatch({ elapsed_ms: "$ms" }, { elapsed_ms: 3 }, none()), undefined);
  equal(mismatch({}, { elapsed_ms: 3 }, none()), undefined);
  match(mismatch({}, { elapsed_ms: "3" }, none()) ?? "", /unexpected "3"/);
});

test("text that ends in $any matches text with the same start", () => {
  equal(mismatch("invalid: $any", "invalid: yes", none()), undefined);
  equal(mismatch("invalid: $any", "invalid: ", none()), undefined);
  match(mismatch("invalid: $any", "is invalid: yes", none()) ?? "", /received/);
});

test("a placeholder keeps its first value, also within text", () => {
  const bindings = none();
  equal(mismatch({ topic: "job:$job1" }, { topic: `job:${JOB}` }, bindings), undefined);
  equal(bindings.get("$job1"), JOB);
  equal(mismatch("$job1", JOB, bindings), undefined);
  match(mismatch("$job1", OTHER_JOB, bindings) ?? "", new RegExp(`expected "${JOB}"`));
  equal(mismatch("$job2", OTHER_JOB, bindings), undefined);
});

test("a placeholder that occurs twice in a frame must have one value", () => {
  const frame = { id: "$job1", topic: "job:$job1" };
  match(mismatch(frame, { id: JOB, topic: `job:${OTHER_JOB}` }, none()) ?? "", /frame\.topic/);
  match(mismatch("$job1 $job1", `${JOB} ${OTHER_JOB}`, none()) ?? "", /received/);
});

test("a placeholder does not match an id of another kind", () => {
  match(mismatch("$run1", JOB, none()) ?? "", /received/);
  match(mismatch("$job1", "job_x", none()) ?? "", /received/);
});

test("$job1 is not mistaken for the start of $job10", () => {
  const bindings: Bindings = new Map([["$job1", JOB], ["$job10", OTHER_JOB]]);
  equal(substitute("$job10", bindings), OTHER_JOB);
  equal(mismatch("x$job10", `x${OTHER_JOB}`, bindings), undefined);
});

test("substitute replaces placeholders with their values", () => {
  const bindings: Bindings = new Map([["$job1", JOB]]);
  const sent = substitute({ data: [{ channel: "job:$job1", n: 1, none: null }] }, bindings);
  equal(JSON.stringify(sent), `{"data":[{"channel":"job:${JOB}","n":1,"none":null}]}`);
});

test("substitute throws if a placeholder has no value", () => {
  throws(() => substitute("$run1", none()), /\$run1 has no value yet/);
});
