import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecipeEvent } from "../../runner/mod.ts";
import { InterruptedError } from "../../runner/events/deadline.ts";
import { ends, firstFailure, runRecipe } from "./_recipe.ts";

test("sees a state that was reached before the wait began", async () => {
  const { code, events } = await runRecipe(`
steps:
  - id: job
    enqueue: noop
  - wait: job
  - id: again
    wait: job
  - expect:
      again.outcome: reached
      again.states: { length: 1 }
      again.states[0].state: completed
`);
  assert.equal(code, 0);
  assert.equal(ends(events)[2]?.detail, "completed");
});

test("fails at once when the run ends in another state, and shows the states seen", async () => {
  const { code, events } = await runRecipe(`
steps:
  - id: order
    start: order-pipeline
    input: { order_id: "", items: [] }
  - wait: order
    within: 1h
`);
  assert.equal(code, 1);
  const { kind, message, lines, place } = firstFailure(events);
  assert.equal(kind, "wait");
  assert.match(
    message,
    /^run `order-pipeline` \(wfrun_\w+\) is failed, not completed: .*order has no id$/,
  );
  assert.match(lines[0]!, /^seen: (running at \d+ ms, )?failed at \d+ ms$/);
  assert.equal(place?.line, 6);
});

test("`fail_on` fails the wait before the job has ended", async () => {
  const { code, events } = await runRecipe(`
steps:
  - id: job
    enqueue: always-fails
  - wait: job
    until: completed
    fail_on: retrying
`);
  assert.equal(code, 1);
  assert.match(firstFailure(events).message, /is retrying, not completed/);
});

test("`until` takes several states or an expression", async () => {
  const { code } = await runRecipe(`
steps:
  - id: job
    enqueue: always-fails
  - wait: job
    until: [retrying, failed]
  - wait: job
    until: \${{ it.retry_count >= 1 && job.state != "pending" }}
  - expect: { job.retry_count: { gte: 1 } }
`);
  assert.equal(code, 0);
});

test("fails when the run ends without reaching `until_step`", async () => {
  const { code, events } = await runRecipe(`
steps:
  - id: order
    start: order-pipeline
    input: { order_id: ORD-1, items: [a] }
  - wait: order
    until_step: \${{ "shipped" }}
`);
  assert.equal(code, 1);
  const { message, lines } = firstFailure(events);
  assert.match(message, /is completed without reaching step `shipped`$/);
  assert.match(lines[1]!, /^checkpoints: validate at .*, send-confirmation at /);
});

test("shows the states seen and the likely cause at the deadline: an event was not published", async () => {
  const { code, events } = await runRecipe(`
steps:
  - id: order
    start: order-payment
    input: { order_id: ORD-1 }
  - wait: order
    until_step: reserve
  - wait: order
    within: 20ms
`);
  assert.equal(code, 1);
  const { kind, message, lines } = firstFailure(events);
  assert.equal(kind, "deadline");
  assert.match(
    message,
    /^run `order-payment` \(\w+\) is still running after \d+ ms, not completed$/,
  );
  assert.match(lines[0]!, /^seen: running at \d+ ms$/);
  assert.match(lines[1]!, /^checkpoints: reserve at /);
  assert.equal(
    lines[2],
    "likely cause: it waits for an event that was not published, or for a slow step",
  );
});

test("shows the likely cause at the deadline: no worker has a handler", async () => {
  const { code, events } = await runRecipe(`
steps:
  - id: sent
    call: job.enqueue
    data: { name: no-such-job }
  - id: job
    get: { job: "\${{ sent.job_id }}" }
  - wait: job
    until: \${{ job.state == "running" }}
  - wait: job
    within: 20ms
`);
  assert.equal(code, 1);
  assert.match(firstFailure(events).lines.at(-1)!, /no worker has a handler for `no-such-job`$/);
});

test("shows the likely cause at the deadline: no worker serves the queue", async () => {
  const { code, events } = await runRecipe(`
steps:
  - id: job
    enqueue: noop
    queue: \${{ "nobody-reads" }}
  - wait: job
    within: 20ms
`);
  assert.equal(code, 1);
  assert.match(
    firstFailure(events).lines.at(-1)!,
    /^likely cause: no worker has taken it; does one serve queue `nobody-reads`\?$/,
  );
});

