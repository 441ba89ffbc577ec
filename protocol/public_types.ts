/**
 * The types of the protocol that the packages for users export, in one place: events, jobs and
 * runs.
 *
 * @module
 */
export type { CronRecord } from "./admin.ts";
export type { JobRecord, JobState, RunState, WorkflowRun } from "./entity.ts";
export type {
  CronFired,
  DispatchEvent,
  EventOf,
  EventType,
  JobCompleted,
  JobDead,
  JobEnqueued,
  JobEvent,
  JobEventData,
  JobFailed,
  JobRetrying,
  JobStarted,
  RunCompleted,
  RunEvent,
  RunEventData,
  RunFailed,
  RunStarted,
  StepCompleted,
  StepFailed,
} from "./event.ts";
