// When a step is tried again, how long the pauses are, and what the last failure says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionError, DispatchError } from "../../client/errors.ts";
import { InterruptedError } from "../../runner/events/deadline.ts";
import { Expression } from "../../runner/expression/expression.ts";
import { ends } from "./_recipe.ts";
import { type EngineResult, type EngineSettings, ofType, readValid, runEngine } from "./_engine.ts";

/** Runs one step, with what `call` and `enqueue` of the client do. */
function runStep(
  step: string,
  request: (attempt: number, signal: AbortSignal) => unknown,
  settings: EngineSettings & { timeout?: number; before?: string } = {},
): Promise<EngineResult> {
  let attempt = 0;
  const { before = "" } = settings;
  const answer = async (signal: AbortSignal) => await request(++attempt, signal);
  return runEngine(`${before}timeout: 10h\nsteps:\n  - ${step}\n  - assert: true\n`, {
    client: {
      call: (_method: string, _data: unknown, { signal }: { signal: AbortSignal }) =>
        answer(signal),
      enqueue: (_name: string, _data: unknown, { signal }: { signal: AbortSignal }) =>
        answer(signal),
    },
    ...settings,
  });
}

/** When each attempt began, in milliseconds. */
function attemptTimes(result: EngineResult): number[] {
  return ofType(result, "step.started").filter(({ step }) => step === "1").map(result.at);
}

const refuse = (attempt: number) => {
  throw new DispatchError(`no ${attempt}`, 409);
};
const lose = (delivery: "unknown" | "not-sent") => () => {
  throw new ConnectionError("lost", "connection_lost", { delivery });
};
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  );

for (
  const [retry, times] of [
    ["attempts: 1", [0]],
    ["attempts: 5", [0, 200, 600, 1_400, 3_000]],
    ["attempts: 3, backoff: 50ms", [0, 50, 150]],
    ["attempts: 4, backoff: 20s", [0, 20_000, 60_000, 120_000]],
    ["attempts: 4, backoff: 40s", [0, 40_000, 100_000, 160_000]],
    ["attempts: 3, backoff: 2m", [0, 120_000, 240_000]],
    ["attempts: \"${{ 1 + 1 }}\", backoff: \"${{ '1' + 's' }}\"", [0, 1_000]],
  ] as const
) {
  test(`pauses double up to a minute, or stay longer: { ${retry} }`, async () => {
    const result = await runStep(`call: job.list\n    retry: { ${retry} }`, refuse);
    assert.deepEqual(attemptTimes(result), times);
    const [step] = ends(result.events);
    assert.equal(step!.attempts, times.length);
    assert.equal(step!.failure!.message, `no ${times.length}`);
    assert.equal(step!.duration_ms, times.at(-1));
    assert.deepEqual(
      ofType(result, "step.retried").map(({ attempt, failure }) => [attempt, failure.message]),
      times.slice(1).map((_, i) => [i + 1, `no ${i + 1}`]),
    );
  });
}

test("a step without `retry` fails after its first attempt", async () => {
  const result = await runStep("call: job.list", refuse);
  assert.deepEqual(attemptTimes(result), [0]);
  assert.deepEqual(ofType(result, "step.retried"), []);
});

test("a case is flaky only if a step has passed in a later attempt", async () => {
  const retry = "retry: { attempts: 2, backoff: 1ms }";
  const flaky = async (step: string, passesAt: number) => {
    const result = await runStep(
      step,
      (attempt) => attempt < passesAt ? refuse(attempt) : { done: attempt },
    );
    const { status, flaky } = ofType(result, "case.finished")[0]!;
    return [status, flaky, ends(result.events)[0]!.attempts];
  };
  assert.deepEqual(await flaky(`call: job.list\n    ${retry}`, 1), ["passed", false, 1]);
  assert.deepEqual(await flaky(`call: job.list\n    ${retry}`, 2), ["passed", true, 2]);
  assert.deepEqual(await flaky(`call: job.list\n    soft: true\n    ${retry}`, 3), [
    "passed",
    false,
    2,
  ]);
});

