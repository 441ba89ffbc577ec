import type { StepKindName } from "../../runner/steps/step_kinds.ts";

/** A step of one kind, and what it does. */
export interface StepExample {
  /** The steps before it, as YAML. */
  before?: string;
  /** The step, as YAML. Its id is `step`. */
  step: string;
  /** A condition on its result that uses every field. Absent if the step has no result. */
  result?: string;
  /** Its line in reports. */
  label: string;
  /** What reports show behind the line. */
  detail?: RegExp;
  /** Options of the run. */
  args?: string[];
  /** Other files of the recipe. */
  files?: Record<string, string>;
}

const JOB = "  - id: job\n    enqueue: noop\n";

/** An example of each step kind. A new kind does not compile without one. */
export const STEP_EXAMPLES: Record<StepKindName, StepExample> = {
  enqueue: {
    step: "enqueue: send-email\n    payload: { to: a@example.com, subject: Hello }",
    result: `step.job_id != "" && step.name == "send-email" && step.payload.to == "a@example.com"`,
    label: "enqueue send-email",
    detail: /^job_/,
  },
  start: {
    step: "start: order-payment\n    input: { order_id: ORD-7 }",
    result: `step.run_id != "" && step.name == "order-payment"`,
    label: "start order-payment",
    detail: /^wfrun_/,
  },
  publish: {
    step: "publish: payment-received",
    result: `step.event_id != "" && step.name == "payment-received"`,
    label: "publish payment-received",
    detail: /./,
  },
  wait: {
    before: JOB,
    step: "wait: job",
    result: `step.outcome == "reached" && step.waited_ms >= 0 && step.states[0].state != ""`,
    label: "wait for job",
    detail: /^completed$/,
  },
  assert: { step: "assert: 1 + 1 == 2", label: "assert 1 + 1 == 2" },
  cancel: { before: JOB, step: "cancel: job", label: "cancel job", detail: /^job_/ },
  get: {
    before: JOB,
    step: "get: job",
    result: `step.name == "noop" && step.job_id == job.job_id`,
    label: "get job",
    detail: /^job_\w+ \w+$/,
  },
  stats: { step: "stats:", result: "step.connections >= 0", label: "stats" },
  call: {
    before: JOB,
    step: "call: job.get\n    data: { job_id: '${{ job.job_id }}' }",
    result: "step.id == job.job_id",
    label: "call job.get",
  },
  sleep: { step: "sleep: 2s", label: "sleep 2s", detail: /^2\.00 s$/ },
  advance: {
    step: "advance: 30d",
    label: "advance 30d",
    detail: /^30 d$/,
    args: ["--clock", "virtual"],
  },
  log: { step: "log: Hello", label: "log Hello" },
  set: { step: "set: { order: ORD-8 }", label: "set order" },
  use: {
    step: "use: other.yaml",
    result: "step.two == 2",
    label: "use other.yaml",
    files: { "other.yaml": "steps:\n  - assert: true\noutputs:\n  two: ${{ 1 + 1 }}\n" },
  },
  parallel: {
    step: "parallel:\n      - id: inner\n        stats:\n      - log: beside it",
    label: "parallel, 2 steps",
  },
};
