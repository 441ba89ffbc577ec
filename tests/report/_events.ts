import type { CaseStatus, EventPlace, RecipeEvent, RunCounts } from "../../runner/mod.ts";

/** When the sample runs start. */
export const RUN_START = Date.parse("2026-11-24T09:00:00.000Z");

/** A time, in milliseconds after {@linkcode RUN_START}. */
export function at(ms: number): string {
  return new Date(RUN_START + ms).toISOString();
}

/** Text that could break a report: markup, control characters, surrogates, commands, wide letters. */
export const HOSTILE =
  `<script>alert(1)</script> ]]> & " ' \u0000\u0008\u001b[31mred \ud800 \uffff ::error::x%0A 名前 👩‍👩‍👧 # \\`;

function place(file: string, line: number, text: string): EventPlace {
  return { file, line, column: 5, text, length: Math.max(1, text.trim().length) };
}

/**
 * A run with everything a report can show: a passed case with a wait and checkpoints, a flaky one, a
 * failed one with details and a soft failure, one that could not run, one that checked nothing, and
 * one that did not start. Case 2 overlaps with case 1 in time.
 *
 * @param options.interrupted Whether the run is interrupted during case 5.
 */
export function sampleRun(options: { interrupted?: boolean } = {}): RecipeEvent[] {
  const { interrupted = false } = options;
  const order = "recipes/order.yaml";
  const wait = { text: "  - wait: order", line: 12 };
  const counts: RunCounts = {
    passed: 2,
    failed: 1,
    errored: 1,
    unchecked: 1,
    interrupted: interrupted ? 2 : 0,
    skipped: interrupted ? 0 : 1,
    flaky: 1,
    warnings: 1,
  };
  const started = (index: number, name: string, file: string, ms: number): RecipeEvent => ({
    type: "case.started",
    ts: at(ms),
    case: index,
    name,
    file,
    tags: index === 0 ? ["smoke", "orders"] : [],
    vars: { order_id: "ORD-7" },
    ...(index === 1 ? { matrix: { region: "eu" } } : {}),
  });
  const ended = (
    index: number,
    name: string,
    file: string,
    ms: number,
    status: CaseStatus,
    more: Partial<RecipeEvent & { type: "case.finished" }> = {},
  ): RecipeEvent => ({
    type: "case.finished",
    ts: at(ms),
    case: index,
    name,
    file,
    status,
    flaky: false,
    duration_ms: ms - index * 1000,
    ...more,
  });
  const step = (index: number, number: string, kind: string, label: string, line: number) => ({
    case: index,
    step: number,
    phase: "steps" as const,
    kind,
    label,
    place: place(index === 0 ? order : `recipes/${index}.yaml`, line, `  - ${label}`),
  });
  const passedWait = {
    entity: { kind: "run" as const, id: "wfrun_1", name: "order-payment" },
    states: [{ state: "running", at: at(210) }, { state: "completed", at: at(900) }],
    timeline: [
      { step_name: "reserve", at: at(300), created_at: at(290) },
      { step_name: "wait:payment-received", at: at(650), created_at: at(640) },
      { step_name: "ship", at: at(880), created_at: at(870) },
    ],
  };
  const failure = {
    kind: "wait" as const,
    message: `run \`order-payment\` (wfrun_2) is failed, not completed: ${HOSTILE}`,
    code: "step_failed",
    lines: ["seen: running at 0 ms, failed at 1.2 s", "- expected", "+ actual", HOSTILE],
    place: place("recipes/2.yaml", wait.line, wait.text),
    step: "2",
  };
  const soft = {
    kind: "assertion" as const,
    message: "`stats.jobs == 3` is false",
    lines: ["stats.jobs  int 2", "3           int 3"],
    place: place("recipes/2.yaml", 20, "  - assert: stats.jobs == 3"),
    step: "3",
  };
  const refused = {
    kind: "server" as const,
    message: "Cannot enqueue 'send-email': the server answered 403 insufficient permissions",
    code: 403,
    lines: [],
    place: place("recipes/3.yaml", 4, "  - enqueue: send-email"),
    step: "1",
  };
  const again = { ...soft, message: '`email.state == "completed"` is false', step: "1" };
  const waited = step(0, "2", "wait", "wait for order", wait.line);
  const events: RecipeEvent[] = [
    { type: "run.started", ts: at(0), version: 1, cases: 7, server: "embedded" },
    started(0, "Order smoke", order, 0),
    {
      type: "step.started",
      ts: at(1),
      ...step(0, "1", "start", "start order-payment", 9),
      attempt: 1,
      id: "order",
    },
    {
      type: "step.finished",
      ts: at(200),
      ...step(0, "1", "start", "start order-payment", 9),
      id: "order",
      status: "passed",
      duration_ms: 199,
      attempts: 1,
      soft: false,
      detail: "wfrun_1",
    },
    { type: "step.started", ts: at(205), ...waited, attempt: 1 },
    {
      type: "step.progress",
      ts: at(210),
      case: 0,
      step: "2",
      phase: "steps",
      text: "running",
      since: at(210),
    },
    {
      type: "step.progress",
      ts: at(300),
      case: 0,
      step: "2",
      phase: "steps",
      text: "running, reserve done",
      since: at(300),
    },
    { type: "log", ts: at(400), case: 0, step: "2", phase: "steps", text: "half way" },
    {
      type: "step.finished",
      ts: at(900),
      ...waited,
      status: "passed",
      duration_ms: 695,
      attempts: 1,
      soft: false,
      detail: "completed",
      observed: passedWait,
    },
    {
      type: "step.finished",
      ts: at(900),
      ...step(0, "3", "cancel", "cancel email", 20),
      phase: "always",
      status: "skipped",
      duration_ms: 0,
      attempts: 0,
      soft: false,
      detail: "`email` did not run",
    },
    ended(0, "Order smoke", order, 910, "passed"),
    started(1, "Flaky [region=eu]", "recipes/1.yaml", 1000),
    started(2, `Payment ${HOSTILE}`, "recipes/2.yaml", 1100),
    { type: "step.started", ts: at(1001), ...step(1, "1", "get", "get email", 4), attempt: 1 },
    {
      type: "step.retried",
      ts: at(1100),
      case: 1,
      step: "1",
      phase: "steps",
      attempt: 1,
      failure: again,
    },
    { type: "step.started", ts: at(1300), ...step(1, "1", "get", "get email", 4), attempt: 2 },
    {
      type: "step.finished",
      ts: at(1400),
      ...step(1, "1", "get", "get email", 4),
      status: "passed",
      duration_ms: 399,
      attempts: 2,
      soft: false,
    },
    ended(1, "Flaky [region=eu]", "recipes/1.yaml", 1400, "passed", { flaky: true }),
    {
      type: "step.started",
      ts: at(1101),
      ...step(2, "2", "wait", `wait for ${HOSTILE}`, wait.line),
      attempt: 1,
    },
    {
      type: "step.finished",
      ts: at(2400),
      ...step(2, "2", "wait", `wait for ${HOSTILE}`, wait.line),
      status: "failed",
      duration_ms: 1299,
      attempts: 1,
      soft: false,
      failure,
      observed: {
        entity: { kind: "run", id: "wfrun_2", name: "order-payment" },
        states: [{ state: "running", at: at(1101) }, { state: "failed", at: at(2390) }],
        timeline: [],
      },
    },
    {
      type: "step.started",
      ts: at(2401),
      ...step(2, "3", "assert", "assert stats.jobs == 3", 20),
      attempt: 1,
    },
    {
      type: "step.finished",
      ts: at(2402),
      ...step(2, "3", "assert", "assert stats.jobs == 3", 20),
      status: "failed",
      duration_ms: 1,
      attempts: 1,
      soft: true,
      failure: soft,
    },
    {
      type: "warning",
      ts: at(2405),
      case: 2,
      text: "event `payment-received` (evt_1) was not consumed by this recipe's runs",
    },
    ended(2, `Payment ${HOSTILE}`, "recipes/2.yaml", 2410, "failed", { failure }),
    started(3, "Refused", "recipes/3.yaml", 3000),
    {
      type: "step.started",
      ts: at(3001),
      ...step(3, "1", "enqueue", "enqueue send-email", 4),
      attempt: 1,
    },
    {
      type: "step.finished",
      ts: at(3020),
      ...step(3, "1", "enqueue", "enqueue send-email", 4),
      status: "errored",
      duration_ms: 19,
      attempts: 1,
      soft: false,
      failure: refused,
    },
    ended(3, "Refused", "recipes/3.yaml", 3020, "errored", { failure: refused }),
    started(4, "Checks nothing", "recipes/4.yaml", 4000),
    ended(4, "Checks nothing", "recipes/4.yaml", 4010, "unchecked"),
  ];
  if (interrupted) {
    const cut = {
      kind: "interrupted" as const,
      message: "interrupted by SIGINT",
      lines: [],
      step: "1",
    };
    events.push(
      started(5, "Long", "recipes/5.yaml", 5000),
      { type: "step.started", ts: at(5001), ...step(5, "1", "sleep", "sleep 1h", 3), attempt: 1 },
      {
        type: "step.finished",
        ts: at(5100),
        ...step(5, "1", "sleep", "sleep 1h", 3),
        status: "interrupted",
        duration_ms: 99,
        attempts: 1,
        soft: false,
        failure: cut,
      },
      ended(5, "Long", "recipes/5.yaml", 5100, "interrupted", { failure: cut }),
      {
        type: "case.skipped",
        ts: at(5101),
        case: 6,
        name: "Not started",
        file: "recipes/6.yaml",
        reason: "interrupted",
      },
    );
  } else {
    events.push(
      started(5, "Quiet", "recipes/5.yaml", 5000),
      { type: "step.started", ts: at(5001), ...step(5, "1", "stats", "stats", 3), attempt: 1 },
      {
        type: "step.finished",
        ts: at(5010),
        ...step(5, "1", "stats", "stats", 3),
        status: "passed",
        duration_ms: 9,
        attempts: 1,
        soft: false,
      },
      ended(5, "Quiet", "recipes/5.yaml", 5100, "passed"),
      {
        type: "case.skipped",
        ts: at(5101),
        case: 6,
        name: "Not started",
        file: "recipes/6.yaml",
        reason: "bail",
      },
    );
    counts.passed = 3;
  }
  events.push({
    type: "run.finished",
    ts: at(5102),
    exit_code: interrupted ? 130 : 1,
    interrupted,
    duration_ms: 5102,
    counts,
  });
  return events;
}

