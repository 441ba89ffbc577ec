import type { DispatchEvent } from "./event.ts";

/** The parts of a channel name. */
export type Channel =
  | { kind: "jobs" | "workflows" | "firehose" }
  | { kind: "job" | "workflow" | "queue"; id: string };

/** The name of a channel to subscribe to. */
export type ChannelName =
  | "jobs"
  | "workflows"
  | "firehose"
  | `job:${string}`
  | `workflow:${string}`
  | `queue:${string}`;

/**
 * Parses the name of a channel.
 * @returns Its parts, or `undefined` if there is no such channel.
 */
export function parseChannel(name: string): Channel | undefined {
  if (name === "jobs" || name === "workflows" || name === "firehose") return { kind: name };
  const colon = name.indexOf(":");
  if (colon < 1 || colon === name.length - 1) return undefined;
  const kind = name.slice(0, colon);
  if (kind !== "job" && kind !== "workflow" && kind !== "queue") return undefined;
  return { kind, id: name.slice(colon + 1) };
}

/**
 * Lists the channels that an event of this type is published on: `firehose`, the channel of all
 * jobs or of all workflows, the entity's own topic unless it is empty, and the job's queue.
 */
export function channelsFor(type: string, topic: string, queue?: string): string[] {
  const channels = ["firehose"];
  if (type.startsWith("job.")) channels.push("jobs");
  else if (type.startsWith("workflow.")) channels.push("workflows");
  if (topic !== "") channels.push(topic);
  if (queue !== undefined) channels.push(`queue:${queue}`);
  return channels;
}

/**
 * Lists the channels an event belongs to. The event frame names only the entity's own topic; the
 * other channels follow from the event's type and data.
 */
export function channelsOf(event: DispatchEvent): string[] {
  const { type, topic, data } = event;
  return channelsFor(type, topic, (data as { queue?: string }).queue);
}

/** Whether an event belongs to a channel. */
export function matchesChannel(channel: string, event: DispatchEvent): boolean {
  return channelsOf(event).includes(channel);
}

/**
 * Returns the channel to subscribe to on a server. Servers today accept `queue:<name>` but publish
 * nothing on it, so the events of a queue come from `jobs`.
 */
export function wireChannel(channel: string): string {
  return channel.startsWith("queue:") ? "jobs" : channel;
}
