import type {
  CallOptions,
  Definitions,
  Dispatch,
  DispatchCalls,
  Job,
  RpcJob,
  RpcRun,
  Run,
  WriteOptions,
} from "../../mod.ts";
import { JOB_ID, jobRecord, RUN_ID, runRecord, STATS } from "./records.ts";

/** A client over any transport. */
export type AnyClient = DispatchCalls<Definitions, RpcJob, RpcRun>;

/** The calls of every client that send one request. A new one does not compile without an example. */
export type RequestCall = Exclude<keyof AnyClient, "job" | "run">;

/** An example of a call that sends one request. */
export interface CallExample {
  send(client: AnyClient, options?: WriteOptions): Promise<unknown>;
  /** The call as error messages name it. */
  what: string;
  /** The request. */
  method: string;
  data?: unknown;
  subject?: string;
  /** The data of the answer. */
  answer: unknown;
  /** What the call resolves with; for a handle, some of its properties. */
  result: unknown;
  /**
   * Data that is not an answer to this method, and the code of the error it causes; `undefined` if
   * the call accepts any data.
   */
  malformed: { answer: unknown; code: string } | undefined;
}

const TIMELINE = [{ step_name: "ship", data: btoa('{"ok":true}'), created_at: "2026-01-01" }];
const EVENT = { event_id: "evt_1", name: "paid" };

/** An example of each call that sends one request. */
export const REQUEST_CALLS: Record<RequestCall, CallExample> = {
  enqueue: {
    send: (client, options) => client.enqueue("noop", { n: 1 }, { queue: "slow", ...options }),
    what: "enqueue 'noop'",
    method: "job.enqueue",
    data: { name: "noop", queue: "slow", payload: { n: 1 } },
    subject: "noop",
    answer: { job_id: JOB_ID, queue: "slow", state: "pending" },
    result: { job_id: JOB_ID, queue: "slow", state: "pending" },
    malformed: { answer: { job_id: JOB_ID, queue: "slow" }, code: "bad_answer" },
  },
  getJob: {
    send: (client, options) => client.getJob(JOB_ID, options),
    what: `get job '${JOB_ID}'`,
    method: "job.get",
    data: { job_id: JOB_ID },
    subject: JOB_ID,
    answer: jobRecord("running"),
    result: { ...jobRecord("running"), payload: null },
    malformed: { answer: { id: JOB_ID }, code: "bad_entity" },
  },
  cancelJob: {
    send: (client, options) => client.cancelJob(JOB_ID, options),
    what: `cancel job '${JOB_ID}'`,
    method: "job.cancel",
    data: { job_id: JOB_ID },
    subject: JOB_ID,
    answer: { status: "cancelled" },
    result: undefined,
    malformed: undefined,
  },
  getWorkflow: {
    send: (client, options) => client.getWorkflow(RUN_ID, options),
    what: `get workflow run '${RUN_ID}'`,
    method: "workflow.get",
    data: { run_id: RUN_ID },
    subject: RUN_ID,
    answer: runRecord("running"),
    result: { ...runRecord("running"), input: {} },
    malformed: { answer: "a text", code: "bad_entity" },
  },
  workflowTimeline: {
    send: (client, options) => client.workflowTimeline(RUN_ID, options),
    what: `get the timeline of workflow run '${RUN_ID}'`,
    method: "workflow.timeline",
    data: { run_id: RUN_ID },
    subject: RUN_ID,
    answer: TIMELINE,
    result: [{ ...TIMELINE[0], data: { ok: true } }],
    malformed: { answer: {}, code: "bad_entity" },
  },
  publishEvent: {
    send: (client, options) => client.publishEvent("paid", { cents: 1 }, options),
    what: "publish event 'paid'",
    method: "workflow.event",
    data: { name: "paid", payload: { cents: 1 } },
    subject: "paid",
    answer: EVENT,
    result: EVENT,
    malformed: { answer: null, code: "bad_answer" },
  },
  stats: {
    send: (client, options) => client.stats(options),
    what: "get stats",
    method: "stats",
    answer: STATS,
    result: STATS,
    malformed: { answer: [], code: "bad_entity" },
  },
  call: {
    send: (client, options) => client.call("cron.list", { page: 2 }, options),
    what: "call 'cron.list'",
    method: "cron.list",
    data: { page: 2 },
    answer: [{ any: "thing" }],
    result: [{ any: "thing" }],
    malformed: undefined,
  },
};

type ClientCall = Exclude<
  keyof Dispatch,
  RequestCall | "job" | "run" | "close" | "status" | typeof Symbol.asyncDispose
>;
type JobCall = `job.${Exclude<keyof Job, "job_id" | "queue" | "state">}`;
type RunCall = `run.${Exclude<keyof Run, "run_id" | "name" | "state">}`;
type OtherCall = "call of workflow.start" | "reading a subscription";

/** Makes a call with options, such as a signal. */
export type CallWith = (client: Dispatch, options: CallOptions) => PromiseLike<unknown>;

/** Every call that takes a signal. */
export const CALLS: Record<RequestCall | ClientCall | JobCall | RunCall | OtherCall, CallWith> = {
  ...Object.fromEntries(
    Object.entries(REQUEST_CALLS).map(([name, { send }]) => [name, send]),
  ) as unknown as Record<RequestCall, CallWith>,
  enqueueMany: (client, options) => client.enqueueMany("noop", [1, 2, 3], options),
  startWorkflow: (client, options) => client.startWorkflow("noop", {}, options),
  "call of workflow.start": (client, options) =>
    client.call("workflow.start", { name: "noop" }, options),
  subscribe: (client, options) => client.subscribe("jobs", options),
  "reading a subscription": (client, options) =>
    client.subscribe("workflows", options)[Symbol.asyncIterator]().next(),
  watch: (client, options) => client.watch(RUN_ID, options).next(),
  connect: (client, options) => client.connect(options).then(() => new Promise(() => {})),
  "job.wait": (client, options) => client.job(JOB_ID).wait(options),
  "job.events": (client, options) => client.job(JOB_ID).events(options).next(),
  "job.get": (client, options) => client.job(JOB_ID).get(options),
  "job.cancel": (client, options) => client.job(JOB_ID).cancel(options),
  "run.wait": (client, options) => client.run(RUN_ID).wait(options),
  "run.events": (client, options) => client.run(RUN_ID).events(options).next(),
  "run.get": (client, options) => client.run(RUN_ID).get(options),
  "run.timeline": (client, options) => client.run(RUN_ID).timeline(options),
};
