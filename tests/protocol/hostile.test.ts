import { ok } from "node:assert/strict";
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

/** Counts what was taken; whatever else is thrown fails the test with what caused it. */
function isTaken(
  act: () => unknown,
  refusal: typeof FrameError | typeof EntityError,
  cause: unknown,
): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (error instanceof refusal) return false;
    throw new Error(`${error} was thrown for ${JSON.stringify(cause)}`, { cause: error });
  }
}

/** Both must happen, or the values were too tame or too wild to show anything. */
function expectBoth(taken: number, all: number): void {
  ok(taken > 0 && taken < all, `${taken} of ${all} were taken`);
}

function frameOf(random: Random): Record<string, unknown> {
  const frame = { id: "1", type: random.pick(["request", "event", "error", "pong"]) };
  return { ...frame, ...random.json(4) as Record<string, unknown>, data: random.json() };
}

test("json: random values and broken frames are frames or frame errors", () => {
  const random = new Random(2);
  let taken = 0;
  for (let i = 0; i < ROUNDS; i++) {
    let text = JSON.stringify(i % 4 === 0 ? random.json(4) : frameOf(random));
    if (i % 4 === 1) text = text.slice(0, random.below(text.length + 1));
    if (i % 4 === 2) {
      const at = random.below(text.length);
      text = text.slice(0, at) + random.text(3) + text.slice(at + 1);
    }
    if (isTaken(() => jsonCodec.decode(text), FrameError, text)) taken++;
  }
  expectBoth(taken, ROUNDS);
});

test("json and msgpack: random bytes are frames or frame errors", () => {
  const random = new Random(3);
  for (const codec of [jsonCodec, msgpackCodec] as Codec[]) {
    for (let i = 0; i < ROUNDS; i++) {
      const bytes = random.bytes(random.below(64));
      isTaken(() => codec.decode(bytes), FrameError, [...bytes]);
    }
  }
});

test("msgpack: random values and broken frames are frames or frame errors", () => {
  const random = new Random(4);
  let taken = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const frame = frameOf(random);
    if (i % 3 === 0) frame.data = new TextEncoder().encode(JSON.stringify(frame.data));
    if (i % 5 === 0) frame.ts = new Date(random.next() * 4e12);
    // Its decoder refuses a key named __proto__; that is seen with the random bytes.
    let bytes = encode(frame);
    if (i % 4 === 1) bytes = bytes.slice(0, random.below(bytes.length));
    if (i % 4 === 2) bytes[random.below(bytes.length)] = random.below(256);
    if (isTaken(() => msgpackCodec.decode(bytes), FrameError, [...bytes])) taken++;
  }
  expectBoth(taken, ROUNDS);
});

test("random values are entities or entity errors", () => {
  const random = new Random(5);
  const seed = { id: "1", name: "n", state: "running", step_name: "s", broker: {} };
  let taken = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const record = random.json(4);
    const value = i % 2 === 0 ? record : { ...seed, ...record as Record<string, unknown> };
    for (const decode of [decodeJob, decodeRun, decodeStats]) {
      if (isTaken(() => decode(value), EntityError, value)) taken++;
    }
    if (isTaken(() => decodeTimeline([value]), EntityError, value)) taken++;
  }
  expectBoth(taken, ROUNDS * 4);
});

test("random values are events or none, and every event has channels", () => {
  const random = new Random(6);
  let taken = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const record = random.json(4);
    const value = i % 2 === 0
      ? record
      : { type: random.pick(["job.x", "workflow.x", ""]), data: random.json(), record };
    const event = toEvent(value);
    if (event === undefined) continue;
    taken++;
    ok(channelsOf(event).includes("firehose"));
    ok(matchesChannel("firehose", event));
  }
  expectBoth(taken, ROUNDS);
});

test("random texts are channels or none", () => {
  const random = new Random(7);
  for (let i = 0; i < ROUNDS; i++) {
    const text = random.pick(["", "job:", "queue:", "jobs", ":"]) + random.text();
    const channel = parseChannel(text);
    if (channel && "id" in channel) ok(text === `${channel.kind}:${channel.id}`);
  }
});
