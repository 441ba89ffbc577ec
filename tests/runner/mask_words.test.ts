// That the quick check of words, such as ids, never misses a secret that decoding them would find.
import { equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Mask } from "../../runner/engine/mask.ts";
import { MaskSearch, WordCheck } from "../../runner/engine/mask_search.ts";
import { seededRandom } from "../../runtime/random.ts";

const SECRET = "hunter2-key";
const bytesOf = (text: string) => new TextEncoder().encode(text);
const check = new WordCheck(new MaskSearch([bytesOf(SECRET)]));

const base64 = (bytes: string | Uint8Array) => Buffer.from(bytes).toString("base64url");
const base32 = (text: string) =>
  [...bytesOf(text)].map((byte) => byte.toString(2).padStart(8, "0")).join("").match(/.{1,5}/g)!
    .map((bits) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[parseInt(bits.padEnd(5, "0"), 2)]).join("");

/** What a secret can be written as in the characters of a word. */
const ENCODINGS: Record<string, (text: string) => string> = {
  base64,
  "base64 of base64": (text) => base64(base64(text)),
  "base64 of hexadecimal": (text) => base64(Buffer.from(text).toString("hex")),
  "base64 of UTF-16": (text) => base64(Buffer.from(text, "utf16le")),
  base32,
  hexadecimal: (text) => Buffer.from(text).toString("hex"),
  "hexadecimal with prefixes": (text) =>
    [...bytesOf(text)].map((b) => `0x${b.toString(16)}`).join("-"),
  decimal: (text) => [...bytesOf(text)].join("-"),
};

test("no word with an encoded secret is harmless, wherever the encoding begins in it", () => {
  for (const [name, encode] of Object.entries(ENCODINGS)) {
    for (const before of ["", "x", "xy", "xyz"]) {
      const inside = encode(`${before}${SECRET}`);
      for (const around of ["", "j", "jo", "job"]) {
        // Letters would continue a number.
        const word = `${around}${around && "_"}${inside}`;
        equal(check.isHarmless(word), false, `${name}: ${word}`);
      }
    }
  }
});

test("no word with a secret between bytes that are no text is harmless", () => {
  for (const before of ["", "h", "hu"]) {
    for (const after of [0, 1, 20]) {
      const noise = (length: number) => new Uint8Array(length).fill(0xfd);
      const bytes = Buffer.concat([noise(20), bytesOf(`${before}${SECRET}`), noise(after)]);
      const word = base64(bytes);
      equal(check.isHarmless(word), false, `${before} and ${after}: ${word}`);
    }
  }
});

test("a number of one digit can be a byte", () => {
  const tabs = new WordCheck(new MaskSearch([bytesOf("a\t\t\t\tb")]));
  equal(tabs.isHarmless("97-9-9-9-9-98"), false);
});

test("almost all ids are harmless", () => {
  const random = seededRandom(1);
  const digits = "0123456789abcdefghjkmnpqrstvwxyz";
  const ids = Array.from({ length: 500 }, () => {
    const rest = Array.from({ length: 26 }, () => digits[Math.floor(random() * 32)]);
    return `job_${rest.join("")}`;
  });
  ok(ids.filter((id) => check.isHarmless(id)).length > 490);
});

test("a word is masked as it is beside text that is always decoded", () => {
  const random = seededRandom(2);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const letters = [..."abcxyzABCXYZ0123456789_-"];
  const wordOf = (length: number) => Array.from({ length }, () => pick(letters)).join("");
  let masked = 0;
  for (let i = 0; i < 400; i++) {
    const secret = wordOf(3 + Math.floor(random() * 9));
    const encode = pick([...Object.values(ENCODINGS), (text: string) => text]);
    const word = wordOf(Math.floor(random() * 4)) +
      encode(wordOf(Math.floor(random() * 3)) + secret);
    const [alone, beside] = [word, `${word} %`].map((text) => {
      const mask = new Mask();
      mask.add(secret);
      return mask.text(text);
    });
    equal(`${alone} %`, beside, `${secret} in ${word}`);
    if (alone !== word) masked++;
  }
  ok(masked > 300, `${masked} words had a secret`);
});
