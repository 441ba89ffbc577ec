// What is searched for of each secret besides itself.
import { deepEqual, equal, fail } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { canBeMasked, Mask } from "../../runner/engine/mask.ts";

function maskOf(...secrets: string[]): Mask {
  const mask = new Mask();
  for (const secret of secrets) mask.add(secret);
  return mask;
}

function masks(secret: string, texts: Record<string, string>): void {
  const mask = maskOf(secret);
  for (const [text, masked] of Object.entries(texts)) {
    equal(mask.text(text), masked, `${JSON.stringify(secret)} in ${JSON.stringify(text)}`);
  }
}

test("masks secrets of three characters and more, not counting white space around them", () => {
  for (
    const [secret, can] of [["abc", true], ["ab", false], [" ab ", false], [
      " abc\n",
      true,
    ]] as const
  ) {
    equal(canBeMasked(secret), can);
    equal(maskOf(secret).isEmpty, !can);
    equal(maskOf(secret).text("x abc y"), can ? "x *** y" : "x abc y");
  }
  equal(maskOf("abc").text("abc"), "***");
  equal(maskOf("abc").text("ab"), "ab");
});

test("a secret that is added later is masked in texts that were masked before", () => {
  const mask = maskOf("first");
  equal(mask.text("first second"), "*** second");
  mask.add("second");
  equal(mask.text("first second"), "*** ***");
  mask.add("second");
  equal(mask.text("first second"), "*** ***");
});

test("masks thousands of different texts, short and long", () => {
  const mask = maskOf("secret");
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 2_500; i++) equal(mask.text(`${i} secret`), `${i} ***`);
  }
  for (const length of [498, 499, 500, 501]) {
    const text = `${"x".repeat(length - 6)}secret`;
    for (let round = 0; round < 2; round++) equal(mask.text(text), `${"x".repeat(length - 6)}***`);
  }
});

test("masks a text whole when searching it fails", () => {
  const broken = { length: 5, charCodeAt: () => fail() } as unknown as string;
  equal(maskOf("secret").text(broken), "***");
  deepEqual(maskOf("secret").value(["x", "secret"]), ["x", "***"]);
});

test("masks each of two secrets next to each other", () => {
  equal(maskOf("abc", "def").text("abcdef"), "******");
});

test("a mask without secrets returns values as they are", () => {
  const value = { a: [1, "x"] };
  equal(new Mask().value(value), value);
  equal(new Mask().text("abc"), "abc");
});

test("masks a secret with doubled quotes and other characters for its spaces", () => {
  masks(`a 'b' "c" d`, {
    [`'a ''b'' "c" d'`]: "'***'",
    [`"a 'b' ""c"" d"`]: '"***"',
    [`a+'b'+"c"+d`]: "***",
    [`a_'b'_"c"_d`]: "***",
    [`a-'b'-"c"-d`]: `a-'b'-"c"-d`,
  });
});

test("masks the decomposed and the composed Unicode form of a secret", () => {
  masks("w\u00f6rd", { "<wo\u0308rd>": "<***>", "w%6F%CC%88rd": "***" });
  masks("wo\u0308rd", { "<w\u00f6rd>": "<***>" });
});

test("masks a secret with half a surrogate pair, also as encoders write it", () => {
  equal(maskOf("a\ud83db").text("<a\ud83db>"), "<***>");
  masks("a\ud83db", { "<a\ufffdb>": "<***>", "<a%EF%BF%BDb>": "<***>" });
});

test("masks the bytes of a secret in Latin-1 and UTF-16", () => {
  const hex = (text: string, charset: "latin1" | "utf8" | "utf16le") =>
    Buffer.from(text, charset).toString("hex");
  masks("wörd", {
    [hex("wörd", "latin1")]: "***",
    [hex("wörd", "utf8")]: "***",
    [hex("wörd", "utf16le")]: "***00",
  });
  masks("ÿÿÿ", { [hex("ÿÿÿ", "latin1")]: "***", [hex("ÿÿÿ", "utf8")]: "***" });
  masks("wĀrd", { [hex("wĀrd", "utf16le")]: "***00", [hex("wĀrd", "utf8")]: "***", "wĀrd": "***" });
  // A character above U+00FF has no Latin-1 form: its low byte alone is not searched for.
  masks("wĀrd", { [hex("w\0rd", "latin1")]: hex("w\0rd", "latin1") });
});

