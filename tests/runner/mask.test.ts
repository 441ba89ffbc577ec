import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { Mask } from "../../runner/engine/mask.ts";
import { maskEvent } from "../../runner/engine/mask_event.ts";
import { MaskSearch } from "../../runner/engine/mask_search.ts";
import type { RecipeEvent } from "../../runner/events/event.ts";

function maskOf(...secrets: string[]): Mask {
  const mask = new Mask();
  for (const secret of secrets) mask.add(secret);
  return mask;
}

const bytesOf = (text: string) => Buffer.from(text);

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

test("masks a text again after a secret was added, however long the text is", () => {
  const mask = maskOf("first-secret");
  for (const filler of ["", "x y ".repeat(10_000)]) {
    const text = `${filler} first-secret second-secret${filler.length}`;
    for (let i = 0; i < 2; i++) {
      equal(mask.text(text), `${filler} *** second-secret${filler.length}`);
    }
    mask.add(`second-secret${filler.length}`);
    equal(mask.text(text), `${filler} *** ***`);
  }
});

test("leaves no part of overlapping secrets", () => {
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
  const key = `-----BEGIN KEY-----\n${"Kq7wZ".repeat(13)}\nxyz\n-----END KEY-----\n`;
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

test("leaves what the runner itself fills in, even if a secret has the same text", () => {
  const mask = maskOf("123", "true", "passed", "failed", "steps", "wait", "job", "2026-01", "bail");
  const ts = "2026-01-01T00:00:00Z";
  const step = { case: 123, step: "123", phase: "steps", ts } as const;
  const usual = { runs: 123, failed: 123, flaky: 123, median_ms: 123, slower: true };
  const counts = { passed: 123, failed: 123, errored: 123, unchecked: 123 };
  const others = { interrupted: 123, skipped: 123, flaky: 123, warnings: 123 };
  const place = { file: "a", line: 123, column: 123, text: "", length: 123 };
  const failure = { kind: "wait", message: "", lines: [] as string[], place, step: "123" } as const;
  const done = { status: "passed", duration_ms: 123, usual } as const;
  const events: RecipeEvent[] = [
    { type: "run.started", version: 123, cases: 123, server: "", ts },
    { type: "step.started", ...step, kind: "wait", label: "", place, attempt: 123 },
    { type: "step.retried", ...step, attempt: 123, failure },
    { type: "step.progress", ...step, text: "", since: ts },
    {
      type: "step.finished",
      ...step,
      ...done,
      kind: "wait",
      label: "",
      place,
      attempts: 123,
      soft: true,
    },
    { type: "case.finished", ts, case: 123, name: "", file: "", ...done, flaky: true },
    { type: "case.skipped", ts, case: 123, name: "", file: "", reason: "bail" },
    {
      type: "run.finished",
      ts,
      exit_code: 123,
      interrupted: true,
      duration_ms: 123,
      counts: { ...counts, ...others },
    },
  ];
  for (const event of events) deepEqual(maskEvent(event, mask), event);
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

test("masks short texts as it masks those that it must decode", () => {
  const encodings: ((secret: string) => string)[] = [
    (secret) => secret,
    (secret) => bytesOf(secret).toString("base64"),
    (secret) => bytesOf(secret).toString("base64url"),
    (secret) => bytesOf(secret).toString("hex"),
    (secret) => [...bytesOf(secret)].map((byte) => byte.toString(16)).join(" "),
    (secret) => [...bytesOf(secret)].join(","),
    (secret) => [...bytesOf(secret)].join(""),
    (secret) => [...bytesOf(secret)].map((byte) => `%${byte.toString(16)}`).join(""),
    (secret) => [...bytesOf(secret)].map((byte) => `&#${byte};`).join(""),
  ];
  const text = fc.stringMatching(/^[ -~]{0,12}$/);
  fc.assert(
    fc.property(
      fc.stringMatching(/^[!-~]{3,12}$/),
      fc.constantFrom(...encodings),
      text,
      text,
      fc.nat(4),
      (secret, encode, before, after, cut) => {
        const mask = maskOf(secret);
        const encoded = encode(secret);
        const one = `${before}${encoded.slice(0, encoded.length - cut)}${after}`;
        // A line break is looked for in another way than by the characters of a single line.
        equal(`${mask.text(one)}\n`, mask.text(`${one}\n`));
      },
    ),
    { numRuns: 500 },
  );
});

test("masks the shortest text that can hold a secret in an encoding", () => {
  equal(maskOf("\x01\x02\x03").text("1,2,3"), "***");
  equal(maskOf("êêê").text("ea ea ea"), "***");
  equal(maskOf("abc").text("YWJj"), "***");
  equal(maskOf("wörd").text("wörd"), "***");
});
