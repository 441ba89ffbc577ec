// Which base64, base32, hexadecimal and decimal bytes a mask reads, and exactly what it replaces.
import { equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Mask } from "../../runner/engine/mask.ts";

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

const base64 = (text: string) => Buffer.from(text).toString("base64");

test("replaces the characters of base64 that have bits of the secret, and the padding after it", () => {
  masks("hunter2", {
    [base64("hunter2")]: "***",
    [`<${base64("hunter2")}=>`]: "<***=>",
    [base64("xhunter2")]: "e***",
    [base64("xyhunter2z")]: "eH***eg==",
    [base64("xyzhunter2xyz")]: "eHl6***h5eg==",
    [`'${base64("hunter2").replace(/=+$/, "")}'`]: "'***'",
    [`n${base64("hunter2")}`]: "n***",
    [`nn${base64("hunter2")}`]: "nn***",
    [`nnn${base64("hunter2")}`]: "nnn***",
    [`${base64("a hunter2")} ${base64("hunter2 b")}`]: "YS*** ***Bi",
  });
  masks("abc", { YWJj: "***", YWJ: "YWJ" });
  masks("??>>ö", { [base64("??>>ö")]: "***", [Buffer.from("??>>ö").toString("base64url")]: "***" });
});

test("replaces the characters of base32 that have bits of the secret, and the padding after it", () => {
  masks("hunter2", {
    "NB2W45DFOIZA====": "***",
    "<NB2W45DFOIZA=======>": "<***=>",
    "NB2W45DFOIZA": "***",
    // After one, two, three and four other bytes.
    "PBUHK3TUMVZDE===": "P***",
    "PB4WQ5LOORSXEMQ=": "PB4***",
    "PB4XU2DVNZ2GK4RS": "PB4X***",
    "PB4XU6DIOVXHIZLSGI======": "PB4XU6***",
    "NB2W45DFOIZHQ6L2": "***Q6L2",
    "ANB2W45DFOIZA": "A***",
    "ABCNB2W45DFOIZA": "ABC***",
    "ABCDEFGNB2W45DFOIZA": "ABCDEFG***",
    "nb2w45dfoiza": "nb2w45dfoiza",
  });
});

test("replaces the hexadecimal digits of the secret, with and without separators", () => {
  masks("hunter2", {
    "<68756e74657232>": "<***>",
    "<68756E74657232>": "<***>",
    "<168756e74657232f>": "<1***f>",
    "(68:75:6e:74:65:72:32:)": "(***:)",
    "68 75 6e 74 65 72 32": "***",
    "68-75-6e-74-65-72-32": "***",
    "68\t75\r\n6e;74,65, 72  32": "***",
    "{0x68, 0x75, 0X6E, 0x74, 0x65, 0x72, 0x32}": "{0x***}",
    '[\'68\', \'75\', \'6e\', "74", "65", "72", "32"]': "['***\"]",
    "68756e74657232x": "***x",
    "68.75.6e.74.65.72.32": "68.75.6e.74.65.72.32",
    "68756e7465723": "68756e7465723",
    "68756e74_657232": "68756e74_657232",
    "a 68756e74657232 z 68756e74657232": "a *** z ***",
  });
  // With each digit of both cases.
  masks("\x01#Eg\x89\xab\xcd\xef", { "0123456789abcdef": "***", "0123456789ABCDEF": "***" });
});

test("replaces the decimal numbers of the secret", () => {
  masks("hunter2", {
    "[104,117,110,116,101,114,50]": "[***]",
    "[104 117 110 116 101 114 50 33]": "[*** 33]",
    "9, 104, 117, 110, 116, 101, 114, 50, 9": "9, ***, 9",
    "1104, 117, 110, 116, 101, 114, 50": "1***",
    "104;117;110;116;101;114;050": "***",
    "104,117,110,116,101,114": "104,117,110,116,101,114",
    "104,117,110,116,256,101,114,50": "104,117,110,116,256,101,114,50",
    "360,117,110,116,101,114,50": "360,117,110,116,101,114,50",
    "104,117,110,116/101,114,50": "104,117,110,116/101,114,50",
    "a 104,117,110,116,101,114,50 b 104,117,110,116,101,114,50": "a *** b ***",
    "104,117,110,116,101,114,50": "***",
  });
  // The least and the greatest byte, and a secret in Latin-1.
  masks("a\0ÿb", { "97,0,255,98": "***", "97,0,195,191,98": "***" });
  masks("a\xff\tb", { "97,255,9,98": "***", "97,2559,98": "97,2559,98" });
  masks("abc", { "97,98": "97,98", "97,98,99": "***" });
});

