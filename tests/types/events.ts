// Compiled by `deno check`, never run: how the `type` of an event narrows it.
import type {
  ChannelName,
  CronFired,
  Dispatch,
  DispatchEvent,
  EventType,
  Gap,
  JobDead,
  JobEvent,
  JobFailed,
  JobRetrying,
  PendingSubscription,
  RunEvent,
  RunFailed,
  StepCompleted,
  StepFailed,
  Subscription,
} from "../../mod.ts";
import { type Equal, expect } from "./_equal.ts";

expect<Equal<DispatchEvent, JobEvent | RunEvent | CronFired>>();
expect<Equal<EventType, DispatchEvent["type"]>>();
expect<Equal<Extract<DispatchEvent, { type: "job.failed" }>, JobFailed>>();
expect<Equal<Extract<EventType, `cron.${string}`>, "cron.fired">>();

export function narrowed(event: DispatchEvent | Gap): void {
  // @ts-expect-error A gap has no data.
  void event.data;
  if (event.type === "gap") {
    expect<Equal<typeof event, Gap>>();
    expect<Equal<typeof event.missed, number | undefined>>();
    return;
  }
  // @ts-expect-error Not every event is about a job.
  void event.data.job_name;
  switch (event.type) {
    case "job.failed":
    case "job.dlq":
      expect<Equal<typeof event, JobFailed | JobDead>>();
      expect<Equal<typeof event.data.error, string | undefined>>();
      expect<Equal<typeof event.data.job_name, string>>();
      break;
    case "job.retrying":
      expect<Equal<typeof event, JobRetrying>>();
      expect<Equal<typeof event.data.attempt, number | undefined>>();
      expect<Equal<typeof event.data.next_run_at, string | undefined>>();
      break;
    case "job.completed":
    case "workflow.completed":
      expect<Equal<typeof event.data.elapsed_ms, number | undefined>>();
      // @ts-expect-error A completed job has no error.
      void event.data.error;
      break;
    case "job.enqueued":
    case "job.started":
      expect<Equal<typeof event.data.queue, string>>();
      // @ts-expect-error The event of a job has no run.
      void event.data.run_id;
      break;
    case "workflow.started":
      expect<Equal<typeof event.data.run_id, string>>();
      // @ts-expect-error The event of a run has no job.
      void event.data.job_id;
      // @ts-expect-error The run has only started.
      void event.data.step_name;
      break;
    case "workflow.step_completed":
      expect<Equal<typeof event, StepCompleted>>();
      expect<Equal<typeof event.data.step_name, string>>();
      break;
    case "workflow.step_failed":
      expect<Equal<typeof event, StepFailed>>();
      expect<Equal<typeof event.data.error, string | undefined>>();
      break;
    case "workflow.failed":
      expect<Equal<typeof event, RunFailed>>();
      break;
    case "cron.fired":
      expect<Equal<typeof event.data, { entry_name: string; job_id: string }>>();
      break;
    default:
      // A new type does not compile without a case.
      expect<Equal<typeof event, never>>();
  }
}

export function unknownType(event: DispatchEvent): void {
  // @ts-expect-error There is no such type.
  if (event.type === "job.done") return;
}

export async function readAtOnce(client: Dispatch): Promise<void> {
  const pending = client.subscribe("jobs", { buffer: 10, overflow: "drop-newest" });
  expect<Equal<typeof pending, PendingSubscription>>();
  // @ts-expect-error Only a confirmed subscription has a buffer.
  void pending.buffered;
  for await (const event of pending) {
    expect<Equal<typeof event, DispatchEvent | Gap>>();
  }
  await pending.unsubscribe();
}

export async function confirmedFirst(client: Dispatch): Promise<void> {
  await using subscription = await client.subscribe("workflow:wfrun_1");
  expect<Equal<typeof subscription, Subscription>>();
  expect<Equal<typeof subscription.buffered, number>>();
  for await (const event of subscription) {
    expect<Equal<typeof event, DispatchEvent | Gap>>();
  }
  // @ts-expect-error There is no such choice.
  client.subscribe("jobs", { overflow: "block" });
  // @ts-expect-error A channel is a string.
  client.subscribe();
}

export function channels(client: Dispatch, name: string): void {
  const known: ChannelName[] = ["jobs", "workflows", "firehose", "queue:email", "job:job_1"];
  for (const each of known) client.subscribe(each);
  client.subscribe(name);
  // @ts-expect-error There is no such channel.
  const unknown: ChannelName = "cron";
  void unknown;
}

export async function oneRunOrJob(client: Dispatch): Promise<void> {
  for await (const event of client.watch("wfrun_1")) {
    expect<Equal<typeof event, RunEvent | Gap>>();
    // @ts-expect-error A run has no job events.
    if (event.type === "job.failed") continue;
  }
  for await (const event of client.run("wfrun_1").events()) {
    expect<Equal<typeof event, RunEvent | Gap>>();
  }
  for await (const event of client.job("job_1").events()) {
    expect<Equal<typeof event, JobEvent | Gap>>();
    // @ts-expect-error A job has no step events.
    if (event.type === "workflow.step_failed") continue;
  }
}