test("a wait on a channel shows at its deadline the events that arrived", async () => {
  const { code, events } = await runRecipe(`
steps:
  - id: job
    enqueue: noop
  - wait: job
  - wait: { channel: jobs, where: event.type == "job.completed", count: 2 }
    within: 30ms
`);
  assert.equal(code, 1);
  const { message, lines } = firstFailure(events);
  assert.match(message, /^1 of 2 events arrived on `jobs` within \d+ ms$/);
  assert.match(lines[0]!, /^\d events arrived in total, the last ones:$/);
  assert.ok(lines.some((line) => line.startsWith("  job.completed {")));
});

test("reports the refusal of the server for an unknown job id", async () => {
  const { code, events } = await runRecipe(`
steps:
  - wait: { job: job_01jdpyjbq9f1cvcnyhhj3y0000 }
`);
  assert.equal(code, 3);
  assert.equal(firstFailure(events).code, 404);
});

test("reports a lost connection, with the states seen before", async () => {
  const { createDevServer, referenceWorkload } = await import("../../dev/mod.ts");
  const server = await createDevServer(referenceWorkload());
  const recipe = `
steps:
  - id: job
    enqueue: sleep
    payload: { ms: 3600000 }
  - wait: job
    until: \${{ job.state == "running" }}
  - wait: job
`;
  let closing: Promise<void> | undefined;
  const { code, events } = await runRecipe(recipe, ["--url", server.url, "--timeout", "3500ms"], {
    // The second wait reports progress after it has read the state.
    onOut(text) {
      if (text.includes('"step.progress"') && text.includes('"step":"3"')) {
        closing ??= server.close();
      }
    },
  });
  await closing;
  assert.equal(code, 3);
  const { kind, message, lines } = firstFailure(events);
  assert.equal(kind, "connection");
  assert.match(message, /^the connection was lost while waiting for job `sleep` \(job_\w+\)$/);
  assert.match(lines[0]!, /^seen: running at /);
});

test("a condition on an absent field is not met during the run, and fails once the run has ended", async () => {
  const { code, events } = await runRecipe(`steps:
  - id: r
    start: order-payment
  - wait: r
    until: \${{ size(r.output.total) > 0 }}
    within: 50ms
    soft: true
  - publish: payment-received
  - wait: r
    until: \${{ r.duration_ms >= 0 }}
  - wait: r
    until: \${{ r.output.total == 3 }}
`);
  assert.equal(code, 1);
  const [, first, , second, third] = ends(events);
  assert.equal(first?.failure?.kind, "deadline");
  assert.equal(first?.failure?.lines.at(-1), "`r.output` is absent");
  assert.equal(second?.status, "passed");
  // The run has ended, so the field stays absent.
  assert.equal(third?.failure?.kind, "evaluation");
  assert.match(third!.failure!.message, /is completed, and `r\.output` is absent$/);
});

test("names the outer limit that has ended a step", async () => {
  const { events } = await runRecipe(`steps:
  - within: 50ms
    parallel:
      - sleep: 5s
        within: 1h
  - assert: "true"
`);
  assert.match(
    firstFailure(events).message,
    /^not done when `within: 50ms` of the outer step was over, after/,
  );
});

test("a result includes the events up to the state that was waited for, and later ones", async () => {
  const { code, out } = await runRecipe(`steps:
  - id: job
    enqueue: noop
  - wait: job
  - assert: size(job.events) == 3 && job.events[2].type == "job.completed"
  - id: run
    start: order-pipeline
    input: { order_id: ORD-1, items: [a] }
  - wait: run
    until: \${{ size(it.events) > 0 && it.state == "completed" }}
  - assert: run.events.exists(e, e.type == "workflow.completed")
  - id: slow
    enqueue: sleep
    payload: { ms: 50 }
  - wait: slow
    until: running
  - assert: '!slow.events.exists(e, e.type == "job.completed")'
  - id: again
    get: slow
  - wait: { job: "\${{ slow.job_id }}" }
  - assert:
      - slow.events.exists(e, e.type == "job.completed")
      - again.events == slow.events && again.state == "running"
`);
  assert.equal(code, 0, out);
});

test("the result of `get` includes the events seen so far", async () => {
  const { code, out } = await runRecipe(`steps:
  - id: job
    enqueue: noop
  - wait: job
  - id: read
    get: job
  - id: twice
    get: read
  - assert: twice.events.exists(e, e.type == "job.completed")
  - id: named
    get: { job: "\${{ job.job_id }}" }
  - assert: named.events.exists(e, e.type == "job.completed")
`);
  assert.equal(code, 0, out);
});

