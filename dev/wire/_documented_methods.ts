// The methods that the protocol declares and servers of today do not serve. Their requests and
// answers are this server's reading of the documentation, which shows none.

import { CanceledError } from "../engine/server_state.ts";
import type { Answer, InFrame } from "./_frames.ts";
import {
  deadLetterReplayRequest,
  jobListRequest,
  workflowCancelRequest,
  workflowReplayRequest,
} from "./_request_decoders.ts";
import { type Caller, checkId, type Engines, findRun, ok, Refusal } from "./methods.ts";
import { sameTenant } from "./broker.ts";
import { wireCron, wireDeadLetter, wireJob } from "../engine/store_rows.ts";

/** Serves such a method; `undefined` when it is none of them. */
export function documentedMethod(
  engines: Engines,
  frame: InFrame,
  caller: Caller,
): Answer | undefined {
  const { core, jobs, workflows } = engines;
  const sees = (owner: { app: string; org: string }) =>
    core.quirks["tenants-open"] || sameTenant(owner, caller.tenant);
  const data = frame.data ?? "{}";
  switch (frame.method) {
    case "job.list": {
      const request = jobListRequest(data);
      const rows = [...core.store.jobRows.values()].filter((job) =>
        sees(job) && (request.state === "" || job.state === request.state) &&
        (request.queue === "" || job.queue === request.queue)
      );
      const end = request.limit > 0 ? request.offset + request.limit : undefined;
      const page = rows.slice(request.offset, end);
      return ok(page.map((job) => wireJob(job, jobs.heartbeatOf(job))));
    }
    case "workflow.cancel": {
      const { run_id } = workflowCancelRequest(data);
      const run = findRun(engines, run_id, caller);
      if (!run) throw new Refusal(404, "run not found");
      if (!workflows.cancel(run, new CanceledError())) {
        throw new Refusal(409, `run is ${run.state}`);
      }
      return ok({ status: "cancelled" });
    }
    case "workflow.replay": {
      const { run_id, from_step } = workflowReplayRequest(data);
      const run = findRun(engines, run_id, caller);
      if (!run) throw new Refusal(404, "run not found");
      if (run.state === "running") throw new Refusal(409, "run is running");
      workflows.replay(run, from_step, engines.signal);
      return ok({ run_id, name: run.name, state: run.state });
    }
    case "cron.list":
      return ok([...core.store.cronRows.values()].map(wireCron));
    case "dlq.list":
      return ok([...core.store.deadLetterRows.values()].filter(sees).map(wireDeadLetter));
    case "dlq.replay": {
      const { entry_id } = deadLetterReplayRequest(data);
      checkId(entry_id, "dlq", "DLQ");
      const entry = core.store.deadLetterRows.get(entry_id);
      if (!entry || !sees(entry)) throw new Refusal(404, "dlq entry not found");
      entry.replayedAt = core.stamps.now();
      const { name, payload, queue, maxRetries } = entry.job;
      const job = jobs.enqueue(entry, name, payload, { queue, maxRetries });
      return ok({ job_id: job.id, queue: job.queue, state: "pending" });
    }
  }
}
