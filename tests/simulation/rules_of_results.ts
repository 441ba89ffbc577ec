import type { JobRecord } from "../../mod.ts";
import { isTerminal } from "../../protocol/mod.ts";
import { type Actor, callName } from "./actor.ts";
import { controlSessions, type Evidence, type Rule } from "./rules.ts";

/** Rule 3: an enqueued job has the queue and the priority that the caller chose. */
function* optionsArrive({ actors, model }: Evidence): Iterable<string> {
  for (const outcome of actors.flatMap(({ outcomes }) => outcomes)) {
    const { op, isSettled, error, result } = outcome;
    if (op.do !== "enqueue" || !isSettled || error) continue;
    const job = model.stores.map((store) => store.job(result as string)).find((found) => found);
    if (!job) continue;
    const { queue = "default", priority = 0 } = op;
    if (job.queue !== queue) yield `3: ${callName(outcome)} is in queue ${job.queue}, not ${queue}`;
    if (job.priority !== priority) {
      yield `3: ${callName(outcome)} has priority ${job.priority}, not ${priority}`;
    }
  }
}

/** Rule 3: a handle says what it is a handle on, and in which state that was seen last. */
function* handlesSayWhatTheyAre({ actors }: Evidence): Iterable<string> {
  for (const outcome of actors.flatMap(({ outcomes }) => outcomes)) {
    const { op, handle, result, error } = outcome;
    if (!handle) continue;
    const { state } = handle;
    if (op.do === "enqueue") {
      const { queue = "default" } = op;
      if (handle.queue !== queue || state !== "pending") {
        yield `3: ${callName(outcome)} has a handle that is ${state} in ${handle.queue}`;
      }
    } else if (op.do === "start") {
      if (handle.name !== op.name || (state !== "running" && !isTerminal(state))) {
        yield `3: ${callName(outcome)} has a handle on ${handle.name} that is ${state}`;
      }
    } else {
      const record = (result ?? Object(error).job ?? Object(error).run) as JobRecord | undefined;
      if (record && state !== record.state) {
        yield `3: ${callName(outcome)} has a handle that is ${state}, not ${record.state}`;
      }
    }
  }
}

/** Rule 3: `connect` resolves with the name of a session that the client had. */
function* sessionsAreNamed({ actors }: Evidence): Iterable<string> {
  for (const actor of actors) {
    const sessions = controlSessions(actor);
    for (const outcome of actor.outcomes) {
      const { op, isSettled, error, result } = outcome;
      if (op.do !== "connect" || !isSettled || error || sessions.has(result as string)) continue;
      yield `3: ${callName(outcome)} resolved with ${result}, which is none of [${[...sessions]}]`;
    }
  }
}

/** Rule 3: `enqueueMany` reports each job once. */
function* progressIsExact({ actors }: Evidence): Iterable<string> {
  for (const outcome of actors.flatMap(({ outcomes }) => outcomes)) {
    const { op, progress, isSettled, error } = outcome;
    if (op.do !== "enqueueMany") continue;
    const isMissing = isSettled && !error && progress.length !== op.count;
    if (isMissing || progress.some((enqueued, index) => enqueued !== index + 1)) {
      yield `3: ${callName(outcome)} of ${op.count} jobs reported [${progress}]`;
    }
  }
}

/** Matches an enqueue of `enqueueMany`, and the tag of the call. */
const MANY = /"id":"(.*?)".*"method":"job\.enqueue".*"payload":\[(\d+),\d+\]/;

/** Rule 1: `enqueueMany` has no more requests in flight than its window. */
function* windowsAreKept({ actors, model }: Evidence): Iterable<string> {
  for (const { name: client, outcomes } of actors) {
    const many = outcomes.filter(({ op }) => op.do === "enqueueMany");
    if (many.length === 0) continue;
    const most = new Map<number, number>();
    const flights = new Map<string, Map<string, number>>();
    for (const { who, what, frame } of model.world.trace) {
      if (!frame || !who.startsWith(`${client}#`)) continue;
      let flight = flights.get(who);
      if (!flight) flights.set(who, flight = new Map());
      if (what.startsWith("receives")) flight.delete(/"correl_id":"(.*?)"/.exec(frame)?.[1] ?? "");
      const [, id, tag] = what.startsWith("sends") && MANY.exec(frame) || [];
      if (id === undefined) continue;
      flight.set(id, Number(tag));
      const count = [...flight.values()].filter((it) => it === Number(tag)).length;
      most.set(Number(tag), Math.max(count, most.get(Number(tag)) ?? 0));
    }
    for (const outcome of many) {
      const { window } = outcome.op as { window: number };
      const count = most.get(outcome.value as number) ?? 0;
      if (count > window) yield `1: ${callName(outcome)} had ${count} requests in flight`;
    }
  }
}

/** The calls that take one place of the queue each. */
const QUEUED = ["getJob", "cancel", "getRun", "timeline", "publish", "stats", "enqueue"];

const STATES = /^(idle|failed|closed|disconnected|(re)?connect.*)$/;

/** Rule 1: no more calls wait for a connection than the caller allows. */
function* queuesAreBounded({ actors }: Evidence): Iterable<string> {
  for (const { plan, outcomes, statuses } of actors) {
    const { maxQueue, transport } = plan;
    const isThrottled = outcomes.some(({ op }) => op.do === "subscribe");
    if (!maxQueue || transport !== "socket" || isThrottled) continue;
    const waiting = outcomes.filter(({ op }) => QUEUED.includes(op.do));
    const states = statuses.filter(({ status }) => STATES.test(status.type));
    for (const outcome of waiting) {
      const { begin, end, isSettled, order } = outcome;
      if (isSettled && end <= begin) continue;
      const index = states.findLastIndex(({ at }) => at <= begin);
      const isOffline = states[index]?.status.type !== "connected" && states[index]!.at < begin &&
        !(states[index + 1]?.at === begin);
      if (!isOffline) continue;
      const others = waiting.filter((it) => it.order < order && (!it.isSettled || it.end > begin));
      if (others.length + 1 > maxQueue) {
        yield `1: ${callName(outcome)} waits with ${others.length} others, and may not`;
      }
    }
  }
}

/** Rule 6: a client has one session at a time; it opens no other while that one works. */
function* sessionsFollowEachOther({ actors, world }: Evidence): Iterable<string> {
  for (const actor of actors) {
    const sessions = [...controlSessions(actor)];
    if (new Set(sessions).size < connections(actor)) {
      yield `6: ${actor.name} is connected twice to one of [${sessions}]`;
    }
    const known = world.connections.filter(({ sessionId }) => sessions.includes(sessionId!));
    if (known.some(({ client }) => client !== actor.name)) {
      yield `6: ${actor.name} has the session of another client`;
    }
  }
}

function connections({ statuses }: Actor): number {
  return statuses.filter(({ status }) => status.type === "connected").length;
}

/** Rules about what calls resolve with, and how many are under way. */
export const RESULT_RULES: readonly Rule[] = [
  optionsArrive,
  handlesSayWhatTheyAre,
  sessionsAreNamed,
  progressIsExact,
  windowsAreKept,
  queuesAreBounded,
  sessionsFollowEachOther,
];
