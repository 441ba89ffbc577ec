// The protocol documents these methods, but real servers answer them with 405. The documentation
// shows neither their requests nor their responses, so those are this server's own.

import {
  decodeDeadLetterReplayRequest,
  decodeJobListRequest,
  decodeWorkflowCancelRequest,
  decodeWorkflowReplayRequest,
} from "./_request_decoders.ts";
import { replayDeadLetter as replay } from "../engine/admin_actions.ts";
import { wireCron, wireDeadLetter, wireJob } from "../engine/wire_format.ts";
import {
  checkId,
  findRun,
  isVisible,
  type Method,
  MethodError,
  type Methods,
  ok,
} from "./method.ts";

const listJobs: Method = (server, frame, caller) => {
  const { state, queue, limit, offset } = decodeJobListRequest(frame.data ?? "{}");
  const jobs = [...server.state.store.jobRows.values()].filter((job) =>
    isVisible(server, job, caller) && (state === "" || job.state === state) &&
    (queue === "" || job.queue === queue)
  );
  const page = jobs.slice(offset, limit > 0 ? offset + limit : undefined);
  return ok(page.map((job) => wireJob(job, server.jobs.heartbeatOf(job))));
};

const cancelRun: Method = (server, frame, caller) => {
  const { run_id } = decodeWorkflowCancelRequest(frame.data ?? "{}");
  const run = findRun(server, run_id, caller);
  if (!run) throw new MethodError(404, "run not found");
  if (!server.workflows.cancel(run)) throw new MethodError(409, `run is ${run.state}`);
  return ok({ status: "cancelled" });
};

const replayRun: Method = (server, frame, caller) => {
  const { run_id, from_step } = decodeWorkflowReplayRequest(frame.data ?? "{}");
  const run = findRun(server, run_id, caller);
  if (!run) throw new MethodError(404, "run not found");
  if (run.state === "running") throw new MethodError(409, "run is running");
  server.workflows.replay(run, from_step, server.signal);
  return ok({ run_id, name: run.name, state: run.state });
};

const listCrons: Method = ({ state }) => ok([...state.store.cronRows.values()].map(wireCron));

const listDeadLetters: Method = (server, _frame, caller) => {
  const entries = [...server.state.store.deadLetterRows.values()];
  return ok(entries.filter((entry) => isVisible(server, entry, caller)).map(wireDeadLetter));
};

const replayDeadLetter: Method = (server, frame, caller) => {
  const { entry_id } = decodeDeadLetterReplayRequest(frame.data ?? "{}");
  checkId(entry_id, "dlq", "DLQ");
  const entry = server.state.store.deadLetterRows.get(entry_id);
  if (!entry || !isVisible(server, entry, caller)) {
    throw new MethodError(404, "dlq entry not found");
  }
  const job = replay(server, entry);
  return ok({ job_id: job.id, queue: job.queue, state: "pending" });
};

/** The methods that real servers do not have. */
export const DOCUMENTED_METHODS: Methods = new Map([
  ["job.list", listJobs],
  ["workflow.cancel", cancelRun],
  ["workflow.replay", replayRun],
  ["cron.list", listCrons],
  ["dlq.list", listDeadLetters],
  ["dlq.replay", replayDeadLetter],
]);