test("masks the lines of a secret that have at least eight characters, and all lines joined", () => {
  masks(" 12345678 \n\n\t1234567\r\nabcdefghi\n", {
    "12345678": "***",
    "1234567": "1234567",
    "abcdefghi": "***",
    "12345678,1234567,abcdefghi": "***,1234567,***",
    "123456781234567abcdefghi": "***",
    "12345678 1234567 abcdefghi": "*** 1234567 ***",
  });
  masks("abc\rdefgh", { "abcdefgh": "***", "abc\rdefgh": "***", "defgh": "defgh" });
  masks("abc\ndef", { "abc": "abc", "abc\ndef": "***" });
});

test("masks the parts of an address, and the address without fragment, credentials and last slash", () => {
  masks("https://us%65r:p%40ss@example.com/path/long?q=secret-1#fragment", {
    "https://us%65r:p%40ss@example.com/path/long?q=secret-1#fragment": "***",
    "https://us%65r:p%40ss@example.com/path/long?q=secret-1": "***",
    "https://example.com/path/long?q=secret-1": "***",
    "p@ss": "***",
    "p%40ss": "***",
    "by user": "by ***",
    "GET /path/long?q=secret-1 failed": "GET *** failed",
    "GET /path/long?q=secret-1#fragment failed": "GET *** failed",
    "GET /path/long failed": "GET *** failed",
    "with q=secret-1": "with ***",
    "#fragment": "#fragment",
    "at example.com": "at example.com",
  });
  masks("http://us%FFer:p%ss@h/", {
    "us%FFer": "***",
    "p%ss": "***",
    "http://h": "***",
    "http://h/": "***",
  });
  masks("WSS+x.1-y://HOST/a%20b", {
    "WSS+x.1-y://HOST/a%20b": "***",
    "wss+x.1-y://HOST/a%20b": "***",
  });
  masks("http://us%FFer:p%ss@h/", { "x us%FFer": "x ***" });
  masks("http://ab:cd@example.com/", { "ab cd": "ab cd" });
  masks("HTTPS://Example.com/a#frag-ment", { "https://example.com/a#frag-ment": "***" });
  masks("HTTPS://Example.com/a#b", { "https://example.com/a#b": "***" });
  masks("http://h/short?a=1", { "/short?a=1": "***", "/short": "/short", "a=1": "a=1" });
  masks("http://h/1234567", { "/1234567": "***" });
  masks("http://h/123456", { "/123456": "/123456" });
  masks("http://h/#12345678", { "/#12345678": "***" });
  // What is no address.
  masks("1http://h/12345678", { "http://h/12345678": "http://h/12345678" });
  masks("x http://h/12345678", { "http://h/12345678": "http://h/12345678" });
  masks("data:http://h/12345678", { "http://h/12345678": "http://h/12345678" });
  masks("http:/h/12345678", {
    "http://h/12345678": "http://h/12345678",
    "/h/12345678": "/h/12345678",
  });
  masks("http://h:99999/12345678", { "/12345678": "/12345678" });
});

test("masks values of all types", () => {
  const mask = maskOf("true", "null", "12.5", "-34");
  deepEqual(mask.value([true, false, null, 12.5, -34, 112.5, undefined]), [
    ...["***", false, "***", "***", "***", "***", undefined],
  ]);
  equal(mask.value("null"), "***");
  deepEqual(mask.value({ a: "x true y" }), { a: "x *** y" });
  deepEqual(
    mask.value(JSON.parse('{"__proto__":{"true":1}}')),
    JSON.parse('{"__proto__":{"***":1}}'),
  );
});
