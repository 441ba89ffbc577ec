import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { defineJob, defineWorkflow } from "../../dev/mod.ts";
import { createTestDispatch, type TestDispatchOptions } from "../../testing/mod.ts";
import { within } from "../helpers/eventually.ts";

const WORKLOAD: TestDispatchOptions = {
  workflows: [
    defineWorkflow("reminder", async (wf) => {
      await wf.sleep("a day", "24h");
      await wf.step("remind", () => {});
    }),
  ],
  jobs: [
    defineJob("flaky", { maxRetries: 1 }, (_, { attempt }) => {
      if (attempt === 1) throw new Error("no");
    }),
  ],
};

/** Uses a test environment as the tests of a program would. */
async function useEnvironment(transport: "socket" | "memory"): Promise<void> {
  await using env = await createTestDispatch({ ...WORKLOAD, transport });
  await using jobs = await env.client.subscribe("jobs");
  await env.completed(await env.client.startWorkflow("reminder", {}));
  await env.completed(await env.client.enqueue("flaky", {}));
  await env.advance("1h");
  // More jobs than start in one turn of the event loop.
  const handles = await env.client.enqueueMany("flaky", new Array(100).fill({}));
  for (const handle of handles) await env.completed(handle);
  assert.ok(jobs);
}

/** The functions that test frameworks replace. */
type Replaceable = Record<string, unknown>;
const globals = globalThis as unknown as Replaceable;

/** Replaces global functions by ones that do nothing, until the result is disposed. */
function replace(...names: string[]): Disposable {
  const before = names.map((name) => [name, globals[name]] as const);
  for (const name of names) globals[name] = () => {};
  return {
    [Symbol.dispose]() {
      for (const [name, value] of before) globals[name] = value;
    },
  };
}

// First, because a fake cannot clear the timers of connections that another test has just closed.
for (const transport of ["socket", "memory"] as const) {
  test(`${transport}: a test environment works on the fake timers of a test framework`, async () => {
    mock.timers.enable({ apis: ["setTimeout", "setInterval", "setImmediate", "Date"] });
    try {
      // The runner of the tests ends this one if it hangs.
      await useEnvironment(transport);
    } finally {
      mock.timers.reset();
    }
  });
}

for (const transport of ["socket", "memory"] as const) {
  test(`${transport}: a test environment works while setImmediate is mocked`, async () => {
    using _replaced = replace("setImmediate", "clearImmediate");
    await within(useEnvironment(transport), "the environment");
  });
}

test("memory: a test environment works while queueMicrotask is mocked", async () => {
  using _replaced = replace("queueMicrotask");
  await within(useEnvironment("memory"), "the environment");
});