test("a failure mentions the attempt before only if the last one ran out of time", async () => {
  const step = "call: job.list\n    within: 1s\n    retry: { attempts: 3, backoff: 1ms }";
  const late = await runStep(
    step,
    (attempt, signal) => attempt < 3 ? refuse(attempt) : untilAborted(signal),
  );
  const { kind, message, lines } = ends(late.events)[0]!.failure!;
  assert.equal(kind, "deadline");
  assert.equal(message, "not done within 1s");
  assert.deepEqual(lines, ["attempt 2: no 2"]);
  const refused = await runStep(step, refuse);
  assert.deepEqual(ends(refused.events)[0]!.failure!.lines, []);
  const first = await runStep(
    "call: job.list\n    within: 1s",
    (_attempt, signal) => untilAborted(signal),
  );
  assert.deepEqual(ends(first.events)[0]!.failure!.lines, []);
});

test("says that a write is not repeated only if attempts were left", async () => {
  const NOT_RETRIED =
    "not retried, because its request may have reached the server; `repeat_writes: true` retries it anyway";
  const lines = async (retry: string, delivery: "unknown" | "not-sent") => {
    const result = await runStep(`enqueue: noop\n    ${retry}`, lose(delivery));
    const { attempts, failure } = ends(result.events)[0]!;
    return [attempts, ...failure!.lines];
  };
  const retry = (more: string) => `retry: { backoff: 1ms, ${more} }`;
  assert.deepEqual(await lines(retry("attempts: 3"), "unknown"), [1, NOT_RETRIED]);
  assert.deepEqual(await lines(retry("attempts: 3"), "not-sent"), [3]);
  assert.deepEqual(await lines(retry("attempts: 3, repeat_writes: true"), "unknown"), [3]);
  assert.deepEqual(await lines(retry("attempts: 3, repeat_writes: false"), "unknown"), [
    1,
    NOT_RETRIED,
  ]);
  assert.deepEqual(await lines(retry("attempts: 1"), "unknown"), [1]);
  assert.deepEqual(await lines("soft: false", "unknown"), [1]);
  assert.deepEqual(await lines(retry("attempts: 3, only_if: false"), "unknown"), [1]);
  assert.deepEqual(
    await lines(retry("attempts: 3, only_if: error.kind == 'connection'"), "unknown"),
    [1, NOT_RETRIED],
  );
});

test("a write that may have arrived at a later attempt is not repeated either", async () => {
  const result = await runStep(
    "enqueue: noop\n    retry: { attempts: 4, backoff: 1ms }",
    (attempt) => attempt < 3 ? lose("not-sent")() : lose("unknown")(),
  );
  assert.equal(ends(result.events)[0]!.attempts, 3);
});

test("`only_if` sees the kind, the message and the code of a failure", async () => {
  const attempts = async (condition: string, request: (attempt: number) => unknown = refuse) => {
    const result = await runStep(
      `id: one\n    call: job.list\n    retry: { attempts: 3, backoff: 1ms, only_if: ${condition} }`,
      request,
      { before: "vars: { word: again }\n" },
    );
    return ends(result.events)[0]!.attempts;
  };
  assert.equal(await attempts("error.kind == 'server' && error.code == 409"), 3);
  assert.equal(await attempts("error.message == 'no 1'"), 2);
  assert.equal(await attempts("error.code == 404"), 1);
  assert.equal(await attempts("vars.word == 'again'"), 3);
  const throwing = () => {
    throw new Error("no code");
  };
  assert.equal(await attempts("error.kind == 'thrown' && error.code == ''", throwing), 3);
});

test("an `only_if` that cannot be evaluated ends the attempts, and the failure stays", async () => {
  const result = await runStep(
    "call: job.list\n    retry: { attempts: 3, backoff: 1ms, only_if: int(error.message) > 0 }",
    refuse,
  );
  const { attempts, failure } = ends(result.events)[0]!;
  assert.equal(attempts, 1);
  assert.equal(failure!.message, "no 1");
  assert.deepEqual(failure!.lines, []);
});

