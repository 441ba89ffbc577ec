import assert from "node:assert/strict";
import { type DispatchEvent, DispatchRpc, DispatchSse, type Gap } from "../../mod.ts";
import { createFaultProxy } from "../../testing/mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { Recorder } from "../helpers/recorder.ts";
import { startServer } from "../helpers/server.ts";

Deno.test("calls over HTTP leave nothing behind", async () => {
  await using server = await startServer();
  const rpc = new DispatchRpc({ url: server.url, token: "demo-token" });
  const job = await rpc.enqueue("noop");
  await within(job.wait(), "the job");
  await assert.rejects(rpc.getJob("no-id"));
  rpc.close();
});

Deno.test("500 aborted calls over HTTP leave nothing behind", async () => {
  await using proxy = await createFaultProxy({ target: "ws://127.0.0.1:9/dwp" });
  await proxy.silence();
  const clock = new FakeClock();
  const rpc = new DispatchRpc({ url: proxy.url, token: "t", clock });
  for (let round = 0; round < 10; round++) {
    const controller = new AbortController();
    const calls = Array.from({ length: 50 }, () => rpc.stats({ signal: controller.signal }));
    const results = Promise.allSettled(calls);
    await breathe(2);
    controller.abort("enough");
    for (const result of await within(results, "the calls")) {
      assert(result.status === "rejected" && result.reason === "enough");
    }
  }
  assert.equal(clock.pending, 0);
  rpc.close();
});

Deno.test("subscriptions over HTTP leave nothing behind, however they end", async () => {
  await using server = await startServer();
  await using proxy = await createFaultProxy({ target: server.url });
  const clock = new FakeClock();
  const sse = new DispatchSse({ url: proxy.url, token: "demo-token", clock, random: () => 0.5 });
  const left = await within(sse.subscribe("jobs"), "subscribing");
  await within(left.unsubscribe(), "unsubscribing");
  const seen = new Recorder<DispatchEvent | Gap>(
    await within(sse.subscribe("jobs"), "subscribing"),
  );
  for (let i = 1; i <= 6; i++) {
    for (let j = 0; j < 34; j++) await sse.enqueue("noop");
    await eventually(() => seen.items.length >= i * 102);
  }
  proxy.cut();
  await clock.runUntil(eventually(() => seen.of("gap").length === 1), 100);
  const controller = new AbortController();
  const aborted = new Recorder(sse.subscribe("workflows", { signal: controller.signal }));
  await breathe(3);
  controller.abort("enough");
  await within(aborted.over, "the aborted");
  sse.close();
  await within(seen.over, "the loop");
  await breathe(5);
  assert.equal(clock.pending, 0);
});
