import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import {
  EXCERPT_LENGTH,
  type Frame,
  FRAME_TYPES,
  FrameError,
  jsonCodec,
} from "../../protocol/mod.ts";

function errorOf(message: string): FrameError {
  try {
    jsonCodec.decode(message);
  } catch (error) {
    ok(error instanceof FrameError, `threw ${(error as Error).name} instead of FrameError`);
    return error;
  }
  throw new Error("decode did not throw");
}

test("decodes frames of every type with their fields", () => {
  for (const type of FRAME_TYPES) {
    const error = type === "error" ? { error: { code: 400, message: "no" } } : {};
    const frame = { id: "1", type, method: "stats", data: [1], channel: "jobs", ...error };
    deepEqual(jsonCodec.decode(JSON.stringify(frame)), frame);
  }
});

test("keeps unknown fields", () => {
  const frame = jsonCodec.decode('{"id":"1","type":"pong","sequence":7}') as Frame & {
    sequence: number;
  };
  equal(frame.sequence, 7);
});

test("adds an empty id if it is missing", () => {
  equal(jsonCodec.decode('{"type":"event"}').id, "");
});

test("decodes bytes as UTF-8", () => {
  const bytes = new TextEncoder().encode('{"id":"ü😀","type":"pong"}');
  equal(jsonCodec.decode(bytes).id, "ü😀");
});

for (
  const [name, message, reason] of [
    ["an empty message", "", /not JSON/],
    ["text that is not JSON", "hello", /not JSON: hello$/],
    ["half a frame", '{"id":"1","type":"req', /not JSON/],
    ["a frame with trailing text", '{"id":"1","type":"pong"}x', /not JSON/],
    ["null", "null", /not an object/],
    ["a number", "5", /not an object/],
    ["a JSON string", '"request"', /not an object/],
    ["a list", '[{"id":"1","type":"pong"}]', /not an object/],
    ["a frame without type", "{}", /unknown type/],
    ["a type that is not text", '{"type":5}', /unknown type/],
    ["an unknown type", '{"type":"REQUEST"}', /unknown type .REQUEST/],
    ["a type that Object.prototype has", '{"type":"constructor"}', /unknown type/],
    ["an id that is not text", '{"type":"pong","id":5}', /'id' is not text/],
    ["a method that is not text", '{"type":"request","method":{}}', /'method' is not text/],
    [
      "a correl_id that is not text",
      '{"type":"response","correl_id":1}',
      /'correl_id' is not text/,
    ],
    ["a channel that is not text", '{"type":"event","channel":[]}', /'channel' is not text/],
    ["a time that is not text", '{"type":"pong","ts":0}', /'ts' is not text/],
    ["an error frame without error", '{"type":"error"}', /an error without code and message/],
    [
      "an error that is text",
      '{"type":"error","error":"no"}',
      /an error without code and message/,
    ],
    [
      "an error that is null",
      '{"type":"error","error":null}',
      /an error without code and message/,
    ],
    [
      "an error code that is text",
      '{"type":"error","error":{"code":"4","message":""}}',
      /an error without code/,
    ],
    [
      "an error without message",
      '{"type":"error","error":{"code":4}}',
      /an error without code and message/,
    ],
  ] as const
) {
  test(`rejects ${name} with a FrameError`, () => {
    const error = errorOf(message);
    equal(error.code, "bad_frame");
    equal(error.name, "FrameError");
    equal(error.excerpt, message);
    ok(reason.test(error.message), error.message);
  });
}

test("an error shows only the first 200 characters of the message", () => {
  equal(EXCERPT_LENGTH, 200);
  const message = "x".repeat(199) + "yz" + "w".repeat(1_000_000);
  const { excerpt, message: text } = errorOf(message);
  equal(excerpt, "x".repeat(199) + "y");
  ok(text.length < 300, `${text.length} characters`);
});

test("an error shows only the start of a long type", () => {
  const { message } = errorOf(`{"type":"${"x".repeat(1_000_000)}"}`);
  ok(message.length < 700, `${message.length} characters`);
});

test("deeply nested values do not overflow the stack", () => {
  const deep = "[".repeat(200_000) + "]".repeat(200_000);
  errorOf("[".repeat(200_000));
  errorOf(`{"type":${deep}}`);
  errorOf(`{"type":"pong","id":${deep}}`);
  try {
    equal(jsonCodec.decode(`{"type":"pong","data":${deep}}`).type, "pong");
  } catch (error) {
    ok(error instanceof FrameError, String(error));
  }
});

test("a key named __proto__ does not change a prototype", () => {
  const frame = jsonCodec.decode('{"type":"pong","__proto__":{"method":"stats"}}');
  equal(frame.method, undefined);
  equal(({} as Frame).method, undefined);
});

test("encode keeps the white space of the data", () => {
  const text = jsonCodec.encode({ id: "1", type: "request" }, '{"a" :\t1 \n }');
  equal(text, '{"id":"1","type":"request","data":{"a" :\t1 \n }}');
  throws(() => jsonCodec.decode("\ufeff{}"), FrameError);
});