test("a wait keeps the fields that `outputs` has added", async () => {
  const { code, out } = await runRecipe(`steps:
  - id: job
    enqueue: noop
    outputs: { twice: result.job_id + result.job_id }
  - wait: job
  - id: jobs
    for_each: [1, 2]
    enqueue: noop
    outputs: { of: item }
  - wait: jobs
  - assert:
      - job.state == "completed" && job.twice == job.job_id + job.job_id
      - jobs.all(j, j.state == "completed") && jobs[1].of == 2
`);
  assert.equal(code, 0, out);
});

test("a channel with expressions in its name is kept since the recipe began", async () => {
  const { code, out } = await runRecipe(`vars: { channel: jobs }
steps:
  - id: job
    enqueue: noop
  - id: other
    enqueue: noop
  - id: run
    start: order-pipeline
    input: { order_id: ORD-1, items: [a] }
  - wait: job
  - wait: other
  - wait: run
  - id: own
    wait: { channel: "job:\${{ job.job_id }}", count: 3 }
    within: 1s
  - wait: { channel: "queue:\${{ job.queue }}", count: 6 }
    within: 1s
  - wait: { channel: "workflow:\${{ run.run_id }}", where: event.type == "workflow.completed" }
    within: 1s
  - wait: { channel: "\${{ vars.channel }}", count: 6 }
    within: 1s
  - assert: own.events.all(e, e.data.job_id == job.job_id)
`);
  assert.equal(code, 0, out);
});

test("says since when it has listened to a channel that was not known before", async () => {
  const { code, events } = await runRecipe(`steps:
  - id: job
    enqueue: noop
  - wait: job
  - wait: { channel: "\${{ 'job:' + job.job_id }}" }
    within: 30ms
`);
  assert.equal(code, 1);
  assert.match(firstFailure(events).lines.at(-1)!, /^events before \S+Z are missing: /);
});

test("a wait on a channel reports a lost connection", async () => {
  const { createDevServer, referenceWorkload } = await import("../../dev/mod.ts");
  const server = await createDevServer(referenceWorkload());
  const recipe = "steps:\n  - wait: { channel: jobs }\n    within: 500ms\n";
  let closing: Promise<void> | undefined;
  const { code, events } = await runRecipe(recipe, ["--url", server.url], {
    onOut(text) {
      if (text.includes('"step.progress"')) closing ??= server.close();
    },
  });
  await closing;
  assert.equal(code, 3);
  const { kind, message, lines } = firstFailure(events);
  assert.equal(kind, "connection");
  assert.equal(message, "the connection was lost while waiting for events of `jobs`");
  assert.match(lines[0]!, /^0 of 1 events arrived on `jobs` within /);
});

test("stops waiting for the confirmation of a subscription at the recipe's deadline, and when interrupted", async () => {
  const { createDevServer, parseFault, referenceWorkload } = await import("../../dev/mod.ts");
  const faults = [parseFault("drop:direction=in,method=subscribe")];
  const server = await createDevServer({ ...referenceWorkload(), faults });
  const recipe = "timeout: 50ms\nsteps:\n  - wait: { channel: jobs }\n";
  try {
    const late = await runRecipe(recipe, ["--url", server.url]);
    assert.equal(late.code, 1);
    assert.equal(ends(late.events)[0]?.status, "skipped");
    const end = late.events.find((event) => event.type === "case.finished");
    assert.match(
      end!.failure!.message,
      /^the recipe's time was over before the server had confirmed its subscriptions/,
    );

    const stop = new AbortController();
    const stopped = await runRecipe(recipe.replace("50ms", "1h"), ["--url", server.url], {
      signal: stop.signal,
      onOut(text) {
        if (text.includes('"case.started"')) stop.abort(new InterruptedError());
      },
    });
    assert.equal(stopped.code, 130);
    assert.equal(ends(stopped.events)[0]?.status, "skipped");
  } finally {
    await server.close();
  }
});

