import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { decodeBase64, decodeJsonBase64, encodeBase64 } from "../../protocol/mod.ts";
import { Random } from "./random.ts";

test("encodes and decodes text of every script", () => {
  for (const text of ["", "a", "Grüße", "漢字", "😀👩‍👩‍👧", "\u0000\u001f\u2028", "\ufeffx".slice(1)]) {
    equal(decodeBase64(encodeBase64(text)), text);
  }
});

test("uses the standard alphabet with padding", () => {
  equal(encodeBase64("{}"), "e30=");
  equal(encodeBase64("ÿþýûú>?"), "w7/DvsO9w7vDuj4/");
  equal(encodeBase64("null"), "bnVsbA==");
});

test("encodes and decodes a text of a megabyte", () => {
  const text = "0123456789ß".repeat(100_000);
  equal(decodeBase64(encodeBase64(text)), text);
});

test("encodes a lone surrogate as U+FFFD", () => {
  equal(decodeBase64(encodeBase64("a\ud83d")), "a\ufffd");
});

test("decodeBase64 throws if the input is not base64", () => {
  throws(() => decodeBase64("*"), { name: "InvalidCharacterError" });
});

test("decodeJsonBase64 decodes a JSON value", () => {
  deepEqual(decodeJsonBase64("eyJhIjpbMSwibnVsbCIsbnVsbF19"), { a: [1, "null", null] });
  equal(decodeJsonBase64("bnVsbA=="), null);
});

test("decodeJsonBase64 ignores white space around the JSON", () => {
  deepEqual(decodeJsonBase64(encodeBase64(' {"a" :\t1} \n')), { a: 1 });
});

test("decodeJsonBase64 returns text unchanged if it does not contain JSON", () => {
  for (const text of ["", "*", "aGVsbG8=", "CwgA+D0K16Nw/TNA", "plain text"]) {
    equal(decodeJsonBase64(text), text);
  }
});

test("decodeJsonBase64 returns other values than text unchanged", () => {
  const object = {};
  for (const value of [null, undefined, 5, true, object]) equal(decodeJsonBase64(value), value);
});

test("decodeJsonBase64 does not overflow the stack on deeply nested JSON", () => {
  const base64 = encodeBase64("[".repeat(200_000) + "]".repeat(200_000));
  const value = decodeJsonBase64(base64);
  equal(value === base64 || Array.isArray(value), true);
});

test("2,000 random JSON values are encoded and decoded", () => {
  const random = new Random(1);
  for (let i = 0; i < 2_000; i++) {
    // JSON escapes a lone surrogate, so it survives.
    const text = JSON.stringify(random.json());
    deepEqual(decodeJsonBase64(encodeBase64(text)), JSON.parse(text));
  }
});
