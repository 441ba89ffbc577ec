import type { DispatchEvent } from "../../../protocol/mod.ts";
import type { RunnerClient } from "../../../runner/mod.ts";
import type { Moment } from "./evidence.ts";
import type { Action } from "./plan.ts";

/** A wait for events of a channel. */
export type ChannelAction = Extract<Action, { do: "events" }>;

/** A call of `subscribe`, and what its subscription has delivered. */
export interface Listening extends Moment {
  readonly channel: string;
  confirmed?: Moment;
  failed?: Moment & { readonly error: unknown };
  /** Whether it was ended, or never began. */
  isClosed?: boolean;
  readonly deliveries: (Moment & { readonly event: DispatchEvent })[];
}

/** Returns the channel that a step waits for events of. */
export function channelOf({ channel }: ChannelAction, id: string | undefined): string {
  if (channel === "queue") return "queue:default";
  return channel === "job" || channel === "workflow" ? `${channel}:${id}` : channel;
}

/** Returns the channel that the runner listens to from the start because of a step. */
export function earlyChannelOf({ channel }: ChannelAction): string {
  if (channel === "queue") return "queue:default";
  return channel === "job" ? "jobs" : channel === "workflow" ? "workflows" : channel;
}

/** Whether the events of one channel include those of another. */
export function covers(wide: string, narrow: string): boolean {
  if (wide === narrow || wide === "firehose") return true;
  return wide === "jobs" ? /^(job|queue):/.test(narrow) : wide === "workflows" &&
    narrow.startsWith("workflow:");
}

/** Whether an event counts for a step. */
export function counts(
  { where, type, ...action }: ChannelAction,
  id: string | undefined,
  event: DispatchEvent,
): boolean {
  const data = event.data as unknown as Record<string, unknown>;
  const channel = channelOf({ where, type, ...action }, id);
  const isOnChannel = {
    firehose: true,
    jobs: event.type.startsWith("job."),
    workflows: event.type.startsWith("workflow."),
    "queue:default": data.queue === "default",
  }[channel] ?? (data.job_id ?? data.run_id) === id;
  if (!isOnChannel) return false;
  if (where === "type") return event.type === type;
  // An event without the field does not match.
  if (where === "attempt") return data.attempt !== undefined && Number(data.attempt) >= 1;
  return where !== "own" || (data.job_id ?? data.run_id) === id;
}

/** Calls `subscribe`, and notes what comes of it. */
export function listen(
  client: RunnerClient,
  args: Parameters<RunnerClient["subscribe"]>,
  moment: () => Moment,
  listenings: Listening[],
): ReturnType<RunnerClient["subscribe"]> {
  const listening: Listening = { ...moment(), channel: args[0], deliveries: [] };
  listenings.push(listening);
  const pending = client.subscribe(...args);
  const promise = pending.then((subscription) => {
    listening.confirmed = moment();
    return new Proxy(subscription, {
      get(target, key) {
        const member = Reflect.get(target, key, target);
        if (typeof member !== "function") return member;
        if (key !== Symbol.asyncIterator) return member.bind(target);
        return async function* () {
          for await (const item of target) {
            if (item.type !== "gap") {
              listening.deliveries.push({ ...moment(), event: item as DispatchEvent });
            }
            yield item;
          }
        };
      },
    });
  }, (error) => {
    listening.failed = { ...moment(), error };
    listening.isClosed = true;
    throw error;
  });
  return Object.assign(promise, {
    unsubscribe() {
      listening.isClosed = true;
      return pending.unsubscribe();
    },
  }) as unknown as ReturnType<RunnerClient["subscribe"]>;
}
