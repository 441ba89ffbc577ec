import { channelsOf } from "../../protocol/mod.ts";
import { callName } from "./actor.ts";
import { keyOf, type Published } from "./model.ts";
import { LONGEST_FAULT, START } from "./program.ts";
import { controlSessions, type Evidence, type Rule } from "./rules.ts";

/** How many milliseconds a subscription must be older than a job whose start it must hear of. */
const OLDER = 1_500 + LONGEST_FAULT;

/** Matches the types of events that only a started job or run has. */
const PROGRESS = /\.(step_\w+|completed|failed|retrying)$/;

/** Matches the types of events with which a job or run ends. */
const END = /\.(completed|failed)$/;

/** Rule 4: who hears that a job or run has gone on, but not that it has started, is told of a loss. */
function* lostStartsAreTold({ actors, model, world, program }: Evidence): Iterable<string> {
  if (model.lost.size === 0) return;
  for (const actor of actors) {
    const { isHttp, hasSlept, subscriptions, statuses } = actor;
    if (isHttp || hasSlept || subscriptions.length === 0) continue;
    for (const { status, worldAt } of statuses) {
      if (status.type !== "connected") continue;
      const connection = world.connections.find((it) => it.sessionId === status.sessionId)?.name;
      const own = model.world.trace.filter(({ who }) => who === connection);
      for (const [index, { what, frame, at }] of own.entries()) {
        if (what !== "receives, but drop" || !frame!.includes('.started"')) continue;
        const { data: event } = JSON.parse(frame!);
        const events = model.published.filter((it) => it.event.topic === event.topic);
        const hasOneStart = events.filter((it) => it.event.type.endsWith(".started")).length === 1;
        // Those of one attempt and of another are told apart if nothing else was lost.
        const about = own.filter((it) => it.frame?.includes(`"topic":"${event.topic}"`));
        const lost = about.filter((it) => it.what.startsWith("receives,")).length;
        if (!hasOneStart && (lost !== 1 || program.nodes !== 1)) continue;
        const since = worldAt + OLDER + program.latency[1];
        const reading = events[0]!.at > since &&
          subscriptions.find((it) => isOlder(it, events[0]!, program.latency[1]));
        const progress = hasOneStart ? PROGRESS : END;
        const goesOn = own.slice(index).some((it) =>
          it.what === "receives" && about.includes(it) &&
          progress.test(JSON.parse(it.frame!).data.type)
        );
        const isTold = statuses.some((it) =>
          it.worldAt >= at && it.status.type === "gap" && it.status.reason === "lost"
        );
        if (!reading || !goesOn || isTold) continue;
        yield `4: ${callName(reading.outcome)} lost ${keyOf(event)}, of which nobody was told`;
      }
    }
  }
}

/** Whether a subscription was confirmed long before a job or run was created, and goes on. */
function isOlder(
  { outcome, ended, isLeft, name: channel }: Evidence["actors"][number]["subscriptions"][number],
  { event, at }: Published,
  latency: number,
): boolean {
  return outcome.isSettled && !outcome.error && !ended && !isLeft &&
    channelsOf(event).includes(channel) && outcome.worldEnd + OLDER + latency < at;
}

