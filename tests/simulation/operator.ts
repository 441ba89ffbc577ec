import { type CallOptions, DispatchAdmin, type JobRecord, type WorkflowRun } from "../../mod.ts";
import type { Store } from "../../dev/mod.ts";
import type { Operation } from "./program.ts";

/** A client of the admin API whose methods have the names that those of other clients have. */
export class Operator extends DispatchAdmin {
  getJob(id: string, options?: CallOptions): Promise<JobRecord> {
    return this.job(id, options);
  }

  getWorkflow(id: string, options?: CallOptions): Promise<WorkflowRun> {
    return this.run(id, options);
  }
}

/** Returns what an operator does in place of an operation that the admin API does not have. */
export function asOperator(op: Operation): Operation {
  switch (op.do) {
    case "waitJob":
    case "follow":
    case "subscribe":
      return { do: "getJob", pick: op.pick };
    case "waitRun":
    case "watch":
    case "timeline":
      return { do: "getRun", pick: op.pick };
    case "enqueue":
    case "enqueueMany":
    case "start":
    case "publish":
    case "call":
      return { do: "stats" };
    default:
      return op;
  }
}

/** What an operator was answered, and what the store had before and after that. */
export interface Answered {
  readonly answer: unknown;
  readonly before: Holdings;
  readonly after: Holdings;
}

/** How many jobs and dead letters a store has. */
interface Holdings {
  readonly jobs: number;
  readonly letters: number;
}

const NO_LETTER = "dlq_00000000000000000000000000";

/** Does what only operators do. */
export async function operate(
  admin: DispatchAdmin,
  { what, pick }: Operation & { do: "operate" },
  jobId: string | undefined,
  store: Partial<Store>,
  options: CallOptions,
): Promise<Answered> {
  const letters = store.deadLetters?.() ?? [];
  const id = letters[pick % letters.length]?.id ?? NO_LETTER;
  const holdings = () => ({
    jobs: store.jobs?.().length ?? 0,
    letters: store.deadLetters?.().length ?? 0,
  });
  const before = holdings();
  const answer = await {
    counts: () => admin.counts(options),
    workflows: () => admin.workflows(options),
    retry: () => admin.retryJob(jobId!, options),
    letters: () => admin.deadLetters.count(options),
    letter: () => admin.deadLetters.get(id, options),
    replay: () => admin.deadLetters.replay(id, options),
    replayAll: () => admin.deadLetters.replayAll(options),
    purge: () => admin.deadLetters.purge(options),
  }[what]();
  return { answer, before, after: holdings() };
}