test("an `only_if` that is anything but true ends the attempts", async () => {
  const result = await runStep(
    "call: job.list\n    retry: { attempts: 3, backoff: 1ms, only_if: inputs.word }",
    refuse,
    { before: "inputs: { word: { type: any, default: yes } }\n" },
  );
  assert.equal(ends(result.events)[0]!.attempts, 1);
});

test("an internal error in `only_if` does not count as a false condition", async () => {
  const recipe = await readValid(
    "r.yaml",
    "steps:\n  - call: job.list\n    retry: { attempts: 2, only_if: true }\n  - assert: true\n",
  );
  recipe.steps[0]!.retry!.onlyIf = new Expression("unchecked", (start, end) => ({ start, end }));
  await assert.rejects(
    runEngine([recipe], { client: { call: () => Promise.reject(new Error("no")) } }),
    /^Error: Cannot evaluate 'unchecked': it was not checked$/,
  );
});

for (
  const [value, shown] of [
    ["-1", "-1"],
    ["0", "0"],
    ["1.5", "1.5"],
    ['"3"', "3"],
  ] as const
) {
  test(`fails before the first attempt if \`attempts\` is ${value}`, async () => {
    const result = await runStep(
      "call: job.list\n    retry: { attempts: '${{ inputs.n }}' }",
      refuse,
      { before: `inputs: { n: { type: any, default: ${value} } }\n` },
    );
    assert.deepEqual(attemptTimes(result), []);
    const { attempts: count, status, failure } = ends(result.events)[0]!;
    assert.deepEqual([status, count], ["failed", 1]);
    assert.equal(failure!.kind, "evaluation");
    assert.equal(
      failure!.message,
      `\`attempts\` must be a whole number of at least 1, not ${shown}`,
    );
    assert.equal(failure!.place!.column, 29);
  });
}

test("a computed pause that is not a duration fails the step before its first attempt", async () => {
  const result = await runStep(
    'call: job.list\n    retry: { attempts: 2, backoff: "${{ vars.when }}" }',
    refuse,
    { before: "vars: { when: soon }\n" },
  );
  assert.deepEqual(attemptTimes(result), []);
  assert.equal(ends(result.events)[0]!.failure!.message, "`soon` is not a duration");
});

test("an interruption during a pause interrupts the step", async () => {
  const stop = new AbortController();
  const result = await runStep("call: job.list\n    retry: { attempts: 3, backoff: 1h }", refuse, {
    signal: stop.signal,
    onEvent: ({ type }) =>
      void (type === "step.retried" && stop.abort(new InterruptedError("SIGINT"))),
  });
  const { status, attempts, failure } = ends(result.events)[0]!;
  assert.equal(attempts, 1);
  assert.equal(status, "interrupted");
  assert.equal(failure!.message, "Interrupted by SIGINT");
  assert.equal(result.ms, 0);
});

test("an interruption during an attempt is followed by no other attempt", async () => {
  const stop = new AbortController();
  const result = await runStep("call: job.list\n    retry: { attempts: 3, backoff: 1h }", () => {
    stop.abort();
    throw new Error("cut off");
  }, { signal: stop.signal });
  assert.deepEqual(ofType(result, "step.retried"), []);
  const { attempts, failure } = ends(result.events)[0]!;
  assert.equal(attempts, 1);
  assert.equal(failure!.message, "cut off");
  assert.deepEqual(failure!.lines, []);
});

test("a failure stays, and says so, when the recipe's time ends the pause after it", async () => {
  const result = await runStep("call: job.list\n    retry: { attempts: 3, backoff: 1h }", refuse, {
    timeout: 90_000,
  });
  const { attempts, failure } = ends(result.events)[0]!;
  assert.equal(attempts, 1);
  assert.deepEqual([failure!.kind, failure!.message], ["server", "no 1"]);
  assert.deepEqual(failure!.lines, ["the recipe's time was over before the next attempt"]);
  assert.equal(result.ms, 90_000);
});
