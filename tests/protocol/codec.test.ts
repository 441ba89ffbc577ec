import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import { decode, encode } from "@msgpack/msgpack/dist.esm/index.mjs";
import {
  type Codec,
  FrameError,
  type FrameHead,
  jsonCodec,
  loadMsgpackCodec,
} from "../../protocol/mod.ts";

const msgpackCodec = await loadMsgpackCodec();
const codecs: Codec[] = [jsonCodec, msgpackCodec];

const DATA: unknown[] = [
  null,
  true,
  0,
  -1.5,
  1e300,
  "",
  "Grüße 😀 漢字 \u0000\u2028",
  [],
  {},
  [1, "two", { three: null }],
  { name: "send-email", payload: { to: "a@example.com", list: [[[]]] } },
];

for (const codec of codecs) {
  test(`${codec.name}: encodes and decodes data of every kind`, () => {
    for (const data of DATA) {
      const head: FrameHead = { id: "q1", type: "request", method: "job.enqueue" };
      deepEqual(codec.decode(codec.encode(head, JSON.stringify(data))), { ...head, data });
    }
  });

  test(`${codec.name}: encodes and decodes every field of a frame`, () => {
    const head: FrameHead = {
      id: "ü",
      type: "error",
      method: "auth",
      correl_id: "q0",
      token: "secret",
      channel: "job:x",
      credits: 1000,
      error: { code: 400, message: "no", details: "more" },
      ts: "2026-11-24T08:03:20.937Z",
    };
    deepEqual(codec.decode(codec.encode(head)), head);
  });

  test(`${codec.name}: a frame without data is decoded without data`, () => {
    const frame = codec.decode(codec.encode({ id: "1", type: "ping" }));
    equal("data" in frame, false);
    equal("ts" in frame, false);
  });
}

test("a JSON message is text, a MessagePack message is bytes", () => {
  equal(typeof jsonCodec.encode({ id: "1", type: "ping" }), "string");
  ok(msgpackCodec.encode({ id: "1", type: "ping" }) instanceof Uint8Array);
});

test("msgpack: data is sent as a bin of JSON text, with its white space", () => {
  const bytes = msgpackCodec.encode({ id: "1", type: "request" }, '{"a" :\t1}') as Uint8Array;
  const latin1 = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  ok(latin1.includes('\xc4\x09{"a" :\t1}'), latin1);
});

test("msgpack: throws a FrameError that shows the bytes if they are not a frame", () => {
  for (const bytes of [[], [0xc1], [0x81], [0x93, 1, 2], [0xdf, 255, 255, 255, 255], [1, 2]]) {
    throws(
      () => msgpackCodec.decode(Uint8Array.from(bytes)),
      (error) => {
        ok(error instanceof FrameError, String(error));
        equal(error.excerpt, bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(""));
        return true;
      },
    );
  }
});

test("an error says what a message is not, and why", () => {
  const bytesOf = (value: unknown) => encode(value) as Uint8Array;
  const data = (text: string) => bytesOf({ type: "event", data: new TextEncoder().encode(text) });
  for (
    const [codec, message, text, hasCause] of [
      [jsonCodec, "hello", /^Cannot decode frame: not JSON: hello$/, true],
      [msgpackCodec, Uint8Array.of(0xc1), /: malformed MessagePack: .*: c1$/, true],
      [msgpackCodec, data("{nope"), /: malformed MessagePack: SyntaxError/, true],
      [msgpackCodec, data(""), /: malformed MessagePack: SyntaxError/, true],
      [msgpackCodec, bytesOf(null), /: not an object: c0$/, false],
    ] as const
  ) {
    throws(() => codec.decode(message), (error: Error) => {
      match(error.message, text);
      equal(error.cause instanceof Error, hasCause);
      return true;
    });
  }
});

test("msgpack: sends ts as a timestamp", () => {
  const ts = "2026-11-24T08:03:20.937Z";
  const frame = decode(msgpackCodec.encode({ id: "1", type: "ping", ts }) as Uint8Array);
  deepEqual(frame, { id: "1", type: "ping", ts: new Date(ts) });
});

test("msgpack: throws if the message is text", () => {
  throws(() => msgpackCodec.decode('{"id":"1","type":"pong"}'), /not MessagePack/);
});

test("msgpack: the excerpt of an error has at most 200 characters", () => {
  throws(
    () => msgpackCodec.decode(new Uint8Array(100_000)),
    (error) => error instanceof FrameError && error.excerpt.length === 200,
  );
});

test("msgpack: throws a FrameError if data is not JSON", () => {
  const bytes = encode({ type: "event", data: new TextEncoder().encode("{nope") });
  throws(() => msgpackCodec.decode(bytes), FrameError);
  throws(() => msgpackCodec.decode(encode({ type: "event", data: new Uint8Array() })), FrameError);
});

test("msgpack: throws a FrameError if ts is beyond the range of a Date", () => {
  // {type: "pong", ts: timestamp96 of 2^62 seconds}
  const bytes = [0x82, 0xa4, ...ascii("type"), 0xa4, ...ascii("pong"), 0xa2, ...ascii("ts")];
  const timestamp = [0xc7, 12, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0];
  throws(
    () => msgpackCodec.decode(Uint8Array.from([...bytes, ...timestamp])),
    /: malformed MessagePack: RangeError/,
  );
});

test("msgpack: decodes ts as RFC 3339", () => {
  const bytes = encode({ type: "pong", ts: new Date("2026-11-24T08:03:20.937Z") });
  equal(msgpackCodec.decode(bytes).ts, "2026-11-24T08:03:20.937Z");
});

function ascii(text: string): number[] {
  return Array.from(text, (char) => char.charCodeAt(0));
}
