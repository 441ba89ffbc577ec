import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BoundedQueue,
  type BoundedQueueOptions,
  type Overflow,
} from "../../client/subscribe/bounded_queue.ts";
import { OverflowError } from "../../client/errors.ts";
import { breathe } from "../helpers/eventually.ts";

type Item = number | string;

function stream(options: Partial<BoundedQueueOptions<Item>> = {}): BoundedQueue<Item> {
  return new BoundedQueue<Item>({
    capacity: 3,
    overflow: "drop-oldest",
    createMarker: (missed) => `missed ${missed}`,
    ...options,
  });
}

/** Ends the queue and reads the rest of its items. */
async function rest(stream: BoundedQueue<Item>): Promise<Item[]> {
  stream.end();
  return await Array.fromAsync(stream);
}

test("returns items in order, to waiting readers and later ones", async () => {
  const it = stream();
  const first = it.next();
  it.push(1);
  it.push(2);
  it.push(3);
  assert.deepEqual(await first, { done: false, value: 1 });
  assert.equal(it.size, 2);
  assert.deepEqual(await rest(it), [2, 3]);
});

test("serves waiting readers in order", async () => {
  const it = stream();
  const reads = [it.next(), it.next(), it.next()];
  it.push(1);
  it.push(2);
  it.end();
  assert.deepEqual((await Promise.all(reads)).map(({ value }) => value), [1, 2, undefined]);
});

test("keeps unread items readable after the end, unless they are discarded", async () => {
  const kept = stream();
  kept.push(1);
  kept.end();
  kept.push(2);
  assert.deepEqual(await Array.fromAsync(kept), [1]);
  const discarded = stream();
  discarded.push(1);
  discarded.end(true);
  assert.deepEqual(await Array.fromAsync(discarded), []);
});

test("rejects once with the error, after the unread items", async () => {
  const it = stream();
  it.push(1);
  it.fail(new Error("gone"));
  it.fail(new Error("a second error"));
  assert.deepEqual(await it.next(), { done: false, value: 1 });
  await assert.rejects(it.next(), /gone/);
  assert.deepEqual(await it.next(), { done: true, value: undefined });
});

test("rejects one waiting reader with the error and ends the others", async () => {
  const it = stream();
  const [first, second] = [it.next(), it.next()];
  it.fail(new Error("gone"));
  await assert.rejects(first, /gone/);
  assert.deepEqual(await second, { done: true, value: undefined });
});

const OVERFLOWS: Record<Exclude<Overflow, "error">, Item[]> = {
  "drop-oldest": ["missed 2 from 1", 3, 4, 5],
  "drop-newest": [1, 2, 3, "missed 2 from 4"],
};

for (const [overflow, expected] of Object.entries(OVERFLOWS)) {
  test(`${overflow} puts a marker with the number of dropped items in their place`, async () => {
    const it = stream({
      overflow: overflow as Overflow,
      createMarker: (missed, first) => `missed ${missed} from ${first}`,
    });
    for (let i = 1; i <= 5; i++) it.push(i);
    assert.equal(it.size, 3);
    assert.deepEqual(await rest(it), expected);
  });
}

test("drop-oldest counts items that it drops while a marker is unread", async () => {
  const it = stream();
  for (let i = 1; i <= 5; i++) it.push(i);
  assert.equal((await it.next()).value, "missed 2");
  for (let i = 6; i <= 8; i++) it.push(i);
  assert.deepEqual(await rest(it), ["missed 3", 6, 7, 8]);
});

test("drop-newest puts a marker at each place where it dropped items", async () => {
  const it = stream({ overflow: "drop-newest" });
  for (let i = 1; i <= 5; i++) it.push(i);
  assert.equal((await it.next()).value, 1);
  it.push(6);
  it.push(7);
  assert.deepEqual(await rest(it), [2, 3, "missed 2", 6, "missed 1"]);
});

test("overflow 'error' fails after the unread items and calls `onLeave` once", async () => {
  let left = 0;
  const it = stream({ overflow: "error", onLeave: () => left++ });
  for (let i = 1; i <= 6; i++) it.push(i);
  assert.equal(left, 1);
  for (const value of [1, 2, 3]) assert.deepEqual(await it.next(), { done: false, value });
  await assert.rejects(it.next(), (error) => {
    assert(error instanceof OverflowError);
    assert.equal(error.code, "overflow");
    assert.equal(error.message, "Cannot keep event: the buffer of 3 is full");
    return true;
  });
});

test("a marker takes no room: no item is dropped for it, and it is not dropped alone", async () => {
  const it = stream();
  it.push(1);
  it.pushMarker("gap");
  it.push(2);
  it.push(3);
  assert.deepEqual(await rest(it), [1, "gap", 2, 3]);
});

test("does not count skipped markers as dropped items", async () => {
  const it = stream({ createMarker: (missed, first) => `missed ${missed} from ${first}` });
  it.pushMarker("gap");
  for (let i = 1; i <= 4; i++) it.push(i);
  const all = await rest(it);
  assert.equal(all.filter((item) => typeof item === "number").length, 3);
  assert.equal(all[0], "missed 1 from gap");
});

test("joins adjacent markers if `joinMarkers` allows it", async () => {
  const it = stream({
    joinMarkers: (first, second) =>
      [first, second].includes("other") ? undefined : `${first}+${second}`,
  });
  it.pushMarker("a");
  it.pushMarker("b");
  it.push(1);
  it.pushMarker("c");
  it.pushMarker("other");
  it.pushMarker("d");
  assert.equal(it.size, 1);
  assert.deepEqual(await rest(it), ["a+b", 1, "c", "other", "d"]);
});

test("leaving a loop calls `onLeave` once and discards the unread items", async () => {
  let left = 0;
  const it = stream({ onLeave: () => left++ });
  it.push(1);
  it.push(2);
  for await (const item of it) {
    assert.equal(item, 1);
    break;
  }
  assert.equal(left, 1);
  assert.equal(it.size, 0);
  await it.return();
  it.end();
  assert.equal(left, 1);
  assert.deepEqual(await it.next(), { done: true, value: undefined });
});

test("leaving ends a waiting read", async () => {
  const it = stream();
  const read = it.next();
  await breathe(1);
  await it.return();
  assert.deepEqual(await read, { done: true, value: undefined });
});

test("keeps order and memory bounded over many items", async () => {
  const it = stream({ capacity: 4_000 });
  let expected = 0;
  for (let i = 0; i < 50_000; i++) {
    it.push(i);
    if (i >= 3_000) assert.equal((await it.next()).value, expected++);
  }
  assert.equal(it.size, 3_000);
  assert.deepEqual((await rest(it)).slice(0, 2), [expected, expected + 1]);
});