test("does not join what is encoded in different places", () => {
  masks("hunter2", {
    [`${base64("xxxxxxhun")}.${base64("ter2xxxxx")}`]: "eHh4eHh4aHVu.dGVyMnh4eHh4",
    "7878787868756e.7465723278787878": "7878787868756e.7465723278787878",
    "120,120,120,120,104,117,110.116,101,114,50,120,120,120":
      "120,120,120,120,104,117,110.116,101,114,50,120,120,120",
  });
  // Each of these has one byte of the secret, at the third alignment.
  masks("abc", { "xxYQ xxYg xxYw": "xxYQ xxYg xxYw" });
});

test("masks characters at the ends of the ranges of UTF-8", () => {
  for (const char of ["\x7f", "\x80", "\u07ff", "\u0800", "\uffff", "\u{10000}", "\u{10ffff}"]) {
    const secret = `ab${char}cd`;
    masks(secret, { [secret]: "***", [base64(secret)]: "***" });
  }
});

test("reads encodings inside base64, even if the rest of it is not text", () => {
  masks("hunter2", {
    [base64(base64("hunter2"))]: "***",
    [base64(`xy ${base64("a hunter2")}`)]: "eHkgWV***",
    [base64(JSON.stringify({ a: encodeURIComponent("%hunter2") }))]: "eyJhIjoiJTI1***J9",
  });
  const json = JSON.stringify('a "secret"');
  for (const before of ["", "\0", "\0\0\x01", "text\0", "\xff\xfe\0"]) {
    const bytes = Buffer.concat([Buffer.from(before, "latin1"), Buffer.from(json)]);
    const masked = maskOf('a "secret"').text(bytes.toString("base64"));
    ok(masked.includes("***"), JSON.stringify(before));
  }
});

test("reads text inside base64 if three of four bytes are readable", () => {
  const secret = 'se"cret';
  const escaped = 'se\\"cret';
  const isFound = (before: string, after = "") => {
    const bytes = [before, escaped, after].map((text) => Buffer.from(text, "latin1"));
    return maskOf(secret).text(Buffer.concat(bytes).toString("base64")).includes("***");
  };
  ok(isFound(""));
  // Eight readable bytes and two or three of other kinds.
  for (const other of ["\x01", "\x7f", "\x80", "\xc1", "\xc3", "\xe4", "\xf0", "\x1f", "\x0b"]) {
    ok(isFound(other.repeat(2)), JSON.stringify(other));
    ok(!isFound(other.repeat(3)), JSON.stringify(other));
    ok(!isFound("", other.repeat(3)), JSON.stringify(other));
  }
  ok(isFound(" \x01\x01\x01"));
  // White space and complete characters of two, three and four bytes are readable.
  for (
    const other of [
      "\xe0\xa0\x80",
      "\xc3\xa4\x80",
      " ",
      "\t",
      "\n",
      "\r",
      "~",
      "\xc2\x80",
      "\xe2\x82\xac",
      "\xf0\x9f\x98\x80",
    ]
  ) {
    ok(isFound(other.repeat(3)), JSON.stringify(other));
  }
  // Bytes of complete characters count as readable, however many there are.
  for (const other of ["\xe0\xa0\x80", "\xc2\x80", "\xe2\x82\xac", "\xf0\x9f\x98\x80"]) {
    ok(isFound(other.repeat(20)), JSON.stringify(other));
    ok(isFound(`${other.repeat(3)}\x01\x01\x01`), JSON.stringify(other));
  }
  // Incomplete ones are not.
  for (const other of ["\xe2\x82", "\xf0\x9f\x98"]) ok(!isFound(other.repeat(3)), other);
});

test("reads UTF-16 inside base64 and hexadecimal digits", () => {
  const le = (text: string) => Buffer.from(text, "utf16le");
  const be = (text: string) => Buffer.from(text, "utf16le").swap16();
  for (const secret of ["hunter2", "wörd", "пароль", "a пароль z", "日本語"]) {
    for (const bytes of [le, be]) {
      for (const encoding of ["base64", "hex"] as const) {
        const masked = maskOf(secret).text(bytes(`<${secret}>`).toString(encoding));
        ok(masked.includes("***"), `${secret} in ${encoding}: ${masked}`);
        const other = bytes(`<${secret.slice(1)}>`).toString(encoding);
        equal(maskOf(secret).text(other), other);
      }
    }
  }
  masks("пароль", { [le("пароль").toString("hex")]: "***", [be("пароль").toString("hex")]: "***" });
  // The zero byte at an end of the UTF-16 text is not masked.
  masks("aпb", { [le("aпb").toString("hex")]: "***00", [be("aпb").toString("hex")]: "00***" });
  masks("пb1", { [le("пb1").toString("hex")]: "***00" });
  masks('a "b" c', { [le(JSON.stringify('a "b" c').slice(1, -1)).toString("hex")]: "***00" });
  masks("a&b=c", { [base64(le(base64("a&b=c")).toString("hex"))]: "***MDA=" });
});
