import { ConnectionError, DispatchError, EnqueueManyError, TimeoutError } from "../../mod.ts";
import { ABORTED, callName, isState, type Outcome, WRONG_TOKEN } from "./actor.ts";
import { hasOnlyCalls } from "./program.ts";
import type { Evidence, Rule } from "./rules.ts";
import { startsRun } from "./rules_of_calls.ts";

/** Rule 6: a client without pings does not take silence for a loss. */
function* silenceIsNoLossWithoutPings({ actors }: Evidence): Iterable<string> {
  for (const { name: client, plan, statuses } of actors) {
    if (plan.pingInterval !== 0) continue;
    for (const { at, status } of statuses) {
      if (status.type !== "disconnected" || !(status.cause instanceof ConnectionError)) continue;
      if (!/^no message for/.test((status.cause.cause as Error)?.message)) continue;
      yield `6: ${client} gave up a silent server at ${at}, although it must send no pings`;
    }
  }
}

/** Rule 1: a call without a deadline does not time out, unless connecting does. */
function* onlyDeadlinesPass({ actors }: Evidence): Iterable<string> {
  for (const outcome of actors.flatMap(({ outcomes }) => outcomes)) {
    const { deadline, error } = outcome;
    if (deadline < Infinity || Object(error).code !== "timeout") continue;
    if (!(Object(error).cause instanceof TimeoutError)) {
      yield `1: ${callName(outcome)} timed out, but has no deadline`;
    }
  }
}

/** A start is sent after this many milliseconds, if nothing happens to any connection. */
const SENDING_TIME = 6_000;

/** Rule 1: a start is sent, however many others are, if nothing goes wrong. */
function* startsAreSent({ actors, model, program }: Evidence): Iterable<string> {
  const isQuiet = program.isCalm || hasOnlyCalls(program);
  if (!isQuiet || model.harmed.size > 0) return;
  for (const outcome of actors.flatMap(({ outcomes }) => outcomes)) {
    const { op, error, begin, end, deadline } = outcome;
    if (op.do !== "start" || deadline - begin < SENDING_TIME || end < deadline) continue;
    const { code, delivery } = Object(error);
    if (code !== "timeout" || delivery !== "not-sent") continue;
    yield `1: ${callName(outcome)} was not sent within ${deadline - begin} ms`;
  }
}

/** The states in which a client does not try to connect. */
const AT_REST = ["idle", "failed", "closed"];

/** Rule 6: a client does not ask for another token in place of one that is new, and refused. */
function* newTokensAreNotReplaced({ actors, model, world }: Evidence): Iterable<string> {
  for (const { name: client, plan, statuses, outcomes } of actors) {
    // A connection for a start has no status.
    if (!plan.wrongTokens || outcomes.some(({ op }) => startsRun(op))) continue;
    const own = world.connections.filter((it) => it.client === client);
    const wrong = new Set<string>();
    const refused = new Set<string>();
    for (const { at, who, what, frame } of model.world.trace) {
      if (!who.startsWith(`${client}#`) || frame === undefined) continue;
      if (what.startsWith("sends") && frame.includes(`"token":"${WRONG_TOKEN}"`)) wrong.add(who);
      if (what !== "receives" || !frame.includes('"code":401')) continue;
      refused.add(who);
      // A token that was fetched for an attempt which failed is not new at the next one.
      const isNew = own.every(({ name, sessionId }) =>
        sessionId !== undefined || refused.has(name)
      );
      const next = statuses.find(({ worldAt, status }) =>
        worldAt >= at && STATES.test(status.type)
      );
      if (!wrong.has(who) || !isNew || !next || AT_REST.includes(next.status.type)) continue;
      yield `6: ${client} is ${next.status.type} after a new token was refused at ${at}`;
    }
  }
}

/** Rule 1: what the caller aborts ends with the reason of its signal. */
function* abortsHaveTheirReason({ actors }: Evidence): Iterable<string> {
  for (const { outcomes, watches, subscriptions } of actors) {
    for (const outcome of outcomes) {
      const { error } = outcome;
      if (!(error instanceof EnqueueManyError) || error.cause instanceof DispatchError) continue;
      yield `1: ${callName(outcome)} was aborted, and failed with an EnqueueManyError`;
    }
    for (const { outcome, ended, isLeft, isBusy } of [...watches, ...subscriptions]) {
      if (isBusy || ended) continue;
      if (isLeft) yield `7: ${callName(outcome)} goes on although its reader has left`;
      else if (outcome.signal?.signal.aborted) {
        yield `1: ${callName(outcome)} goes on although its signal has aborted`;
      }
    }
  }
}

/** Rule 7: after `close` the loops over the status end; one that began late lacks nothing. */
export function* statusLoopsEnd({ actors }: Evidence): Iterable<string> {
  for (const { name: client, statusLoops, statuses, lateStatuses } of actors) {
    if (statusLoops > 0) yield `7: ${statusLoops} loops over the status of ${client} go on`;
    const [state, ...later] = lateStatuses;
    if (!state) continue;
    const all = statuses.map(({ status }) => status);
    const before = all.splice(0, all.length - later.length);
    if (before.findLast(isState) !== state) yield `6: a late reader is told ${state.type} first`;
    if (all.some((status, index) => status !== later[index])) {
      yield `6: a late reader of ${client} is told ${later.map(({ type }) => type)}`;
    }
  }
}

