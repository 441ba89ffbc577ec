// Long texts, and all combinations of encodings.
import { deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Mask } from "../../runner/engine/mask.ts";

function maskOf(...secrets: string[]): Mask {
  const mask = new Mask();
  for (const secret of secrets) mask.add(secret);
  return mask;
}

/** Text without repetition, with characters that encodings change. */
function random(length: number, seed = length): string {
  const characters = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789-_!/\\ "<&%+äß';
  let state = seed;
  return Array.from({ length }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return characters[Math.floor(state / 65_536) % characters.length];
  }).join("");
}

const bytesOf = (text: string) => Buffer.from(text);
const entities = (text: string, write: (code: number) => string) =>
  text.replace(/[^A-Za-z0-9 ]/gu, (char) => `&${write(char.codePointAt(0)!)};`);
const utf16be = (text: string) => Buffer.from(text, "utf16le").swap16();
const equalsSigns = (bytes: Iterable<number>) =>
  [...bytes].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
/** Encodes text as mail programs do, in lines of 76 characters at most. */
const quotedPrintable = (text: string) =>
  text.replace(/[^ -<>-~\r\n]+/gu, (chars) => equalsSigns(bytesOf(chars)))
    .replace(/(?:=..|.){72}(?=.)/g, "$&=\r\n");

