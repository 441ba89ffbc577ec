import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorld, type TraceEntry } from "../../testing/mod.ts";

/** Runs a client that asks for MessagePack; returns what crossed the network. */
async function framesOf(networkFault?: "malformed"): Promise<TraceEntry[]> {
  await using world = await createWorld({
    seed: 1,
    quirks: { "msgpack-unreadable": false },
    networkFaults: ({ text }) =>
      networkFault && text.includes("job.enqueue") ? { do: networkFault } : undefined,
  });
  const client = world.client("client", { format: "msgpack", timeout: 2_000 });
  const call = client.enqueue("noop", { a: [1, "ü"] });
  await world.run(networkFault ? assert.rejects(call, { code: 400 }) : call.then(() => {}));
  await world.run(client.close());
  return world.trace.filter(({ frame }) => frame !== undefined);
}

test("a trace has frames in MessagePack as JSON, with `data` as it was sent", async () => {
  const [auth, answer, request, created] = (await framesOf()).map(({ frame }) => frame!);
  assert.deepEqual(JSON.parse(auth!).data.format, "msgpack");
  assert.deepEqual(JSON.parse(answer!).data.format, "msgpack");
  assert.match(
    request!,
    /^\{"id":"1","type":"request","method":"job\.enqueue","ts":"2026-.*","data":\{"name":"noop","payload":\{"a":\[1,"ü"\]\}\}\}$/,
  );
  assert.equal(JSON.parse(created!).correl_id, "1");
});

test("a torn frame in MessagePack is refused like one in JSON", async () => {
  const entries = await framesOf("malformed");
  const what = entries.map(({ what, frame }) => [what, JSON.parse(frame!).type]);
  assert.deepEqual(what.slice(2, 4), [["sends, but malformed", "request"], ["receives", "error"]]);
  assert.equal(JSON.parse(entries[3]!.frame!).error.message, "invalid frame: unexpected EOF");
});
