import { equal, match, throws } from "node:assert/strict";
import { test } from "node:test";
import { type Bindings, mismatch, substitute } from "./match.ts";

const JOB = "job_01m86ewx8zewr8d3at8zp36rsj";
const OTHER_JOB = "job_01m86ewx8zewr8d3at8zp36rsk";
const none = (): Bindings => new Map();

test("equal values match whatever the order of their keys", () => {
  const value = { a: 1, b: [true, null, { c: "x" }] };
  equal(mismatch({ b: [true, null, { c: "x" }], a: 1 }, value, none()), undefined);
});

test("a field that is not written must be absent, at any depth", () => {
  match(mismatch({ a: 1 }, { a: 1, b: 2 }, none()) ?? "", /frame\.b: expected absent, but 2/);
  match(mismatch({ a: {} }, { a: { b: null } }, none()) ?? "", /frame\.a\.b: expected absent/);
});

test("a field that is written must be there", () => {
  match(mismatch({ a: 1 }, {}, none()) ?? "", /frame\.a: 1 expected, but absent/);
  match(mismatch({ a: null }, {}, none()) ?? "", /but absent/);
});

test("values of another type do not match", () => {
  for (
    const [expected, actual] of [[1, "1"], [{}, []], [[], {}], [null, {}], ["x", 1], [0, false]]
  ) {
    match(mismatch(expected, actual, none()) ?? "", /frame: .* expected, .* came/);
  }
});

test("lists must have the same length and order", () => {
  match(mismatch([1, 2], [1], none()) ?? "", /2 items expected, 1 came/);
  match(mismatch([1, 2], [2, 1], none()) ?? "", /frame\[0\]: 1 expected, 2 came/);
});

test("$time takes RFC 3339 and nothing else", () => {
  equal(mismatch("$time", "2026-11-24T09:41:23.871880614Z", none()), undefined);
  equal(mismatch("$time", "2026-11-24T09:41:23+02:00", none()), undefined);
  for (const wrong of ["2026-11-24", "", 5, null, "2026-11-24 09:41:23Z"]) {
    match(mismatch("$time", wrong, none()) ?? "", /came/);
  }
});

test("$base64, $number and $frame take their kind and nothing else", () => {
  equal(mismatch("$base64", "e30=", none()), undefined);
  match(mismatch("$base64", "e30", none()) ?? "", /came/);
  equal(mismatch("$number", 0, none()), undefined);
  match(mismatch("$number", "0", none()) ?? "", /came/);
  equal(mismatch("$frame", "x", none()), undefined);
  match(mismatch("$frame", "", none()) ?? "", /came/);
});

test("a duration may be absent, written or not", () => {
  equal(mismatch({ elapsed_ms: "$ms" }, {}, none()), undefined);
  equal(mismatch({ elapsed_ms: "$ms" }, { elapsed_ms: 3 }, none()), undefined);
  equal(mismatch({}, { elapsed_ms: 3 }, none()), undefined);
  match(mismatch({}, { elapsed_ms: "3" }, none()) ?? "", /expected absent/);
});

test("text that ends in $any matches by its beginning", () => {
  equal(mismatch("invalid: $any", "invalid: yes", none()), undefined);
  equal(mismatch("invalid: $any", "invalid: ", none()), undefined);
  match(mismatch("invalid: $any", "is invalid: yes", none()) ?? "", /came/);
});

test("a placeholder binds once and is equal from then on, inside text too", () => {
  const bindings = none();
  equal(mismatch({ topic: "job:$job1" }, { topic: `job:${JOB}` }, bindings), undefined);
  equal(bindings.get("$job1"), JOB);
  equal(mismatch("$job1", JOB, bindings), undefined);
  match(mismatch("$job1", OTHER_JOB, bindings) ?? "", new RegExp(`"${JOB}" expected`));
  equal(mismatch("$job2", OTHER_JOB, bindings), undefined);
});

test("a placeholder is equal within the frame that binds it", () => {
  const frame = { id: "$job1", topic: "job:$job1" };
  match(mismatch(frame, { id: JOB, topic: `job:${OTHER_JOB}` }, none()) ?? "", /frame\.topic/);
  match(mismatch("$job1 $job1", `${JOB} ${OTHER_JOB}`, none()) ?? "", /came/);
});

test("an id of another kind does not bind", () => {
  match(mismatch("$run1", JOB, none()) ?? "", /came/);
  match(mismatch("$job1", "job_x", none()) ?? "", /came/);
});

test("$job1 is not the beginning of $job10", () => {
  const bindings: Bindings = new Map([["$job1", JOB], ["$job10", OTHER_JOB]]);
  equal(substitute("$job10", bindings), OTHER_JOB);
  equal(mismatch("x$job10", `x${OTHER_JOB}`, bindings), undefined);
});

test("what is sent has the bound values in it", () => {
  const bindings: Bindings = new Map([["$job1", JOB]]);
  const sent = substitute({ data: [{ channel: "job:$job1", n: 1, none: null }] }, bindings);
  equal(JSON.stringify(sent), `{"data":[{"channel":"job:${JOB}","n":1,"none":null}]}`);
});

test("what nothing has bound cannot be sent", () => {
  throws(() => substitute("$run1", none()), /\$run1 is sent before anything bound it/);
});