function base32(text: string): string {
  const bits = [...bytesOf(text)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const characters = bits.match(/.{1,5}/g)!.map((five) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[parseInt(five.padEnd(5, "0"), 2)]
  );
  return characters.join("").padEnd(Math.ceil(characters.length / 8) * 8, "=");
}

const wrapAt = (columns: number, text: string, lineBreak: string) =>
  text.replace(new RegExp(`.{${columns}}(?=.)`, "gsu"), `$&${lineBreak}`);

/** Encodings of a text as programs write them. */
const ENCODINGS: Record<string, (text: string) => string> = {
  "nothing": (text) => text,
  "JSON": (text) => JSON.stringify(text).slice(1, -1),
  "JSON with `<`, `>` and `&` escaped": (text) =>
    JSON.stringify(text).slice(1, -1).replace(
      /[<>&]/g,
      (char) => `\\u00${char.charCodeAt(0).toString(16)}`,
    ),
  "JSON in ASCII": (text) =>
    JSON.stringify(text).slice(1, -1).replace(
      /[^ -~]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
  "JSON with escaped slashes": (text) => JSON.stringify(text).slice(1, -1).replaceAll("/", "\\/"),
  "URL": (text) => encodeURIComponent(text),
  "URL in lower case": (text) =>
    encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()),
  "URL with every byte escaped": (text) =>
    [...bytesOf(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  "a form": (text) => new URLSearchParams({ a: text }).toString().slice(2),
  "base64": (text) => bytesOf(text).toString("base64"),
  "base64url": (text) => bytesOf(text).toString("base64url"),
  "base64 at the second alignment": (text) => bytesOf(`x${text}yz`).toString("base64"),
  "base64 at the third alignment": (text) => bytesOf(`xy${text}z`).toString("base64url"),
  "hexadecimal": (text) => bytesOf(text).toString("hex"),
  "hexadecimal capitals": (text) => bytesOf(text).toString("hex").toUpperCase(),
  "hexadecimal with colons": (text) => bytesOf(text).toString("hex").replace(/..(?=.)/g, "$&:"),
  "hexadecimal numbers": (text) =>
    [...bytesOf(text)].map((byte) => `0x${byte.toString(16).padStart(2, "0")}`).join(", "),
  "bytes of a string literal": (text) =>
    [...bytesOf(text)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join(""),
  "named entities": (text) =>
    entities(
      text,
      (code) =>
        ({ 34: "quot", 38: "amp", 60: "lt", 62: "gt", 228: "auml", 223: "szlig" })[code] ??
          `#${code}`,
    ),
  "decimal entities": (text) => entities(text, (code) => `#${code}`),
  "hexadecimal entities": (text) => entities(text, (code) => `#x${code.toString(16)}`),
  "octal bytes of a string literal": (text) =>
    [...bytesOf(text)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join(""),
  "decimal bytes": (text) => JSON.stringify([...bytesOf(text)]).slice(1, -1),
  "decimal bytes as Go writes them": (text) => [...bytesOf(text)].join(" "),
  "base32": base32,
  "quoted-printable": quotedPrintable,
  "quoted-printable with every byte escaped": (text) => equalsSigns(bytesOf(text)),
  "UTF-16 in base64": (text) => Buffer.from(text, "utf16le").toString("base64"),
  "big-endian UTF-16 in base64": (text) => utf16be(text).toString("base64url"),
  "UTF-16 in hexadecimal": (text) => Buffer.from(text, "utf16le").toString("hex"),
  "UTF-16 in URL": (text) =>
    [...utf16be(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  "UTF-32 in base64": (text) =>
    Buffer.from(
      [...text].flatMap((char) => [...Uint32Array.of(char.codePointAt(0)!)])
        .flatMap((code) => [code & 0xff, code >> 8 & 0xff, code >> 16, 0]),
    ).toString("base64"),
};

/** Encodings that a second one is applied to. */
const INNER = [
  "JSON",
  "URL",
  "base64",
  "base64 at the second alignment",
  "hexadecimal",
  "quoted-printable",
  "named entities",
  "UTF-16 in base64",
];

const SECRETS: Record<string, string> = {
  "of letters": "hunter2hunter2",
  "with special characters": 's3cr3t/"<pa ss>&wörd\\+%41',
  "of 500 characters": random(500),
};

/** Whether masking left no more of the encoded text than what was around the secret. */
function isMasked(masked: string, encode: (text: string) => string, around: string): boolean {
  const [before, ...rest] = masked.split("***");
  // In base64, up to four characters on each side mix the secret with the text around it.
  const limit = encode(`${around}==12345678`).length + 4;
  return rest.length > 0 && `${before}${rest.join("")}`.length <= limit;
}

for (const [kind, secret] of Object.entries(SECRETS)) {
  const mask = maskOf(secret);
  for (const [name, encode] of Object.entries(ENCODINGS)) {
    test(`masks a secret ${kind} in ${name}, also inside other encodings and wrapped`, () => {
      const encoded = encode(secret);
      const text = mask.text(`before "${encoded}" after`);
      ok(text.startsWith('before "') && text.endsWith('" after'), text);
      ok(isMasked(text.slice(8, -7), encode, ""), text);
      for (const inner of INNER) {
        const masked = mask.text(encode(`{"a":"${ENCODINGS[inner]!(secret)}"}`));
        ok(isMasked(masked, encode, '{"a":""}'), `${inner} in ${name}: ${masked}`);
      }
      // Quoted-printable is wrapped already if it is long.
      for (const columns of encoded.includes("=\r\n") ? [] : [8, 64, 76]) {
        for (const lineBreak of ["\n", "\r\n", "\n    ", "\\n", "\\r\\n", "%0A"]) {
          // A text with escape sequences is wrapped before it is written with more of them, and one
          // with spaces is not indented.
          if (!/^[\r\n]/.test(lineBreak) && /[\\%=]/.test(encoded)) continue;
          if (lineBreak.endsWith(" ") && encoded.includes(" ")) continue;
          const masked = mask.text(wrapAt(columns, encoded, lineBreak));
          ok(isMasked(masked, encode, ""), `${name} at ${columns}: ${masked}`);
        }
      }
    });
  }
}

test("masks secrets of any size, in any number", () => {
  for (
    const secrets of [
      [random(20_000)],
      Array.from({ length: 16 }, (_, i) => random(1_700, i)),
      Array.from({ length: 500 }, (_, i) => random(50, i)),
      [random(50_000)],
    ]
  ) {
    const mask = maskOf(...secrets);
    for (const secret of [secrets[0]!, secrets.at(-1)!]) {
      equal(mask.text(`before ${secret} after`), "before *** after");
      equal(mask.text(`"${JSON.stringify(secret)}"`), '""***""');
      equal(mask.text(bytesOf(secret).toString("base64")), "***");
      equal(mask.text(`before ${secret.slice(1)} after`), `before ${secret.slice(1)} after`);
    }
  }
});

test("masks a text whole when it is in more encodings than can be decoded in time", () => {
  let text = "a \\ b % c & d";
  for (let i = 0; i < 6; i++) {
    const encoded = [JSON.stringify(text), encodeURIComponent(text), text.replaceAll("&", "&amp;")];
    text = `${encoded.join("\n").slice(0, 3_000)}\n${text}`;
  }
  const mask = maskOf("xyz", "short");
  equal(mask.text(text), "***");
  deepEqual(mask.value(["x", text, "short"]), ["x", "***", "***"]);
});
