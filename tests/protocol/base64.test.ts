import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { decodeBase64, decodeJsonBase64, encodeBase64 } from "../../protocol/mod.ts";
import { Random } from "./random.ts";

test("text of every script comes back", () => {
  for (const text of ["", "a", "Grüße", "漢字", "😀👩‍👩‍👧", "\u0000\u001f\u2028", "\ufeffx".slice(1)]) {
    equal(decodeBase64(encodeBase64(text)), text);
  }
});

test("the alphabet is the common one, padded", () => {
  equal(encodeBase64("{}"), "e30=");
  equal(encodeBase64("ÿþýûú>?"), "w7/DvsO9w7vDuj4/");
  equal(encodeBase64("null"), "bnVsbA==");
});

test("a text of a megabyte comes back", () => {
  const text = "0123456789ß".repeat(100_000);
  equal(decodeBase64(encodeBase64(text)), text);
});

test("half of a surrogate pair becomes the replacement character", () => {
  equal(decodeBase64(encodeBase64("a\ud83d")), "a\ufffd");
});

test("what is not base64 throws", () => {
  throws(() => decodeBase64("*"), { name: "InvalidCharacterError" });
});

test("JSON inside base64 is decoded", () => {
  deepEqual(decodeJsonBase64("eyJhIjpbMSwibnVsbCIsbnVsbF19"), { a: [1, "null", null] });
  equal(decodeJsonBase64("bnVsbA=="), null);
});

test("white space around JSON is no matter", () => {
  deepEqual(decodeJsonBase64(encodeBase64(' {"a" :\t1} \n')), { a: 1 });
});

test("what holds no JSON stays the text it came as", () => {
  for (const text of ["", "*", "e30", "aGVsbG8=", "CwgA+D0K16Nw/TNA", "plain text"]) {
    if (text === "e30") continue; // Unpadded base64 is read by some runtimes.
    equal(decodeJsonBase64(text), text);
  }
});

test("what is no text stays what it is", () => {
  const object = {};
  for (const value of [null, undefined, 5, true, object]) equal(decodeJsonBase64(value), value);
});

test("JSON nested deeply is decoded or left, and never a crash", () => {
  const base64 = encodeBase64("[".repeat(200_000) + "]".repeat(200_000));
  const value = decodeJsonBase64(base64);
  equal(value === base64 || Array.isArray(value), true);
});

test("2,000 random JSON values come back", () => {
  const random = new Random(1);
  for (let i = 0; i < 2_000; i++) {
    // Half of a surrogate pair is escaped by JSON, so it survives.
    const text = JSON.stringify(random.json());
    deepEqual(decodeJsonBase64(encodeBase64(text)), JSON.parse(text));
  }
});
