// Compiled by `deno check`, never run: what calls resolve with, and what they throw.
import {
  type AuthError,
  type ConnectionError,
  type ConnectionErrorCode,
  type Delivery,
  type Dispatch,
  DispatchError,
  type EnqueueManyError,
  type Job,
  JobFailedError,
  type JobRecord,
  type JobState,
  type OverflowError,
  type Run,
  RunFailedError,
  type RunState,
  type Stats,
  type Status,
  type TimelineEntry,
  TimeoutError,
  type WorkflowRun,
} from "../../mod.ts";
import { type Equal, expect } from "./_equal.ts";

type Answer<Method extends keyof Dispatch> = Awaited<ReturnType<Dispatch[Method]>>;

expect<Equal<Answer<"connect">, string>>();
expect<Equal<Answer<"close">, void>>();
expect<Equal<Answer<"enqueue">, Job>>();
expect<Equal<Answer<"enqueueMany">, Job[]>>();
expect<Equal<Answer<"getJob">, JobRecord>>();
expect<Equal<Answer<"cancelJob">, void>>();
expect<Equal<Answer<"startWorkflow">, Run>>();
expect<Equal<Answer<"getWorkflow">, WorkflowRun>>();
expect<Equal<Answer<"workflowTimeline">, TimelineEntry[]>>();
expect<Equal<Answer<"publishEvent">, { event_id: string; name: string }>>();
expect<Equal<Answer<"stats">, Stats>>();
expect<Equal<Answer<"call">, unknown>>();
expect<Equal<JobRecord["state"], JobState>>();
expect<Equal<WorkflowRun["state"], RunState>>();
expect<Equal<JobRecord["payload"], unknown>>();
expect<Equal<Awaited<ReturnType<Job["wait"]>>, JobRecord>>();
expect<Equal<Awaited<ReturnType<Run["wait"]>>, WorkflowRun>>();

export function handles(job: Job, run: Run): void {
  expect<
    Equal<[typeof job.job_id, typeof job.queue, typeof job.state], [string, string, string]>
  >();
  expect<Equal<[typeof run.run_id, typeof run.name, typeof run.state], [string, string, string]>>();
  // @ts-expect-error A handle's id does not change.
  job.job_id = "job_2";
  // @ts-expect-error Only the server changes the state.
  run.state = "completed";
}

export function failures(error: unknown): void {
  if (error instanceof JobFailedError) {
    expect<Equal<typeof error.job, JobRecord>>();
  } else if (error instanceof RunFailedError) {
    expect<Equal<typeof error.run, WorkflowRun>>();
  } else if (error instanceof TimeoutError) {
    expect<Equal<typeof error.delivery, Delivery>>();
  } else if (error instanceof DispatchError) {
    expect<Equal<typeof error.code, number | string>>();
    expect<Equal<typeof error.delivery, Delivery | undefined>>();
  }
}

export function isAllOne(
  ...errors: [AuthError, ConnectionError, EnqueueManyError, OverflowError]
): DispatchError[] {
  expect<Equal<(typeof errors)[1]["delivery"], "not-sent" | "unknown">>();
  expect<Equal<(typeof errors)[2]["index"], number>>();
  const code: ConnectionErrorCode = "gave_up";
  void code;
  return errors;
}

export async function statuses(client: Dispatch): Promise<void> {
  for await (const status of client.status()) {
    expect<Equal<typeof status, Status>>();
    // @ts-expect-error Not every status has a cause.
    void status.cause;
    switch (status.type) {
      case "idle":
      case "connecting":
      case "closed":
        break;
      case "connected":
        expect<Equal<typeof status.sessionId, string>>();
        expect<Equal<typeof status.format, "json" | "msgpack">>();
        break;
      case "reconnecting":
        expect<Equal<[typeof status.attempt, typeof status.delay], [number, number]>>();
        break;
      case "disconnected":
      case "failed":
      case "format_fallback":
      case "anomaly":
      case "lane_lost":
        expect<Equal<typeof status.cause, Error>>();
        break;
      case "gap":
        expect<Equal<typeof status.since, string>>();
        break;
      default:
        // A new status does not compile without a case.
        expect<Equal<typeof status, never>>();
    }
  }
}
