// A secret can be spread over the items of a list, such as the lines of a text or bytes.
import { deepEqual, equal } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Mask } from "../../runner/engine/mask.ts";
import { maskEvent } from "../../runner/engine/mask_event.ts";
import type { RecipeEvent } from "../../runner/events/event.ts";

function maskOf(...secrets: string[]): Mask {
  const mask = new Mask();
  for (const secret of secrets) mask.add(secret);
  return mask;
}

const mask = maskOf("hunter2hunter2", "abc\ndefgh", "short");

test("masks a secret that is spread over the items of a list", () => {
  deepEqual(mask.value(["a hunter2", "hunter2 b"]), ["a ***", "*** b"]);
  deepEqual(mask.value(["hunter2hunter2", "x", "hunter2", "hunter2"]), ["***", "x", "***", "***"]);
  deepEqual(mask.value(["x", "hun", "", "ter2hunter", "2", "y"]), [
    "x",
    "***",
    "",
    "***",
    "***",
    "y",
  ]);
  deepEqual(mask.value([..."a hunter2hunter2"]), ["a", " ", ...Array(14).fill("***")]);
  deepEqual(mask.value({ lines: ["x abc", "defgh y"] }), { lines: ["x ***", "*** y"] });
  deepEqual(mask.value([["hunter2", "hunter2"], 1]), [["***", "***"], 1]);
});

test("masks a secret in an encoding that is spread over the items of a list", () => {
  const base64 = Buffer.from("hunter2hunter2").toString("base64");
  deepEqual(mask.value([base64.slice(0, 9), base64.slice(9)]), ["***", "***"]);
  const bytes = [...Buffer.from("-hunter2hunter2-")];
  deepEqual(mask.value(bytes), [45, ...Array(14).fill("***"), 45]);
  deepEqual(mask.value(bytes.map((byte) => byte.toString(16))), [
    "2d",
    ...Array(14).fill("***"),
    "2d",
  ]);
});

test("masks two secrets in one item if one of them is spread over several items", () => {
  deepEqual(mask.value(["a short hunter2", "hunter2 short b"]), ["a *** ***", "*** *** b"]);
});

test("masks a secret that is spread over items if a part of it is a secret, too", () => {
  deepEqual(maskOf("hunter", "hunter2hunter2").value(["hunter2", "hunter2"]), ["***", "***"]);
});

test("does not mask a short secret that is spread over the items of a list", () => {
  // Lists that spell out seven characters or fewer are common.
  deepEqual(maskOf("1234567").value([12, 34567]), [12, 34567]);
  deepEqual(maskOf("1234567").value(["12", "1234567", 34567]), ["12", "***", 34567]);
  deepEqual(maskOf("1234567").value(["a long text", 12, 34567]), ["a long text", 12, 34567]);
  deepEqual(maskOf("12345678").value([0, 1, 2345678]), [0, "***", "***"]);
  deepEqual(maskOf("12345678").value([91, 2345678]), ["***", "***"]);
  const both = maskOf("1234567", "hunter2hunter2").value(["12", "34567 hunter2", "hunter2"]);
  deepEqual(both, ["12", "34567 ***", "***"]);
  deepEqual(maskOf("12345678").value([1, 2345678, 9]), ["***", "***", 9]);
});

test("leaves a list without secrets, and one with other items, as it is", () => {
  for (
    const list of [[], ["hunter2"], ["a", 1], ["hunter2", "hunter3"], ["hunter2", null, "hunter2"]]
  ) {
    deepEqual(mask.value(list), list);
  }
  deepEqual(mask.value(["hunter2", [], "hunter2"]), ["hunter2", [], "hunter2"]);
  deepEqual(mask.value(["hunter2", { a: 1 }, "hunter2"]), ["hunter2", { a: 1 }, "hunter2"]);
});

test("masks lists of texts in events as a whole, and other lists item by item", () => {
  const event: RecipeEvent = {
    type: "log",
    ts: "2026-01-01T00:00:00Z",
    case: 0,
    text: "hunter2hunter2",
    value: ["hunter2", "hunter2"],
    others: [{ line: "short", name: "short" }, "short", null, ["hunter2", "hunter2"]],
  } as unknown as RecipeEvent;
  deepEqual(maskEvent(event, mask) as unknown, {
    ...event,
    text: "***",
    value: ["***", "***"],
    others: [{ line: "short", name: "***" }, "***", null, ["***", "***"]],
  });
  equal(maskEvent(event, new Mask()), event);
});

test("masks the keys of maps whose keys come from a recipe", () => {
  const event = { type: "case.finished", vars: { type: "short", short: 1 }, matrix: { short: 1 } };
  deepEqual(maskEvent(event as unknown as RecipeEvent, mask) as unknown, {
    type: "case.finished",
    vars: { type: "***", "***": 1 },
    matrix: { "***": 1 },
  });
});