/** A run of one case, which is run three times: it fails twice, and then passes. */
export function retriedRun(): RecipeEvent[] {
  const about = { case: 0, name: "Retried", file: "recipes/0.yaml" };
  const attempts = [1, 2, 3].flatMap((attempt): RecipeEvent[] => {
    const ms = attempt * 100;
    const step = {
      case: 0,
      step: "1",
      phase: "steps" as const,
      kind: "assert",
      label: "assert ready",
      place: place(about.file, 2, "  - assert: ready"),
    };
    const failure = {
      kind: "assertion" as const,
      message: `attempt ${attempt} is not ready`,
      lines: [],
      place: step.place,
      step: "1",
    };
    const isLast = attempt === 3;
    const ended = isLast ? { status: "passed" as const } : { status: "failed" as const, failure };
    return [
      {
        type: "case.started",
        ts: at(ms),
        ...about,
        tags: [],
        vars: { attempt },
        ...(attempt === 1 ? {} : { attempt }),
      },
      { type: "step.started", ts: at(ms), ...step, attempt: 1 },
      { type: "log", ts: at(ms), case: 0, step: "1", phase: "steps", text: `log ${attempt}` },
      { type: "warning", ts: at(ms), case: 0, text: `warning ${attempt}` },
      {
        type: "step.finished",
        ts: at(ms + 50),
        ...step,
        ...ended,
        ...{ duration_ms: 50, attempts: 1, soft: false },
      },
      isLast
        ? {
          type: "case.finished",
          ts: at(ms + 60),
          ...about,
          ...{ status: "passed", flaky: true, duration_ms: 260, attempts: 3 },
        }
        : {
          type: "case.retried",
          ts: at(ms + 60),
          ...about,
          ...{ attempt, status: "failed", duration_ms: 60, failure },
        },
    ];
  });
  const counts: RunCounts = {
    ...{ passed: 1, failed: 0, errored: 0, unchecked: 0, interrupted: 0, skipped: 0 },
    ...{ flaky: 1, warnings: 3 },
  };
  const end = { exit_code: 0, interrupted: false, duration_ms: 400, counts };
  return [
    { type: "run.started", ts: at(0), version: 1, cases: 1, server: "embedded" },
    ...attempts,
    { type: "run.finished", ts: at(400), ...end },
  ];
}

