import { type CallOptions, DispatchAdmin, type JobRecord, type WorkflowRun } from "../../mod.ts";

/** A client of the admin API whose methods have the names that those of other clients have. */
export class Operator extends DispatchAdmin {
  getJob(id: string, options?: CallOptions): Promise<JobRecord> {
    return this.job(id, options);
  }

  getWorkflow(id: string, options?: CallOptions): Promise<WorkflowRun> {
    return this.run(id, options);
  }
}
