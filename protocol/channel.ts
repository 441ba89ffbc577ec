import type { DispatchEvent } from "./event.ts";

/** A channel's parts. */
export type Channel =
  | { kind: "jobs" | "workflows" | "firehose" }
  | { kind: "job" | "workflow" | "queue"; id: string };

/** The name of a channel as one subscribes to it. */
export type ChannelName =
  | "jobs"
  | "workflows"
  | "firehose"
  | `job:${string}`
  | `workflow:${string}`
  | `queue:${string}`;

/**
 * Takes a channel's name apart.
 * @returns The parts, or `undefined` when it is no channel.
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
 * The channels an event belongs to. A server names only the entity's own topic, so the rest is
 * derived from the event: a job's belongs to `jobs`, `job:<id>`, `queue:<queue>` and `firehose`.
 */
export function channelsOf(event: DispatchEvent): string[] {
  const channels = ["firehose"];
  if (event.type.startsWith("job.")) channels.push("jobs");
  else if (event.type.startsWith("workflow.")) channels.push("workflows");
  if (event.topic !== "") channels.push(event.topic);
  if ("queue" in event.data) channels.push(`queue:${event.data.queue}`);
  return channels;
}

/** Whether an event belongs to a channel. */
export function matchesChannel(channel: string, event: DispatchEvent): boolean {
  return channelsOf(event).includes(channel);
}

/**
 * The channel to ask a server for. Today's servers accept `queue:<name>` and publish nothing on it;
 * a queue's events are among those of `jobs`.
 */
export function wireChannel(channel: string): string {
  return channel.startsWith("queue:") ? "jobs" : channel;
}
