import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { z } from "zod";
import { defineJob, defineWorkflow } from "../../dev/mod.ts";
import { createTestDispatch } from "../../testing/mod.ts";

const LIBRARIES = {
  valibot: v.object({ to: v.string(), copies: v.optional(v.number(), 1) }),
  zod: z.object({ to: z.string(), copies: z.number().default(1) }),
};

for (const [library, schema] of Object.entries(LIBRARIES)) {
  test(`a ${library} schema types a job's payload, fills in defaults and rejects invalid payloads`, async () => {
    const received: { to: string; copies: number }[] = [];
    const mail = defineJob(
      "mail",
      { payload: schema, maxRetries: 0 },
      (payload) => void received.push(payload),
    );
    await using env = await createTestDispatch({ jobs: [mail] });
    await (await env.client.enqueue("mail", { to: "a" })).wait();
    assert.deepEqual(received, [{ to: "a", copies: 1 }]);
    const job = await env.client.enqueue("mail", { to: 5 });
    const { last_error } = await env.failed(job);
    assert.match(last_error!, /^unmarshal payload for job "mail": to: Invalid/);
  });

  test(`a ${library} schema rejects invalid workflow input`, async () => {
    const send = defineWorkflow("send", { input: schema }, async (wf, { to }) => {
      await wf.step("send", () => to);
    });
    await using env = await createTestDispatch({ workflows: [send] });
    await env.completed(await env.client.startWorkflow("send", { to: "a" }));
    const { error } = await env.failed(await env.client.startWorkflow("send", {}));
    assert.match(error!, /^unmarshal input for workflow "send": to: Invalid/);
  });
}