/** Rule 2: a start that was given up is not sent any more. */
function* abortedStartsAreNotSent({ actors, model }: Evidence): Iterable<string> {
  for (const { name: client, outcomes } of actors) {
    const aborted = outcomes.filter(({ op, error }) =>
      op.do === "start" && op.value === "object" && !op.same && error === ABORTED
    );
    if (aborted.length === 0) continue;
    const sent = model.world.trace.filter(({ who, what, frame }) =>
      who.startsWith(`${client}#`) && what.startsWith("sends") &&
      frame?.includes('"method":"workflow.start"')
    );
    for (const outcome of aborted) {
      const { tag } = outcome.value as { tag: number };
      const late = sent.find(({ at, frame }) =>
        at > outcome.worldEnd && frame!.includes(`"tag":${tag},`)
      );
      if (late) yield `2: ${callName(outcome)} was sent at ${late.at}, after it was given up`;
    }
  }
}

/** Calls that need a connection. */
const CALLS = [
  ...["enqueue", "getJob", "cancel", "start", "getRun", "timeline", "publish", "stats"],
];

/** Rule 6: a client that gave up rejects each call at once, until it connects again. */
function* callsFailAfterGivingUp({ actors }: Evidence): Iterable<string> {
  for (const { outcomes, statuses, isHttp } of actors) {
    if (isHttp) continue;
    for (const outcome of outcomes) {
      const { op, begin, end, error, signal } = outcome;
      if (!CALLS.includes(op.do) || signal) continue;
      const isState = ({ status }: typeof statuses[number]) => STATES.test(status.type);
      const state = statuses.findLast((it) => it.at <= begin && isState(it));
      // Within one millisecond nobody knows what came first.
      if (state?.status.type !== "failed" || state.at === begin) continue;
      const isBack = statuses.some((it) => it.at <= begin + 1 && it.at > state.at && isState(it));
      const isConnecting = outcomes.some((it) => it.op.do === "connect" && it.begin === begin);
      if (isBack || isConnecting || error && end === begin) continue;
      yield `6: ${callName(outcome)} was not rejected at once by a client that gave up`;
    }
  }
}

const STATES = /^(idle|failed|closed|disconnected|(re)?connect.*)$/;

/** The methods that calls send, for their hooks. */
const METHODS: Readonly<Record<string, string>> = {
  enqueue: "job.enqueue",
  getJob: "job.get",
  cancel: "job.cancel",
  start: "workflow.start",
  getRun: "workflow.get",
  timeline: "workflow.timeline",
  publish: "workflow.event",
  stats: "stats",
};

/** Returns the method and the subject of the request that a call makes. */
function requestOf({ op, asked }: Outcome): string | undefined {
  const method = METHODS[op.do];
  return method && `${method} ${"name" in op ? op.name : asked}`;
}

/** Rule 1: hooks get the method and the subject of each request. */
function* hooksGetTheSubject({ actors }: Evidence): Iterable<string> {
  for (const { outcomes, plan, hooked } of actors) {
    if (!plan.hasHooks || plan.transport === "admin") continue;
    for (const outcome of outcomes) {
      const request = requestOf(outcome);
      if (!request || !outcome.isSettled || hooked.requests.includes(request)) continue;
      yield `1: ${callName(outcome)} was no request '${request}' for its hooks`;
    }
  }
}

/** Rule 5: the answer to a method that is called by its name is that of the server, as it came. */
function* answersComeAsTheyAre({ model, actors }: Evidence): Iterable<string> {
  for (const outcome of actors.flatMap(({ outcomes }) => outcomes)) {
    const { op, isSettled, error, result, asked } = outcome;
    if (op.do !== "call" || !isSettled || error) continue;
    const label = `5: ${callName(outcome)} of '${op.method}' got ${JSON.stringify(result)}`;
    const { id, payload, broker, run_id } = Object(result);
    if (op.method === "job.paint") yield `${label}, although there is no such method`;
    if (op.method === "stats" && typeof broker?.topic_count !== "number") yield label;
    if (op.method === "job.get") {
      const job = model.stores.map((store) => store.job(asked!)).find((it) => it);
      const bytes = new TextEncoder().encode(JSON.stringify(job?.payload));
      const text = btoa(String.fromCharCode(...bytes));
      if (id !== asked || (payload ?? text) !== text) yield label;
    }
    if (op.method !== "workflow.start") continue;
    const run = model.stores.map((store) => store.run(run_id)).find((it) => it);
    if (run?.name !== op.name) yield label;
    else if (run.state === "running") yield `${label}, which still runs`;
  }
}

/** Matches the method of a request. */
const METHOD = /"type":"request".*"method":"(.*?)"/;

/** What a client asks for on a connection that starts runs. */
const OF_LANES = ["auth", "subscribe", "unsubscribe", "workflow.start"];

/** Rule 6: a connection that starts runs does nothing else, because its server reads nothing else. */
function* lanesOnlyStart({ model }: Evidence): Iterable<string> {
  const lanes = new Set<string>();
  const others = new Set<string>();
  for (const { who, what, frame } of model.world.trace) {
    const method = frame !== undefined && what.startsWith("sends") && METHOD.exec(frame)?.[1];
    if (!method) continue;
    if (method === "workflow.start") lanes.add(who);
    if (!OF_LANES.includes(method)) others.add(who);
    if (lanes.has(who) && others.has(who)) {
      yield `6: ${who} starts runs and sends other requests, such as ${method}`;
      return;
    }
  }
}

/** Rules about settings, hooks, and methods that are called by their names. */
export const SETTING_RULES: readonly Rule[] = [
  onlyDeadlinesPass,
  startsAreSent,
  silenceIsNoLossWithoutPings,
  newTokensAreNotReplaced,
  abortsHaveTheirReason,
  abortedStartsAreNotSent,
  callsFailAfterGivingUp,
  hooksGetTheSubject,
  answersComeAsTheyAre,
  lanesOnlyStart,
];
