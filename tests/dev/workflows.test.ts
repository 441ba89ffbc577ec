import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CrashError,
  createDevServer,
  createStore,
  createVirtualClock,
  defineWorkflow,
  type DevServerOptions,
} from "../../dev/mod.ts";
import { Wire, type WireEvent } from "./wire.ts";

async function serve(options: DevServerOptions) {
  const server = await createDevServer({ clock: "virtual", ...options });
  const wire = await Wire.connect(server.url);
  const watcher = await Wire.connect(server.url);
  await watcher.call("subscribe", { channel: "workflows" });
  return {
    server,
    wire,
    watcher,
    start: (name: string, input: unknown = {}) => wire.call("workflow.start", { name, input }),
    get: (run_id: string) => watcher.call("workflow.get", { run_id }),
    timeline: async (run_id: string): Promise<[string, string | undefined][]> =>
      (await watcher.call("workflow.timeline", { run_id })).map(
        (entry: { step_name: string; data?: string }) => [
          entry.step_name,
          entry.data === undefined ? undefined : atob(entry.data),
        ],
      ),
    events: (last = "workflow.completed") => watcher.eventsTo(last, format),
    [Symbol.asyncDispose]: async () => {
      await wire[Symbol.asyncDispose]();
      await watcher[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

function format({ type, data }: WireEvent): string {
  return [type.replace("workflow.", ""), data.name, data.step_name, data.error]
    .filter((part) => part !== undefined).join(" ");
}

test("the events and the timeline have the order and the results of a Go server", async () => {
  await using it = await serve({
    workflows: [defineWorkflow("w", async (wf) => {
      await wf.step("a", () => {});
      await wf.sleep("night", "24h");
      const total = await wf.step("b", () => 19.99);
      await wf.step("c", ({ log }) => log(`total ${total}`));
    })],
  });
  const { run_id, state } = await it.start("w");
  assert.equal(state, "completed");
  assert.deepEqual(await it.events(), [
    "started w",
    "step_completed w a",
    "step_completed w b",
    "step_completed w c",
    "completed w",
  ]);
  const { started_at, completed_at } = await it.get(run_id);
  assert.equal(Math.round((Date.parse(completed_at) - Date.parse(started_at)) / 3_600_000), 24);
  // A Go server encodes the float64 19.99 as these bytes.
  assert.deepEqual(await it.timeline(run_id), [
    ["a", undefined],
    ["sleep:night", undefined],
    ["b", atob("CwgA+D0K16Nw/TNA")],
    ["c", undefined],
  ]);
});

test("a failed run runs its compensations, the last first, even if one of them fails", async () => {
  const undone: unknown[] = [];
  await using it = await serve({
    workflows: [defineWorkflow("w", async (wf) => {
      await wf.step("a", () => "A", { compensate: (result) => undone.push(result) });
      await wf.step("b", () => {}, {
        compensate: () => {
          throw new Error("cannot undo b");
        },
      });
      wf.compensate("c", () => undone.push("C"));
      await wf.step("d", () => {
        throw new Error("d broke");
      });
    })],
  });
  const { run_id, state } = await it.start("w");
  assert.equal(state, "failed");
  assert.deepEqual(await it.events("workflow.failed"), [
    "started w",
    "step_completed w a",
    "step_completed w b",
    "step_failed w d d broke",
    "step_completed w compensate:c",
    "step_failed w compensate:b cannot undo b",
    "step_completed w compensate:a",
    'failed w workflow w step "d": d broke',
  ]);
  assert.deepEqual(undone, ["C", "A"]);
  assert.deepEqual((await it.timeline(run_id)).map(([step]) => step), [
    "a",
    "b",
    "compensate:c",
    "compensate:a",
  ]);
});

test("the first failure of parallel steps aborts the others", async () => {
  await using it = await serve({
    workflows: [
      defineWorkflow(
        "good",
        (wf) => wf.parallel("fan", [30, 10, 20].map((ms) => ({ sleep }) => sleep(ms))),
      ),
      defineWorkflow("bad", (wf) =>
        wf.parallel("fan", [
          ({ sleep }) => sleep("1h"),
          () => {
            throw new Error("broke");
          },
        ])),
    ],
  });
  const good = await it.start("good");
  assert.deepEqual(await it.events(), [
    "started good",
    "step_completed good parallel:fan:1",
    "step_completed good parallel:fan:2",
    "step_completed good parallel:fan:0",
    "completed good",
  ]);
  assert.equal((await it.timeline(good.run_id)).at(-1)![0], "parallel:fan");
  await it.start("bad");
  assert.deepEqual(await it.events("workflow.failed"), [
    "started bad",
    "step_failed bad parallel:fan:1 broke",
    "step_failed bad parallel:fan:0 context canceled",
    'failed bad workflow bad parallel "fan": broke',
  ]);
});

test("a wait takes the oldest event that was already published, and each event goes to one run", async () => {
  const received: unknown[] = [];
  const clock = createVirtualClock({ autoSkip: false });
  await using it = await serve({
    clock,
    workflows: [defineWorkflow("w", async (wf) => {
      received.push((await wf.waitForEvent("paid", "1s"))?.payload);
    })],
  });
  await it.watcher.call("workflow.event", { name: "paid", payload: 1 });
  await it.watcher.call("workflow.event", { name: "paid", payload: { n: 2 } });
  await it.watcher.call("workflow.event", { name: "other" });
  const { run_id } = await it.start("w");
  await it.start("w");
  const third = it.start("w");
  for (let runs = 0; runs < 3; runs++) await it.watcher.event("workflow.started");
  await clock.advance("1s");
  const late = await third;
  assert.deepEqual(received, [1, { n: 2 }, undefined]);
  const [[step, data]] = await it.timeline(run_id) as [[string, string]];
  assert.equal(step, "wait:paid");
  const { id, created_at, ...event } = JSON.parse(data);
  assert.match(id, /^evt_[0-7][0-9a-hjkmnp-tv-z]{25}$/);
  assert.ok(created_at);
  assert.deepEqual(event, {
    name: "paid",
    payload: btoa("1"),
    scope_app_id: "app",
    scope_org_id: "org",
    acked: true,
  });
  assert.deepEqual(await it.timeline(late.run_id), [["wait:paid", undefined]]);
});

test("waitForAll, waitForAny and waitForMatch take published events and name their checkpoints", async () => {
  await using it = await serve({
    workflows: [
      defineWorkflow("all", async (wf) => {
        const events = await wf.waitForAll(["x", "y"], "1s");
        await wf.step("got", () => events.map(({ name }) => name).join());
      }),
      defineWorkflow("any", async (wf) => {
        const event = await wf.waitForAny(["p", "q"], "1s");
        await wf.step("got", () => event?.name ?? "none");
      }),
      defineWorkflow("match", async (wf) => {
        const event = await wf.waitForMatch<number>("n", "1s", ({ payload }) => payload > 1);
        await wf.step("got", () => String(event?.payload));
      }),
    ],
  });
  const publish = (name: string, payload?: unknown) =>
    it.watcher.call("workflow.event", { name, payload });
  for (const name of ["y", "x", "q"]) await publish(name);
  for (const n of [1, 2]) await publish("n", n);
  const steps = async (name: string) => {
    const { run_id } = await it.start(name);
    return (await it.timeline(run_id)).map(([step, data]) =>
      step === "got" ? `got ${data!.slice(4)}` : step
    );
  };
  assert.deepEqual(await steps("all"), ["waitall:x", "waitall:y", "waitall:x,y", "got x,y"]);
  assert.deepEqual(await steps("any"), ["waitany:p,q", "got q"]);
  assert.deepEqual(await steps("match"), ["waitmatch:n", "got 2"]);
});

test("waitForAll keeps an event that was taken before the run was resumed", async () => {
  let crashes = 0;
  const clock = createVirtualClock();
  await using it = await serve({
    clock,
    workflows: [
      defineWorkflow("all", async (wf) => {
        const events = await wf.waitForAll(["x", "y"], "1h");
        await wf.step("got", () => events.map(({ payload }) => payload).join());
      }),
    ],
    aroundWork: (work, run) => {
      if (work.kind !== "wait" || crashes++ > 0) return run();
      return Promise.race([
        run(),
        new Promise<never>((_, reject) => clock.setTimeout(() => reject(new CrashError(5)), 10)),
      ]);
    },
  });
  await it.watcher.call("workflow.event", { name: "x", payload: 1 });
  const started = it.start("all");
  while (crashes < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  await it.watcher.call("workflow.event", { name: "y", payload: 2 });
  const { run_id } = await started;
  const timeline = await it.timeline(run_id);
  assert.deepEqual(timeline.map(([step]) => step), [
    "waitall:x",
    "waitall:y",
    "waitall:x,y",
    "got",
  ]);
  assert.match(timeline.at(-1)![1]!, /1,2$/);
});

test("waitForAll fails the run when an event does not come in time", async () => {
  const clock = createVirtualClock({ autoSkip: false });
  await using it = await serve({
    clock,
    workflows: [defineWorkflow("all", (wf) => wf.waitForAll(["x", "y"], "1s"))],
  });
  await it.watcher.call("workflow.event", { name: "x" });
  const started = it.start("all");
  await it.watcher.event("workflow.started");
  await clock.advance("1s");
  await started;
  const message = 'workflow all waitall: timeout waiting for event "y"';
  assert.equal((await it.watcher.event("workflow.failed")).data.error, message);
});

test("runChild waits for the child, and fails if the child fails", async () => {
  await using it = await serve({
    workflows: [
      defineWorkflow("child", async (wf, { fail }: { fail: boolean }) => {
        await wf.step("work", () => {
          if (fail) throw new Error("no");
        });
      }),
      defineWorkflow("parent", (wf, input) => wf.runChild("child", input)),
      defineWorkflow("lost", (wf) => wf.runChild("ghost")),
    ],
  });
  const good = await it.start("parent", { fail: false });
  assert.deepEqual((await it.events()).concat(await it.events()), [
    "started parent",
    "started child",
    "step_completed child work",
    "completed child",
    "step_completed parent child:child",
    "completed parent",
  ]);
  assert.deepEqual(await it.timeline(good.run_id), [["child:child", "null"]]);
  const child = it.server.store.runs().find(({ name }) => name === "child")!;
  assert.equal(child.parent_run_id, good.run_id);
  assert.equal((await it.get(good.run_id)).parent_run_id, undefined);

  await it.start("parent", { fail: true });
  const message = 'child workflow "child" failed: workflow child step "work": no';
  assert.deepEqual(
    (await it.events("workflow.failed")).concat(await it.events("workflow.failed")),
    [
      "started parent",
      "started child",
      "step_failed child work no",
      'failed child workflow child step "work": no',
      `step_failed parent child:child ${message}`,
      `failed parent ${message}`,
    ],
  );
  await it.start("lost");
  assert.deepEqual(await it.events("workflow.failed"), [
    "started lost",
    'step_failed lost child:ghost no workflow registered for "ghost"',
    'failed lost workflow lost child "ghost": no workflow registered for "ghost"',
  ]);
});

test("spawnChild starts only the first of several children of the same name", async () => {
  await using it = await serve({
    workflows: [
      defineWorkflow("child", (wf) => wf.step("work", ({ sleep }) => sleep(50))),
      defineWorkflow("parent", async (wf) => {
        const first = await wf.spawnChild("child", { n: 1 });
        assert.equal(await wf.spawnChild("child", { n: 2 }), first);
        await wf.step("finalize", () => {});
      }),
    ],
  });
  const { run_id } = await it.start("parent");
  assert.deepEqual((await it.events()).concat(await it.events()), [
    "started parent",
    "started child",
    "step_completed parent spawn:child",
    "step_completed parent finalize",
    "completed parent",
    "step_completed child work",
    "completed child",
  ]);
  const child = it.server.store.runs().find(({ name }) => name === "child")!;
  assert.deepEqual((await it.timeline(run_id))[0], ["spawn:child", child.id]);
});

test("fanOut starts a child for each input, and fails if one of them fails", async () => {
  await using it = await serve({
    workflows: [
      defineWorkflow("child", (wf, n: number) =>
        wf.step("work", () => {
          if (n < 0) throw new Error("negative");
        })),
      defineWorkflow("parent", (wf, inputs: number[]) => wf.fanOut("child", inputs)),
    ],
  });
  const { run_id } = await it.start("parent", [1, 2]);
  assert.deepEqual(await it.timeline(run_id), [
    ["child:child:0", "null"],
    ["child:child:1", "null"],
    ["fanout:child", "[null,null]"],
  ]);
  const bad = await it.start("parent", [-1]);
  assert.equal(
    (await it.get(bad.run_id)).error,
    'workflow parent fanout "child": fanout child "child:0" failed: ' +
      'workflow child step "work": negative',
  );
});

test("a step result that is not JSON-serializable fails the run", async () => {
  await using it = await serve({
    workflows: [
      defineWorkflow("bigint", (wf) => wf.step("s", () => 1n)),
      defineWorkflow("function", (wf) => wf.step("s", () => () => {})),
    ],
  });
  for (const name of ["bigint", "function"]) {
    const { run_id, state } = await it.start(name);
    assert.equal(state, "failed");
    assert.match((await it.get(run_id)).error, /^workflow \w+: encode checkpoint "s": ./);
  }
});

test("a spawned child stops when the connection that started its parent closes", async () => {
  const clock = createVirtualClock({ autoSkip: false });
  await using it = await serve({
    clock,
    workflows: [
      defineWorkflow("child", (wf) => wf.sleep("nap", "1h")),
      defineWorkflow("parent", (wf) => wf.spawnChild("child")),
    ],
  });
  const starter = await Wire.connect(it.server.url);
  await starter.call("workflow.start", { name: "parent" });
  await starter[Symbol.asyncDispose]();
  const failed = await it.watcher.event("workflow.failed");
  assert.deepEqual([failed.data.name, failed.data.error], ["child", "context canceled"]);
});

test("a run continues when the connection that started it closes", async () => {
  const clock = createVirtualClock({ autoSkip: false });
  await using it = await serve({
    clock,
    workflows: [defineWorkflow("sleeper", (wf) => wf.sleep("nap", "1h"))],
  });
  const starter = await Wire.connect(it.server.url);
  starter.send("workflow.start", { name: "sleeper" });
  await it.watcher.event("workflow.started");
  await starter[Symbol.asyncDispose]();
  await clock.advance("1h");
  await it.watcher.event("workflow.completed");
});

test("another server of the store resumes a run, and completed steps do not run again", async () => {
  const store = createStore();
  const clock = createVirtualClock({ autoSkip: false });
  const done: string[] = [];
  const workflows = [defineWorkflow("w", async (wf) => {
    const n = await wf.step("once", () => done.push("once"));
    await wf.sleep("nap", "1h");
    await wf.step("after", () => done.push(`after ${n}`));
  })];
  const first = await createDevServer({ store, clock, workflows });
  const wire = await Wire.connect(first.url);
  await wire.call("subscribe", { channel: "workflows" });
  wire.send("workflow.start", { name: "w" });
  await wire.event("workflow.step_completed");
  await first.close();
  await clock.advance("2h");
  assert.deepEqual(done, ["once"], "a closed server runs no more steps");

  const second = await createDevServer({ store, clock, workflows });
  await clock.advance("1h");
  await second.close();
  assert.deepEqual(done, ["once", "after 1"]);
  assert.equal(store.runs()[0]!.state, "completed");
});
