import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { Buffer } from "node:buffer";
import { Mask } from "../../runner/engine/mask.ts";
import { maskEvent } from "../../runner/engine/mask_event.ts";
import { MaskSearch } from "../../runner/engine/mask_search.ts";
import type { RecipeEvent } from "../../runner/events/event.ts";

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
      Array.from({ length: 2_000 }, (_, i) => random(50, i)),
      [random(200_000)],
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

test("reads each byte of a text once, however long and repetitive the secrets are", () => {
  const search = new MaskSearch(["a".repeat(5_000), `${"a".repeat(50)}b`].map(bytesOf));
  for (const length of [4_999, 50_000]) {
    let reads = 0;
    const bytes = new Proxy(bytesOf("a".repeat(length)), {
      get: (target, key) => {
        if (/^\d+$/.test(String(key))) reads++;
        return Reflect.get(target, key, target);
      },
    });
    const found: number[][] = [];
    search.find(bytes, (start, end) => found.push([start, end]));
    deepEqual(found, length < 5_000 ? [] : [[0, length]]);
    equal(reads, length);
  }
});

test("leaves no rest of secrets that overlap", () => {
  const mask = maskOf("abcdeX", "Xvery-sensitive");
  equal(mask.text("abcdeXvery-sensitive"), "***");
  equal(mask.text("say abcdeXvery-sensitive!"), "say ***!");
  equal(mask.text(`>${bytesOf("abcdeXvery-sensitive").toString("base64")}<`), ">***<");
  equal(maskOf("abcab").text("abcabcab"), "***");
  equal(maskOf("aaa").text("aaaaa"), "***");
  equal(maskOf("one-two", "two-three", "three-four").text("one-two-three-four"), "***");
  equal(maskOf("secret", "secretary").text("a secretary, a secret"), "a ***, a ***");
  equal(maskOf("inner", "an inner text").text("an inner text"), "***");
  equal(maskOf("inner", "an inner text").text("an inner tex"), "an *** tex");
});

test("masks a secret without the white space around it", () => {
  for (const secret of ["s3cr3t\n", " s3cr3t", "\ts3cr3t\r\n"]) {
    equal(maskOf(secret).text("it is s3cr3t!"), "it is ***!", JSON.stringify(secret));
  }
  // Nothing would be left to look for.
  equal(maskOf(" \n \n ").text("a \n \n b"), "a \n \n b");
});

test("masks the lines of a secret, and the secret with other line breaks", () => {
  const key = `-----BEGIN KEY-----\n${random(64, 7)}\nxyz\n-----END KEY-----\n`;
  const mask = maskOf(key);
  const [, line] = key.split("\n");
  equal(mask.text(`it has ${line}!`), "it has ***!");
  for (const lineBreak of ["\r\n", "\n  ", "\\n", ""]) {
    equal(mask.text(`"${key.trim().replaceAll("\n", lineBreak)}"`), '"***"');
  }
});

test("masks an address as requests and errors show it", () => {
  const cases: [secret: string, shown: string, masked: string][] = [
    ["http://127.1:80/a/../hook-s3cr3t", "http://127.0.0.1/hook-s3cr3t", "***"],
    ["http://user:pw-of-it@127.1/h?k=v", "http://127.0.0.1/h?k=v", "***"],
    ["http://user:pw-of-it@127.1/h", "user user, password pw-of-it", "*** ***, password ***"],
    [
      "HTTPS://Hooks.Example.com/T0/B0 x",
      "for (https://hooks.example.com/T0/B0%20x):",
      "for (***):",
    ],
    ["https://hooks.example.com/T000/B000", "POST /T000/B000 failed", "POST *** failed"],
    ["https://hooks.example.com", "url (https://hooks.example.com/)", "url (***)"],
  ];
  for (const [secret, shown, masked] of cases) equal(maskOf(secret).text(shown), masked, secret);
  // A short path would be found in too many texts.
  equal(maskOf("https://hooks.example.com/dwp").text("ws://127.0.0.1/dwp"), "ws://127.0.0.1/dwp");
});

test("masks a text whole when it is in more encodings than can be decoded in time", () => {
  let text = "a \\ b % c & d";
  for (let i = 0; i < 6; i++) {
    const encoded = [JSON.stringify(text), encodeURIComponent(text), text.replaceAll("&", "&amp;")];
    text = `${encoded.join("\n").slice(0, 3_000)}\n${text}`;
  }
  equal(maskOf("xyz").text(text), "***");
});

test("masks a secret of digits that is a number, and one that is a boolean", () => {
  const mask = maskOf("123456", "true");
  deepEqual(mask.value({ a: 123456, b: [true, null, 7], c: { d: -1234567 } }), {
    a: "***",
    b: ["***", null, 7],
    c: { d: "***" },
  });
});

test("masks every field of an event that does not come from the runner", () => {
  const failure = { kind: "server", message: "no", code: 123456, lines: [] as string[] } as const;
  const place = { file: "a", line: 123456, column: 1, text: "", length: 1 };
  const event: RecipeEvent = {
    type: "step.finished",
    ts: "2026-01-01T00:00:00Z",
    case: 123456,
    step: "1",
    phase: "steps",
    kind: "wait",
    label: "a",
    place,
    status: "failed",
    duration_ms: 123456,
    attempts: 1,
    soft: false,
    failure,
    observed: {
      entity: { kind: "job", id: "123456", name: "123456" },
      states: [{ state: "123456", at: "2026-01-01T00:00:00Z" }],
      timeline: [{ step_name: "123456", at: "2026-01-01T00:00:00Z", created_at: "123456" }],
    },
  };
  deepEqual(maskEvent(event, maskOf("123456")), {
    ...event,
    failure: { ...failure, code: "***" },
    observed: {
      entity: { kind: "job", id: "***", name: "***" },
      states: [{ state: "***", at: "2026-01-01T00:00:00Z" }],
      timeline: [{ step_name: "***", at: "2026-01-01T00:00:00Z", created_at: "***" }],
    },
  });
});

test("leaves texts without secrets as they are", () => {
  const mask = maskOf("hunter2hunter2", 's3cr3t/"<pa ss>&wörd', "Xy7");
  for (
    const text of [
      "",
      "a",
      "wait for job `job_01JDK3W7V8XKZ5Q2` to be completed within 10s",
      '{"a":"say \\"hi\\"","b":"aHVudGVyMg==","c":"%20&amp;\\u00e4"}',
      "hunter2\nhunter",
      "lone \ud800 surrogate, emoji 😀, ä",
    ]
  ) equal(mask.text(text), text);
});
