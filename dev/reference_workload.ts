import { constantBackoff } from "./backoff.ts";
import type { HandlerContext } from "./context.ts";
import { defineJob, defineWorkflow } from "./define.ts";
import { goSchema } from "./engine/handler_input.ts";
import type { Workload } from "./options.ts";
import { DEFAULT_TOKENS } from "./tokens.ts";

/**
 * Creates a workload of jobs and workflows for examples and tests: emails, images, orders, payments
 * and failures.
 *
 * @example
 * ```ts
 * import { createDevServer, referenceWorkload } from "@dispatch/sdk/dev";
 *
 * await using server = await createDevServer(referenceWorkload());
 * ```
 */
export function referenceWorkload(): Workload {
  return {
    jobs: jobs(),
    workflows: [...orders(), ...others(), ...batches()],
    tokens: DEFAULT_TOKENS,
    queues: ["default", "email", "images", "slow"],
    concurrency: 8,
    backoff: constantBackoff(50),
  };
}

const NO_INPUT = goSchema<unknown>({ type: "main.none", fields: {} });
const ITEM = goSchema<{ item_id: string }>({ type: "main.item", fields: { item_id: "string" } });

function jobs(): Workload["jobs"] {
  const failures = new Map<string, number>();
  const email = goSchema<{ to: string; subject: string }>({
    type: 'struct { To string "json:\\"to\\""; Subject string "json:\\"subject\\"" }',
    fields: { to: "string", subject: "string" },
  });
  const key = goSchema<{ key: string }>({
    type: 'struct { Key string "json:\\"key\\"" }',
    fields: { key: "string" },
  });
  return [
    defineJob("send-email", { payload: email }, (_mail, context) => work(context, 20)),
    defineJob("process-image", { payload: goSchema("map") }, () => {}),
    defineJob("noop", { payload: goSchema("any") }, () => {}),
    defineJob("always-fails", () => {
      throw new Error("boom");
    }),
    defineJob("flaky", { payload: key }, ({ key }) => {
      const failed = (failures.get(key) ?? 0) + 1;
      failures.set(key, failed);
      if (failed <= 2) throw new Error(`attempt ${failed} fails`);
    }),
    defineJob("sleep", { payload: millis() }, ({ ms }, { sleep }) => sleep(Math.max(0, ms))),
  ];
}

function orders(): NonNullable<Workload["workflows"]> {
  const order = goSchema<{ order_id: string; items: string[] | null }>({
    type: 'struct { OrderID string "json:\\"order_id\\""; Items []string "json:\\"items\\"" }',
    fields: { order_id: "string", items: { list: "string" } },
  });
  const payment = goSchema<{ order_id: string }>({
    type: 'struct { OrderID string "json:\\"order_id\\"" }',
    fields: { order_id: "string" },
  });
  return [
    defineWorkflow("order-pipeline", { input: order }, async (wf, { order_id, items }) => {
      await wf.step("validate", () => {
        if (order_id === "") throw new Error("order has no id");
      });
      await wf.step("calculate-total", () => (items?.length ?? 0) * 19.99);
      await wf.step("send-confirmation", () => {});
    }),
    defineWorkflow("order-payment", { input: payment }, async (wf) => {
      await wf.step("reserve", () => {});
      const paid = await wf.waitForEvent("payment-received", "5s");
      if (!paid) throw new Error("payment timed out");
      await wf.step("ship", () => {});
    }),
  ];
}

function others(): NonNullable<Workload["workflows"]> {
  return [
    defineWorkflow("failing", { input: NO_INPUT }, async (wf) => {
      await wf.step("a", () => {}, { compensate: () => {} });
      await wf.step("b", () => {
        throw new Error("step b exploded");
      });
    }),
    defineWorkflow("sleeper", { input: millis() }, async (wf, { ms }) => {
      await wf.step("before", () => {});
      await wf.sleep("nap", Math.max(0, ms));
      await wf.step("after", () => {});
    }),
    defineWorkflow("parallel", { input: NO_INPUT }, async (wf) => {
      await wf.parallel("fan", [10, 20, 30].map((ms) => (context) => work(context, ms)));
    }),
  ];
}

function batches(): NonNullable<Workload["workflows"]> {
  const batch = goSchema<{ item_ids: string[] | null }>({
    type: 'struct { ItemIDs []string "json:\\"item_ids\\"" }',
    fields: { item_ids: { list: "string" } },
  });
  return [
    defineWorkflow("process-item", { input: ITEM }, async (wf) => {
      await wf.step("process", (context) => work(context, 50));
    }),
    defineWorkflow("batch-process", { input: batch }, async (wf, { item_ids }) => {
      for (const item_id of item_ids ?? []) {
        try {
          await wf.spawnChild("process-item", { item_id });
        } catch (cause) {
          throw new Error(`spawn child for ${item_id}: ${(cause as Error).message}`, { cause });
        }
      }
      await wf.step("finalize", () => {});
    }),
  ];
}

function millis(): ReturnType<typeof goSchema<{ ms: number }>> {
  return goSchema<{ ms: number }>({
    type: 'struct { Ms int "json:\\"ms\\"" }',
    fields: { ms: "int" },
  });
}

/** Works for a while, ignoring the abort signal. */
function work({ sleep }: HandlerContext, ms: number): Promise<void> {
  return sleep(ms, { signal: null });
}
