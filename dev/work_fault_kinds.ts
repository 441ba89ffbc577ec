import type { Work, WorkKind } from "./work.ts";

/** A kind of fault that can happen to work. */
export interface WorkFaultKind {
  /** What it is, for documentation and help. */
  description: string;
  /** The kinds of work that it can happen to. */
  work: readonly WorkKind[];
}

const PARTS: readonly WorkKind[] = ["job", "step", "parallel", "child"];
/** The kinds of work that call a function of the workload. */
export const HANDLERS: readonly WorkKind[] = ["job", "step", "parallel", "compensate"];

/** The faults that can happen to work. */
export const WORK_FAULTS = {
  "crash": {
    description:
      "the process dies after an `await` of a handler or step, or after it has returned and before its result is stored: it runs again",
    work: [...PARTS, "compensate", "sleep", "wait"],
  },
  "restart": {
    description:
      "all processes die at once, at a moment at which one could crash: everything runs again",
    work: [...PARTS, "compensate", "sleep"],
  },
  "delay": {
    description: "a job, a part of a run or a request is late, or takes longer",
    work: [...PARTS, "compensate", "sleep", "wait", "enqueue", "publish", "start"],
  },
  "order": {
    description: "a job or step waits until another one begins, and both run at the same time",
    work: ["job", "step", "parallel"],
  },
  "duplicate": {
    description: "a caller that got no answer enqueues a job or publishes an event a second time",
    work: ["enqueue", "publish"],
  },
  "error": {
    description: "an attempt of a job fails after its handler has returned, and is retried",
    work: ["job"],
  },
  "fail": {
    description: "a job or step fails for good, each time before its handler is called",
    work: PARTS,
  },
  "expire": {
    description: "a run's wait for an event runs out, because the event comes too late",
    work: ["wait"],
  },
} as const satisfies Record<string, WorkFaultKind>;

/** The name of a kind of fault. */
export type WorkFaultName = keyof typeof WORK_FAULTS;

/** Returns what a piece of work is called, such as `step:order:charge`. */
export function siteOf({ kind, name, workflow }: Work): string {
  return workflow === undefined ? `${kind}:${name}` : `${kind}:${workflow}:${name}`;
}

/** Returns the job or workflow that a piece of work belongs to, such as `workflow:order`. */
export function ownerOf({ kind, name, workflow }: Work): string {
  return workflow === undefined ? `${kind}:${name}` : `workflow:${workflow}`;
}

/** Describes the end of a piece of work: `its handler returned`. */
export function endOf({ kind }: Work): string {
  if (kind === "job") return "its handler returned";
  return kind === "child" || kind === "sleep" ? "it ended" : "its function returned";
}

/** Describes a piece of work: `step charge of workflow order`. */
export function describeWork({ kind, name, workflow, attempt }: Work): string {
  switch (kind) {
    case "job":
      return `job ${name} (attempt ${attempt})`;
    case "step":
      return `step ${name} of workflow ${workflow}`;
    case "parallel":
      return `step ${name} of workflow ${workflow}`;
    case "compensate":
      return `the compensation of ${name} in workflow ${workflow}`;
    case "child":
      return `child ${name} of workflow ${workflow}`;
    case "sleep":
      return `sleep ${name} of workflow ${workflow}`;
    case "wait":
      return `the wait ${name} of workflow ${workflow}`;
    case "enqueue":
      return `the request to enqueue ${name}`;
    case "publish":
      return `the request to publish ${name}`;
    case "start":
      return `the request to start ${name}`;
  }
}