test("warns about unconsumed events of a call and of an interrupted recipe, but not if a child run may have consumed them", async () => {
  const called = await runRecipe(
    "steps:\n  - call: workflow.event\n    data: { name: nobody, payload: 1 }\n",
  );
  assert.match(warningsOf(called.events)[0]!, /event `nobody` \(\w+\) was not consumed/);

  const stop = new AbortController();
  const stopped = await runRecipe("steps:\n  - publish: ${{ 'nobody' }}\n  - sleep: 1h\n", [], {
    signal: stop.signal,
    onOut(text) {
      if (text.includes('"step.started"') && text.includes('"step":"2"')) {
        stop.abort(new InterruptedError());
      }
    },
  });
  assert.equal(stopped.code, 130);
  assert.match(warningsOf(stopped.events)[0]!, /event `nobody` \(\w+\) was not consumed/);

  const { createDevServer, defineWorkflow } = await import("../../dev/mod.ts");
  const child = defineWorkflow("child", (wf) => wf.waitForEvent("go", "5s"));
  const parent = defineWorkflow("parent", (wf) => wf.runChild("child", null));
  const server = await createDevServer({ workflows: [child, parent] });
  try {
    const taken = await runRecipe(
      "steps:\n  - id: run\n    start: parent\n  - publish: go\n  - wait: run\n",
      ["--url", server.url],
    );
    assert.equal(taken.code, 0, taken.out);
    assert.deepEqual(warningsOf(taken.events), []);
  } finally {
    await server.close();
  }
});

function warningsOf(events: readonly RecipeEvent[]): string[] {
  return events.flatMap((event) => event.type === "warning" ? event.text : []);
}

const SIBLINGS = `
matrix: { role: [publisher, consumer] }
steps:
  - publish: payment-received
    if: matrix.role == "publisher"
  - id: order
    start: order-payment
    input: { order_id: ORD-7 }
    if: matrix.role == "consumer"
  - wait: order
    if: matrix.role == "consumer"
  - assert: true
`;

test("does not warn about an event that a case which runs at the same time has consumed", async () => {
  const { code, events } = await runRecipe(SIBLINGS, ["--parallel", "2"]);
  assert.equal(code, 0);
  assert.deepEqual(warningsOf(events), []);
});

test("warns at the end of a parallel run about an event that no case has consumed", async () => {
  const more = SIBLINGS.replace(
    "  - assert: true",
    "  - publish: ${{ 'nobody' }}\n  - assert: true",
  );
  const { code, events } = await runRecipe(more, ["--parallel", "2"]);
  assert.equal(code, 0);
  const warnings = warningsOf(events);
  assert.equal(warnings.length, 2);
  for (const role of ["publisher", "consumer"]) {
    const own = new RegExp(`^r \\[role=${role}\\]: event \`nobody\` \\(\\w+\\) was not consumed`);
    assert.ok(warnings.some((text) => own.test(text)), warnings.join("\n"));
  }
});

test("suggests the step that a misspelt `until_step` means, once its run has shown it", async () => {
  const { code, events } = await runRecipe(`
steps:
  - id: order
    start: order-payment
    input: { order_id: ORD-7 }
  - publish: payment-received
  - wait: order
    until_step: \${{ "shipp" }}
`);
  assert.equal(code, 1);
  const { message, lines } = firstFailure(events);
  assert.match(message, / is completed without reaching step `shipp`$/);
  assert.equal(lines.at(-1), "no step `shipp` was seen; did you mean `ship`?");
});

test("a wait that asks for a type that no event has names the likeliest one", async () => {
  for (
    const [type, hint] of [
      ["job.complete", "; did you mean `job.completed`?"],
      ["order.paid", ""],
      ["job.failed", undefined],
    ]
  ) {
    const { events } = await runRecipe(`
steps:
  - wait: { channel: firehose, where: 'event.type == "${type}"' }
    within: 20ms
`);
    const { lines } = firstFailure(events);
    const expected = hint === undefined ? [] : [`no known event has the type \`${type}\`${hint}`];
    assert.deepEqual(lines.slice(1), expected);
  }
});

for (
  const [field, hint] of [
    ["cron_name", "`cron.fired` has entry_name, job_id"],
    ["jobid", "did you mean `job_id`?"],
  ]
) {
  test(`a wait that asks for event.data.${field} names the field that events have`, async () => {
    const { code, events } = await runRecipe(`
steps:
  - wait: { channel: firehose, where: 'event.data.${field} == "x" && event.data.job_id == "y"' }
    within: 20ms
`);
    assert.equal(code, 1);
    const { lines } = firstFailure(events);
    assert.deepEqual(lines.slice(1), [`no known event has \`event.data.${field}\`; ${hint}`]);
  });
}
