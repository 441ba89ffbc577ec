import { decodeGo, type GoStruct, type GoType } from "../go/decode.ts";
import { GoJsonError } from "../go/scan.ts";

/** What a member of a type is once it is decoded. */
type Decoded<T> = T extends "string" ? string
  : T extends "int" ? number
  : T extends "raw" ? string | undefined
  : unknown;

/**
 * Makes what decodes a frame's data into a request. It throws with the server's words when the data
 * is none.
 */
function request<const Fields extends Record<string, GoType>>(
  name: string,
  fields: Fields,
): (data: string | undefined) => { [Name in keyof Fields]: Decoded<Fields[Name]> } {
  // One struct for all frames: what is known of a type is kept by it.
  const struct: GoStruct = { type: `dwp.${name}`, fields };
  return (data) => {
    if (data === undefined) throw new GoJsonError("unexpected end of JSON input");
    return decodeGo(data, struct) as { [Name in keyof Fields]: Decoded<Fields[Name]> };
  };
}

export const authRequest = request("AuthRequest", { token: "string", format: "string" });
export const jobEnqueueRequest = request("JobEnqueueRequest", {
  name: "string",
  payload: "raw",
  queue: "string",
  priority: "int",
});
export const jobGetRequest = request("JobGetRequest", { job_id: "string" });
export const jobCancelRequest = request("JobCancelRequest", { job_id: "string" });
export const jobListRequest = request("JobListRequest", {
  state: "string",
  queue: "string",
  limit: "int",
  offset: "int",
});
export const workflowStartRequest = request("WorkflowStartRequest", {
  name: "string",
  input: "raw",
});
export const workflowGetRequest = request("WorkflowGetRequest", { run_id: "string" });
export const workflowTimelineRequest = request("WorkflowTimelineRequest", { run_id: "string" });
export const workflowEventRequest = request("WorkflowEventRequest", {
  name: "string",
  payload: "raw",
});
export const workflowCancelRequest = request("WorkflowCancelRequest", { run_id: "string" });
export const workflowReplayRequest = request("WorkflowReplayRequest", {
  run_id: "string",
  from_step: "string",
});
export const subscribeRequest = request("SubscribeRequest", { channel: "string", credits: "int" });
export const unsubscribeRequest = request("UnsubscribeRequest", { channel: "string" });
export const deadLetterReplayRequest = request("DLQReplayRequest", { entry_id: "string" });