/** A run of many small cases, of which every tenth fails. */
export function* manyCases(count: number): Generator<RecipeEvent> {
  yield { type: "run.started", ts: at(0), version: 1, cases: count, server: "embedded" };
  let failed = 0;
  for (let i = 0; i < count; i++) {
    const file = `recipes/${i % 50}.yaml`;
    const name = `Case ${i}`;
    const fails = i % 10 === 9;
    if (fails) failed++;
    const step = {
      case: i,
      step: "1",
      phase: "steps" as const,
      kind: "assert",
      label: "assert 1 == 1",
      place: place(file, 2, "  - assert: 1 == 1"),
    };
    const failure = {
      kind: "assertion" as const,
      message: "`1 == 1` is false",
      lines: ["1  int 1"],
      place: step.place,
      step: "1",
    };
    const ms = i * 10;
    yield { type: "case.started", ts: at(ms), case: i, name, file, tags: [], vars: {} };
    yield { type: "step.started", ts: at(ms), ...step, attempt: 1 };
    yield {
      type: "step.finished",
      ts: at(ms + 9),
      ...step,
      status: fails ? "failed" : "passed",
      duration_ms: 9,
      attempts: 1,
      soft: false,
      ...(fails ? { failure } : {}),
    };
    yield {
      type: "case.finished",
      ts: at(ms + 10),
      case: i,
      name,
      file,
      status: fails ? "failed" : "passed",
      flaky: false,
      duration_ms: 10,
      ...(fails ? { failure } : {}),
    };
  }
  yield {
    type: "run.finished",
    ts: at(count * 10),
    exit_code: failed > 0 ? 1 : 0,
    interrupted: false,
    duration_ms: count * 10,
    counts: {
      passed: count - failed,
      failed,
      errored: 0,
      unchecked: 0,
      interrupted: 0,
      skipped: 0,
      flaky: 0,
      warnings: 0,
    },
  };
}
