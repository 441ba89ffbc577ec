import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { encode } from "@msgpack/msgpack/dist.esm/index.mjs";
import {
  channelsOf,
  type Codec,
  decodeJob,
  decodeRun,
  decodeStats,
  decodeTimeline,
  EntityError,
  FrameError,
  jsonCodec,
  loadMsgpackCodec,
  matchesChannel,
  parseChannel,
  toEvent,
} from "../../protocol/mod.ts";
import { Random } from "./random.ts";

const ROUNDS = 2_000;
const msgpackCodec = await loadMsgpackCodec();

/** Returns whether a decoder accepts its input; any other error than `rejection` fails the test. */
function accepts(
  decode: () => unknown,
  rejection: typeof FrameError | typeof EntityError,
  input: unknown,
): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    if (error instanceof rejection) return false;
    throw new Error(`threw ${error} for ${JSON.stringify(input)}`, { cause: error });
  }
}

/** Asserts that some inputs were accepted and some rejected, so that the test covers both. */
function assertMixed(accepted: number, all: number): void {
  ok(accepted > 0 && accepted < all, `accepted ${accepted} of ${all}`);
}

function frameOf(random: Random): Record<string, unknown> {
  const frame = { id: "1", type: random.pick(["request", "event", "error", "pong"]) };
  return { ...frame, ...random.json(4) as Record<string, unknown>, data: random.json() };
}

test("json: random values and damaged frames are decoded or rejected with a FrameError", () => {
  const random = new Random(2);
  let accepted = 0;
  for (let i = 0; i < ROUNDS; i++) {
    let text = JSON.stringify(i % 4 === 0 ? random.json(4) : frameOf(random));
    if (i % 4 === 1) text = text.slice(0, random.below(text.length + 1));
    if (i % 4 === 2) {
      const at = random.below(text.length);
      text = text.slice(0, at) + random.text(3) + text.slice(at + 1);
    }
    if (accepts(() => jsonCodec.decode(text), FrameError, text)) accepted++;
  }
  assertMixed(accepted, ROUNDS);
});

test("json and msgpack: random bytes are decoded or rejected with a FrameError", () => {
  const random = new Random(3);
  for (const codec of [jsonCodec, msgpackCodec] as Codec[]) {
    for (let i = 0; i < ROUNDS; i++) {
      const bytes = random.bytes(random.below(64));
      accepts(() => codec.decode(bytes), FrameError, [...bytes]);
    }
  }
});

test("msgpack: random values and damaged frames are decoded or rejected with a FrameError", () => {
  const random = new Random(4);
  let accepted = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const frame = frameOf(random);
    if (i % 3 === 0) frame.data = new TextEncoder().encode(JSON.stringify(frame.data));
    if (i % 5 === 0) frame.ts = new Date(random.next() * 4e12);
    let bytes = encode(frame);
    if (i % 4 === 1) bytes = bytes.slice(0, random.below(bytes.length));
    if (i % 4 === 2) bytes[random.below(bytes.length)] = random.below(256);
    if (accepts(() => msgpackCodec.decode(bytes), FrameError, [...bytes])) accepted++;
  }
  assertMixed(accepted, ROUNDS);
});

test("random values are decoded as entities or rejected with an EntityError", () => {
  const random = new Random(5);
  const seed = { id: "1", name: "n", state: "running", step_name: "s", broker: {} };
  let accepted = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const record = random.json(4);
    const value = i % 2 === 0 ? record : { ...seed, ...record as Record<string, unknown> };
    for (const decode of [decodeJob, decodeRun, decodeStats]) {
      if (accepts(() => decode(value), EntityError, value)) accepted++;
    }
    if (accepts(() => decodeTimeline([value]), EntityError, value)) accepted++;
  }
  assertMixed(accepted, ROUNDS * 4);
});

test("random values are events or not, and every event belongs to the firehose", () => {
  const random = new Random(6);
  let accepted = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const record = random.json(4);
    const value = i % 2 === 0
      ? record
      : { type: random.pick(["job.x", "workflow.x", ""]), data: random.json(), record };
    const event = toEvent(value);
    if (event === undefined) continue;
    accepted++;
    ok(channelsOf(event).includes("firehose"));
    ok(matchesChannel("firehose", event));
  }
  assertMixed(accepted, ROUNDS);
});

test("a random channel name is its kind and its id, or no channel", () => {
  const random = new Random(7);
  let channels = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const text = random.pick(["", "job:", "queue:", "jobs", ":"]) + random.text();
    const channel = parseChannel(text);
    if (channel === undefined) continue;
    channels++;
    equal("id" in channel ? `${channel.kind}:${channel.id}` : channel.kind, text);
  }
  assertMixed(channels, ROUNDS);
});
