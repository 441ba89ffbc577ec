import type { SeedResult } from "./seed_run.ts";

type WorkFaults = import("../../../dev/work_faults.ts").WorkFaults;

/** What is known of a case before faults happen. */
export interface Known {
  /** The faults that can happen, with the job or workflow. */
  possible: WorkFaults["possible"];
  /** The number of waits that time out without faults. */
  timeouts: number;
  /** The jobs and workflows of which the recipe accepts that they fail. */
  accepted: Set<string>;
}

/** What the run of a seed means. */
export type Judgement =
  /** The recipe passed, or was interrupted. */
  | { kind: "passed" }
  /** A wait of the workload ran out, and it said so. */
  | { kind: "timed-out" }
  /** A handler waited for a promise that only the handler of a dead process could have resolved. */
  | { kind: "blocked" }
  /** A job or run failed as it was told to, which the recipe does not accept. */
  | { kind: "not-accepted" }
  /** A failure; those of one group are alike. */
  | { kind: "failure"; group: string };

/** Decides whether the run of a seed shows a mistake. */
export function judge(
  { finished, failedStep, faults, hasGivenUp }: SeedResult,
  { timeouts, accepted }: Known,
): Judgement {
  const { status, failure } = finished;
  if (status === "passed" || status === "interrupted") return { kind: "passed" };
  const isLate = failure?.kind === "deadline";
  // A wait that runs out may take longer than the recipe has.
  if (isLate && faults.injected.some(({ key }) => key.startsWith("expire:"))) {
    return { kind: "not-accepted" };
  }
  // In memory there are locks that no real process would leave behind.
  if (isLate && hasGivenUp && faults.injected.some(isInterruption)) return { kind: "blocked" };
  const endedOtherwise = failure?.kind === "wait";
  const run = failedStep?.observed?.entity?.id;
  if (
    endedOtherwise && run !== undefined && faults.timedOut.has(run) &&
    faults.timedOut.size > timeouts
  ) {
    return { kind: "timed-out" };
  }
  const refused = faults.injected.some(({ key }) =>
    key.startsWith("fail:") && !accepted.has(faults.possible.get("fail")!.get(key)!)
  );
  if (refused) return { kind: "not-accepted" };
  const { step = "", kind = status, message = "" } = failure ?? {};
  return { kind: "failure", group: `${step} ${kind} ${pattern(message)}` };
}

/** Whether a fault can have interrupted a handler, which then releases nothing that it holds. */
function isInterruption({ key }: { key: string }): boolean {
  return key.includes("@") || /^(?:restart|crash:parallel):/.test(key);
}

/** Replaces what differs between runs that fail in the same way: ids, numbers and times. */
function pattern(message: string): string {
  return message
    .replace(/\b(?:job|wfrun|evt|dlq|cron)_[0-9a-z]{26}\b/g, "ID")
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID")
    .replace(/\d+(?:\.\d+)?/g, "N");
}
