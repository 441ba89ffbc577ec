/**
 * The Dispatch Wire Protocol: frames, codecs, methods, entities, events, channels and error codes.
 * No I/O and no timers.
 *
 * @module
 */
export {
  type AdminStats,
  type CronRecord,
  type DeadLetterRecord,
  decodeCron,
  decodeDeadLetter,
  type JobCounts,
} from "./admin.ts";
export { decodeBase64, decodeJsonBase64, encodeBase64 } from "./base64.ts";
export {
  type Channel,
  type ChannelName,
  channelsFor,
  channelsOf,
  matchesChannel,
  parseChannel,
  wireChannel,
} from "./channel.ts";
export { type Codec, type FrameHead, jsonCodec } from "./codec.ts";
export {
  decodeJob,
  decodeRun,
  decodeStats,
  decodeTimeline,
  EntityError,
  isRecord,
  isTerminal,
  JOB_STATES,
  type JobRecord,
  type JobState,
  RUN_STATES,
  type RunState,
  type Stats,
  type TimelineEntry,
  type WorkflowRun,
} from "./entity.ts";
export { ERROR_CODES, type ErrorCode } from "./error_code.ts";
export {
  type CronFired,
  type DispatchEvent,
  EVENT_TYPES,
  type EventOf,
  type EventType,
  type JobCompleted,
  type JobDead,
  type JobEnqueued,
  type JobEvent,
  type JobEventData,
  type JobFailed,
  type JobRetrying,
  type JobStarted,
  type RunCompleted,
  type RunEvent,
  type RunEventData,
  type RunFailed,
  type RunStarted,
  type StepCompleted,
  type StepFailed,
  toEvent,
} from "./event.ts";
export {
  EXCERPT_LENGTH,
  type Frame,
  FRAME_TYPES,
  FrameError,
  type FrameType,
  toFrame,
  type WireError,
} from "./frame.ts";
export { type Method, METHOD_SCOPES } from "./method.ts";
export { loadMsgpackCodec } from "./msgpack.ts";
