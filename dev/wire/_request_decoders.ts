import { decodeGo, type GoStruct, type GoType } from "../go/decode.ts";
import { GoJsonError } from "../go/scan.ts";

/** The TypeScript type of a decoded member. */
type Decoded<T> = T extends "string" ? string
  : T extends "int" ? number
  : T extends "raw" ? string | undefined
  : unknown;

/**
 * Creates a decoder for a request, which throws an error with Go's message if the data is not
 * valid.
 */
function decoder<const Fields extends Record<string, GoType>>(
  name: string,
  fields: Fields,
): (data: string | undefined) => { [Name in keyof Fields]: Decoded<Fields[Name]> } {
  // Created once, because the Go decoder caches by struct.
  const struct: GoStruct = { type: `dwp.${name}`, fields };
  return (data) => {
    if (data === undefined) throw new GoJsonError("unexpected end of JSON input");
    return decodeGo(data, struct) as { [Name in keyof Fields]: Decoded<Fields[Name]> };
  };
}

export const decodeAuthRequest = decoder("AuthRequest", { token: "string", format: "string" });
export const decodeJobEnqueueRequest = decoder("JobEnqueueRequest", {
  name: "string",
  payload: "raw",
  queue: "string",
  priority: "int",
});
export const decodeJobGetRequest = decoder("JobGetRequest", { job_id: "string" });
export const decodeJobCancelRequest = decoder("JobCancelRequest", { job_id: "string" });
export const decodeJobListRequest = decoder("JobListRequest", {
  state: "string",
  queue: "string",
  limit: "int",
  offset: "int",
});
export const decodeWorkflowStartRequest = decoder("WorkflowStartRequest", {
  name: "string",
  input: "raw",
});
export const decodeWorkflowGetRequest = decoder("WorkflowGetRequest", { run_id: "string" });
export const decodeWorkflowTimelineRequest = decoder("WorkflowTimelineRequest", {
  run_id: "string",
});
export const decodeWorkflowEventRequest = decoder("WorkflowEventRequest", {
  name: "string",
  payload: "raw",
});
export const decodeWorkflowCancelRequest = decoder("WorkflowCancelRequest", { run_id: "string" });
export const decodeWorkflowReplayRequest = decoder("WorkflowReplayRequest", {
  run_id: "string",
  from_step: "string",
});
export const decodeSubscribeRequest = decoder("SubscribeRequest", {
  channel: "string",
  credits: "int",
});
export const decodeUnsubscribeRequest = decoder("UnsubscribeRequest", { channel: "string" });
export const decodeDeadLetterReplayRequest = decoder("DLQReplayRequest", { entry_id: "string" });
