import { type CallOptions, DispatchAdmin, type JobRecord, type WorkflowRun } from "../../mod.ts";
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
      return { do: "stats" };
    default:
      return op;
  }
}