/** Matches a request to subscribe or to unsubscribe: its id, which of both, and the channel. */
const REQUEST = /^\{"id":"(\d+)".*"method":"((?:un)?subscribe)".*"channel":"(.*?)"/;

/** The types of statuses that end a connection, and so its subscriptions. */
const ENDS = ["disconnected", "failed", "closed"];

/** Rule 6: the client tells of each channel that it could not leave in time. */
function* failedLeavesAreTold(
  { actors, model, world, program }: Evidence,
): Iterable<string> {
  for (const actor of actors) {
    const { name: client, isHttp, hasSlept, plan, statuses } = actor;
    if (isHttp || hasSlept) continue;
    const control = controlSessions(actor);
    for (const { name: connection, sessionId } of world.connections) {
      if (!control.has(sessionId!) || !model.harmed.has(connection)) continue;
      const own = model.world.trace.filter(({ who, frame }) => who === connection && frame);
      const answerTo = (id: string) =>
        own.find(({ what, frame }) =>
          what.startsWith("receives") && frame!.includes(`"correl_id":"${id}"`)
        );
      const late = program.latency[1] + (model.delayed.has(connection) ? LONGEST_FAULT : 0);
      /** When the client knew that the server has confirmed the last request for a channel. */
      const confirmed = new Map<string, number>();
      for (const { at, what, frame } of own) {
        const [, id, method, channel] = what.startsWith("sends") && REQUEST.exec(frame!) || [];
        if (!id) continue;
        const answer = answerTo(id);
        if (method === "subscribe") {
          confirmed.set(channel!, answer?.what === "receives" ? answer.at + late : Infinity);
        }
        // Who was told that subscribing failed, or gave it up, is told no more.
        if (method === "subscribe" || !(confirmed.get(channel!)! <= at)) continue;
        if (answer?.what !== "receives, but drop") continue;
        const until = at + plan.timeout + LONGEST_FAULT;
        const isOver = world.now <= until ||
          statuses.some(({ status, worldAt }) =>
            worldAt >= at && worldAt <= until && ENDS.includes(status.type)
          );
        const isTold = statuses.some(({ status, worldAt }) =>
          worldAt >= at && worldAt <= until && status.type === "anomaly" &&
          Object(status.cause).code === "timeout"
        );
        if (isOver || isTold) continue;
        yield `6: ${client} left a channel at ${at} without an answer, of which nobody was told`;
      }
    }
  }
}

/** Rule 4: a loss is told once, and only of what was published after the client had connected. */
function* lossesAreNew({ actors, model, world }: Evidence): Iterable<string> {
  for (const { name: client, statuses, isHttp } of actors) {
    if (isHttp) continue;
    let openedAt = 0;
    const told = new Map<string, number>();
    for (const { status, worldAt } of statuses) {
      if (status.type === "connected") {
        openedAt = world.connections.find((it) => it.sessionId === status.sessionId)?.openedAt ?? 0;
      }
      if (status.type !== "gap" || status.reason !== "lost") continue;
      const { since, until } = status;
      if (Date.parse(since) < START + openedAt) {
        yield `4: ${client} was told at ${worldAt} of a loss from ${since} on, before it connected`;
      }
      const times = (told.get(since + until) ?? 0) + 1;
      told.set(since + until, times);
      // Jobs that were created in one millisecond may end in one, too.
      const topics = new Set(
        model.published.flatMap(({ event }) =>
          Date.parse(event.ts) === Date.parse(until) ? event.topic : []
        ),
      );
      if (times <= topics.size + 1) continue;
      yield `4: ${client} was told ${times} times of the loss from ${since} to ${until}`;
    }
  }
}

/** Rule 4: each subscription is told that its connection was replaced. */
function* reconnectsAreTold({ actors }: Evidence): Iterable<string> {
  for (const { subscriptions, statuses, isHttp } of actors) {
    if (isHttp) continue;
    const last = statuses.findLast(({ status }) => status.type === "connected");
    const lost = statuses.findLast(({ status }) => status.type === "disconnected");
    if (last?.status.type !== "connected" || last.status.attempt === 0 || !lost) continue;
    for (const { outcome, items, times, ended, isLeft, isBusy } of subscriptions) {
      const isConfirmed = outcome.isSettled && !outcome.error && outcome.worldEnd < lost.worldAt;
      if (!isConfirmed || ended || isLeft || isBusy) continue;
      const isTold = items.some((item, index) =>
        item.type === "gap" && item.reason !== "credits" && item.reason !== "lost" &&
        times[index]! >= last.worldAt
      );
      if (!isTold) {
        yield `4: ${callName(outcome)} was not told of the connection since ${last.worldAt}`;
      }
    }
  }
}

/** Rules about what was lost: who is told of it. */
export const LOSS_RULES: readonly Rule[] = [
  lostStartsAreTold,
  failedLeavesAreTold,
  lossesAreNew,
  reconnectsAreTold,
];
