import { AuthError } from "../../mod.ts";
import type { DispatchEvent, Gap, JobRecord, WorkflowRun } from "../../mod.ts";
import { isTerminal } from "../../protocol/mod.ts";
import type { Store } from "../../dev/mod.ts";
import type { WorldConnection } from "../../testing/mod.ts";
import type { ClientPlan, Program } from "./program.ts";
import { type Actor, callName, isTokenMissing, type Outcome, type Reading } from "./actor.ts";
import { describeError } from "./actor.ts";
import { keyOf, type Model, type Published } from "./model.ts";

/** The jobs and runs that a server has. */
export type Records = Pick<Store, "job" | "run" | "jobs" | "runs">;

/** What the rules look at. */
export interface Evidence {
  readonly program: Program;
  readonly world: {
    readonly now: number;
    readonly store: Records;
    readonly connections: readonly WorldConnection[];
  };
  readonly model: Omit<Pick<Model, keyof Model>, "stores"> & {
    readonly stores: readonly Records[];
  };
  readonly actors: readonly Actor[];
}

type Seen = Evidence["model"];

/** A rule: returns what contradicts it. */
export type Rule = (evidence: Evidence) => Iterable<string>;

/** Rule 1: every call settles by its deadline; a wait once its job or run has ended. */
export function* callsSettle({ world, actors }: Evidence): Iterable<string> {
  for (const actor of actors) {
    const isGone = ["closed", "failed"].includes(actor.status.type);
    for (const outcome of actor.outcomes) {
      const { deadline, end, isSettled, target, error } = outcome;
      if (isSettled && end > deadline) {
        yield `1: ${callName(outcome)} settled ${end - deadline} ms after its deadline: ${
          error ? describeError(error) : "resolved"
        }`;
      }
      if (isSettled) continue;
      if (deadline < Infinity) yield `1: ${callName(outcome)} has not settled by its deadline`;
      else if (isGone) yield `1: ${callName(outcome)} has not settled although the client is gone`;
      else if (target && isTerminal(stateOf(world, target))) {
        yield `1: ${callName(outcome)} has not settled although ${target} has ended`;
      }
    }
  }
}

/** Rule 1: a call fails only if something went wrong, or the caller wanted it to end. */
export function* callsSucceed({ program, actors }: Evidence): Iterable<string> {
  for (const { outcomes, isHttp, plan } of actors) {
    const closing = outcomes.find(({ op }) => op.do === "close");
    for (const outcome of outcomes) {
      const { code } = Object(outcome.error) as { code?: unknown };
      const isDrained = closing?.op.do === "close" && closing.op.drain &&
        !outcomes.some(({ op }) => op.do === "close" && !op.drain);
      const isCall = outcome.target === undefined &&
        !["connect", "subscribe"].includes(outcome.op.do);
      if (code === "closed" && isCall && isDrained && !isHttp && outcome.order < closing.order) {
        yield `1: ${callName(outcome)} was rejected although the client was drained`;
      }
      const isLost = ["connection_lost", "connect_failed", "gave_up", 401].includes(code as string);
      const isRefused = isTokenMissing(outcome.error) || (code === 401 && plan.wrongTokens);
      if (program.isCalm && isLost && !isRefused) {
        yield `1: ${callName(outcome)} failed for no reason: ${describeError(outcome.error)}`;
      }
      if (program.isCalm && code === "timeout" && outcome.isPatient) {
        yield `1: ${callName(outcome)} timed out for no reason`;
      }
    }
  }
}

/** Rule 2: a write that resolved happened once, `not-sent` did not happen, `unknown` perhaps once. */
export function* writesHappenOnce({ model, actors, program }: Evidence): Iterable<string> {
  const groups = new Map<string, { least: number; most: number; names: string[] }>();
  const groupOf = (kind: string, named: string, value: unknown) => {
    const key = `${kind} ${named} ${JSON.stringify(value)}`;
    let group = groups.get(key);
    if (!group) groups.set(key, group = { least: 0, most: 0, names: [] });
    return group;
  };
  for (const outcome of actors.flatMap(({ outcomes }) => outcomes)) {
    const { op, error, isSettled } = outcome;
    if (op.do === "enqueueMany") {
      const { index = 0, cause = error } = Object(error) as { index?: number; cause?: unknown };
      for (let at = 0; at < op.count; at++) {
        const group = groupOf("enqueue", op.name, [outcome.value, at]);
        group.names.push(`${callName(outcome)} [${at}]`);
        const isDone = isSettled && (!error || at < index);
        if (isDone) group.least++;
        const mayBeDone = at > index || mayHaveHappened({ isSettled, error: cause });
        if (isDone || mayBeDone && !outcome.isAborted) group.most++;
      }
    }
    const kind = op.do === "call" && op.method === "workflow.start" ? "start" : op.do;
    if (kind !== "enqueue" && kind !== "start" && kind !== "publish") continue;
    if (!("name" in op)) continue;
    // With a signal that has aborted, nothing is sent.
    if (outcome.isAborted) continue;
    const group = groupOf(kind, op.name, sentValue(outcome));
    group.names.push(
      `${callName(outcome)} ${isSettled && error ? describeError(error) : "resolved"}`,
    );
    if (isSettled && !error) group.least++;
    // Before a refusal, a request that is repeated may have been carried out without an answer.
    if ("retry" in op && op.retry && !isNotSent(outcome)) group.most = Infinity;
    else if (mayHaveHappened(outcome)) group.most++;
  }
  // A replay enqueues a job of its own.
  const isReplayed = program.steps.some((step) => "op" in step && step.op.do === "operate");
  const counts = new Map<string, number>();
  const count = (kind: string, named: string, value: unknown) => {
    groupOf(kind, named, value);
    const key = `${kind} ${named} ${JSON.stringify(value)}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  for (const store of model.stores) {
    for (const job of store.jobs()) count("enqueue", job.name, job.payload);
    for (const run of store.runs()) count("start", run.name, run.input);
  }
  for (const signal of model.signals) count("publish", signal.name, signal.payload);
  for (const [key, { least, most, names }] of groups) {
    const happened = counts.get(key) ?? 0;
    if (happened >= least && (happened <= most || isReplayed)) continue;
    yield `2: ${key} happened ${happened} times, not ${least} to ${most}: ${names.join("; ")}`;
  }
}

/** Rule 3: a handle is the run that this very call started, or the job that it enqueued. */
export function* handlesAreOwn({ model, actors }: Evidence): Iterable<string> {
  const taken = new Map<string, Outcome>();
  for (const outcome of actors.flatMap(({ outcomes }) => outcomes)) {
    const { op, result, isSettled, error } = outcome;
    if ((op.do !== "start" && op.do !== "enqueue") || !isSettled || error) continue;
    const id = result as string;
    const other = taken.get(id);
    if (other) yield `3: ${callName(outcome)} has the same id as ${callName(other)}`;
    taken.set(id, outcome);
    const find = (store: Records) => op.do === "start" ? store.run(id) : store.job(id);
    const record = model.stores.map(find).find((found) => found);
    if (!record) {
      yield `3: ${callName(outcome)}: ${id} is not in the store`;
      continue;
    }
    const value = "input" in record ? record.input : (record as JobRecord).payload;
    const expected = sentValue(outcome);
    if (record.name !== op.name || JSON.stringify(value) !== JSON.stringify(expected)) {
      yield `3: ${callName(outcome)} has ${id}: ${record.name} ${JSON.stringify(value)}, not ` +
        JSON.stringify(expected);
    }
  }
}

/** Events that were published this many milliseconds ago may still be under way. */
const IN_FLIGHT = 1_000;

/** Rule 4: a subscription yields what was published to it, in order; what is missing lies in a gap. */
export function* subscriptionsAreTold(evidence: Evidence): Iterable<string> {
  const { model, actors } = evidence;
  for (const actor of actors) {
    const reconnects = actor.statuses.filter(({ status }) =>
      status.type === "connected" && status.attempt > 0
    )
      .length;
    for (const reading of actor.subscriptions) {
      const label = `${callName(reading.outcome)} to '${reading.name}'`;
      yield* checkOrder(label, reading, model);
      if (
        reconnects === 0 && !actor.isHttp && reading.items.some((item) => isGap(item, "reconnect"))
      ) {
        yield `4: ${label} was told of a reconnect that did not happen`;
      }
      if (model.miscounts(actor.name)) continue;
      const promised = promisedTo(reading, actor, evidence);
      const reconnectedAt = actor.statuses.filter(({ status }) =>
        status.type === "connected" && status.attempt > 0
      ).map(({ worldAt }) => worldAt);
      yield* checkMissing(label, reading, { promised, reconnectedAt }, model);
    }
  }
}

/** Returns the events that a subscription must yield, or tell a gap for. */
export function promisedTo(
  reading: Reading,
  actor: Actor,
  { model, world }: Evidence,
): Published[] {
  const control = controlSessions(actor);
  return model.published.filter((it) =>
    it.order >= reading.from && it.at < world.now - IN_FLIGHT &&
    !model.lost.has(keyOf(it.event)) &&
    belongs(it, reading) &&
    ([...it.absent].some(([session, channels]) =>
      session.client === actor.name && channels.includes(reading.channel) &&
      session.id === lastSession(actor, it.at)
    ) || [...it.sessions].some(([session, channels]) =>
      session.client === actor.name && control.has(session.id) &&
      !model.isStalled(session, it.at) &&
      channels.includes(reading.channel)
    ))
  );
}

/** The ids of the sessions that a client had, not counting those of its lanes. */
export function controlSessions({ statuses }: Actor): Set<string> {
  return new Set(
    statuses.flatMap(({ status }) => status.type === "connected" ? status.sessionId : []),
  );
}

/** The session that a client had last, if it connected to another one later. */
function lastSession({ statuses }: Actor, at: number): string | undefined {
  const connected = statuses.filter(({ status }) => status.type === "connected");
  const index = connected.findLastIndex(({ worldAt }) => worldAt <= at);
  const { status } = connected[index] ?? {};
  return status?.type === "connected" && index + 1 < connected.length
    ? status.sessionId
    : undefined;
}

function* checkOrder(label: string, reading: Reading, model: Seen): Iterable<string> {
  let lastAt = 0;
  /**
   * The last event of each node. The order between nodes is that of time, but for events that were
   * under way when a stream of one node took over from that of another.
   */
  const last = new Map<number, number>();
  for (const item of reading.items) {
    if (item.type === "gap") continue;
    const found = model.byKey.get(keyOf(item))?.find(({ at, node, order }) =>
      at >= lastAt - IN_FLIGHT && order > (last.get(node) ?? -1)
    );
    if (!found) {
      yield `4: ${label} yielded ${keyOf(item)}, which was ${
        model.byKey.has(keyOf(item)) ? "yielded before, or is out of order" : "never published"
      }`;
      continue;
    }
    lastAt = Math.max(lastAt, found.at);
    last.set(found.node, found.order);
  }
}

function* checkMissing(
  label: string,
  reading: Reading,
  { promised, reconnectedAt }: {
    promised: readonly Published[];
    reconnectedAt: readonly number[];
  },
  model: Seen,
): Iterable<string> {
  /** The positions of the events and gaps that were yielded. */
  const yielded: { order: number; gapBefore: boolean; event: DispatchEvent }[] = [];
  let gapBefore = false;
  let creditsGapAt = -1;
  let reconnectGapAt = -1;
  const reconnectGaps: number[] = [];
  let last = -1;
  for (const item of reading.items) {
    if (isGap(item, "credits")) creditsGapAt = yielded.length;
    if (isGap(item, "reconnect")) reconnectGaps.push(reconnectGapAt = yielded.length);
    if (item.type === "gap") gapBefore = true;
    else {
      last = orderOf(item, model, last) ?? last;
      yielded.push({ order: last, gapBefore, event: item });
      gapBefore = false;
    }
  }
  for (const { order, event, at } of promised) {
    const next = yielded.findIndex((it) => it.order >= order);
    // The gap for credits is reported when a pong confirms the grant, which is a little after later
    // events.
    if (creditsGapAt >= (next < 0 ? yielded.length : next)) continue;
    // The gap of a new connection comes when all channels are subscribed, which is a little after the
    // first events.
    if (next >= 0 && reconnectGapAt >= next) {
      const { order: first, event: early } = yielded[next]!;
      const again = reconnectedAt.find((time) => time >= at) ?? -1;
      if (model.byKey.get(keyOf(early))?.some((it) => it.order === first && it.at <= again)) {
        continue;
      }
    }
    // Or a little before the first events of the new connection, while other nodes went on publishing.
    const isTold = reconnectedAt.some((time) => time >= at) && reconnectGaps.some((position) => {
      const first = model.published[yielded[position]?.order ?? -1];
      return (next < 0 || position <= next) && (!first || first.at >= at - IN_FLIGHT);
    });
    if (isTold) continue;
    if (next >= 0 ? yielded[next]!.order === order || yielded[next]!.gapBefore : gapBefore) {
      continue;
    }
    // Whoever left, got an error, or has not read all yet, reads no further.
    if (next < 0 && (reading.ended || reading.isLeft || reading.isBusy)) continue;
    yield `4: ${label} misses ${keyOf(event)} without a gap`;
  }
}

function orderOf(event: DispatchEvent, model: Seen, after: number): number | undefined {
  return model.byKey.get(keyOf(event))?.find(({ order }) => order > after)?.order;
}

/** A queue's events come on the channel of all jobs. */
function belongs({ event }: Published, { name }: Reading): boolean {
  return !name.startsWith("queue:") ||
    ("queue" in event.data && event.data.queue === name.slice("queue:".length));
}

function isGap(item: DispatchEvent | Gap, reason: Gap["reason"]): boolean {
  return item.type === "gap" && item.reason === reason;
}

/** Rule 5: `wait`, `watch` and `events` end with the state and the events that the store holds. */
export function* endsAreTrue({ world, model, actors }: Evidence): Iterable<string> {
  for (const actor of actors) {
    for (const outcome of actor.outcomes) {
      const { op, isSettled, target, result, error } = outcome;
      if (!isSettled || (op.do !== "waitJob" && op.do !== "waitRun")) continue;
      const record = (result ?? (error as { job?: JobRecord; run?: WorkflowRun }).job ??
        (error as { run?: WorkflowRun }).run) as JobRecord | WorkflowRun | undefined;
      if (!record) continue;
      if (record.id !== target) yield `5: ${callName(outcome)} of ${target} got ${record.id}`;
      if (!endStates(model, target!).has(record.state)) {
        yield `5: ${callName(outcome)} ended with '${record.state}', but ${target} was never that`;
      }
    }
    for (const reading of actor.watches) {
      const { ended, isLeft, outcome: { signal } } = reading;
      if (!ended || ended.error || isLeft || signal?.signal.aborted) continue;
      if (actor.status.type === "closed" || actor.isClosed) continue;
      const last = reading.items.findLast((item) => item.type !== "gap");
      const state = stateOf(world, reading.name);
      const expected = ENDS[last?.type ?? ""];
      if (expected !== state && !endStates(model, reading.name).has(expected ?? "cancelled")) {
        yield `5: ${callName(reading.outcome)} of ${reading.name} ended with ${
          last?.type ?? "nothing"
        }, but it is ${state}`;
      }
      yield* checkEvents(reading, model);
    }
  }
}

/** The events of a watch are those that were published, each once. */
function* checkEvents(reading: Reading, model: Seen): Iterable<string> {
  const topic = (reading.name.startsWith("job_") ? "job:" : "workflow:") + reading.name;
  const published = model.published.filter(({ event }) => event.topic === topic);
  const nameOf = ({ type, data }: DispatchEvent) =>
    "step_name" in data ? `${type} ${data.step_name}` : type;
  const count = (events: readonly DispatchEvent[]) => {
    const counts = new Map<string, number>();
    for (const event of events) counts.set(nameOf(event), (counts.get(nameOf(event)) ?? 0) + 1);
    return counts;
  };
  const all = count(published.map(({ event }) => event));
  const read = count(reading.items.filter((item) => item.type !== "gap"));
  const ending = reading.items.findIndex(({ type }) => type in ENDS);
  if (ending >= 0 && reading.items.slice(ending + 1).some(({ type }) => type !== "gap")) {
    yield `5: ${callName(reading.outcome)} of ${reading.name} yielded events after the last one`;
  }
  const hasGap = reading.items.some((item) => item.type === "gap");
  for (const [event, times] of read) {
    const most = all.get(event) ?? 0;
    if (times > most) {
      yield `5: ${
        callName(reading.outcome)
      } of ${reading.name} yielded ${event} ${times} times, not ${most}`;
    }
  }
  for (const [event, times] of all) {
    // Servers send no event when a job is cancelled, and its record then lacks earlier starts. A job
    // whose node died starts again without a failure; its record has only the last start.
    if (event === "job.started" && read.has(event)) continue;
    // A lane that lost a frame alone is believed to have delivered all.
    if (published.some((it) => nameOf(it.event) === event && model.lost.has(keyOf(it.event)))) {
      continue;
    }
    if (!hasGap && !model.cancelled.has(reading.name) && (read.get(event) ?? 0) < times) {
      yield `5: ${callName(reading.outcome)} of ${reading.name} misses ${event} without a gap`;
    }
  }
}

/** The state that a last event stands for. */
const ENDS: Record<string, string> = {
  "job.completed": "completed",
  "job.dlq": "failed",
  "workflow.completed": "completed",
  "workflow.failed": "failed",
};

/** The states in which a job or run ended, also those that were overwritten later. */
function endStates(model: Seen, id: string): Set<string> {
  const states = new Set<string>(model.cancelled.has(id) ? ["cancelled"] : []);
  for (const { event } of model.published) {
    const state = ENDS[event.type];
    if (state && event.topic.endsWith(`:${id}`)) states.add(state);
  }
  return states;
}

/** Rule 6: after an outage each client has one live session, with the caller's subscriptions. */
export function* oneSession({ world, model, actors }: Evidence): Iterable<string> {
  for (const actor of actors) {
    const { status } = actor;
    yield* checkBackoff(actor);
    if (actor.isHttp) continue;
    if (status.type !== "connected") {
      const isQuiet = ["idle", "closed", "failed"].includes(status.type);
      if (!isQuiet) yield `6: ${actor.name} is still ${status.type}`;
      continue;
    }
    const open = world.connections.filter((it) =>
      it.client === actor.name && it.isOpenAtNode && it.isOpenAtClient && !it.isMuted
    );
    const controls = open.filter(({ sessionId }) => sessionId === status.sessionId);
    if (controls.length !== 1) yield `6: ${actor.name} has ${controls.length} live sessions`;
    const running = world.store.runs().filter(({ state }) => state === "running").length;
    // A lane without an answer stays open: it has no pings, since a run may take days.
    const stuck = model.lostAnswers.get(actor.name) ?? 0;
    if (open.length - controls.length > running + stuck) {
      yield `6: ${actor.name} has ${open.length} connections, with ${running} runs under way`;
    }
    const session = controls[0] && model.sessions.get(controls[0]);
    const channels = [...session?.channels ?? []].sort();
    const expected = [...new Set(expectedChannels(actor))].sort();
    if (channels.join() !== expected.join()) {
      yield `6: ${actor.name} is subscribed to [${channels}], not to [${expected}]`;
    }
  }
}

function* expectedChannels({ subscriptions, watches, outcomes }: Actor): Iterable<string> {
  for (const { ended, isLeft, channel } of subscriptions) if (!ended && !isLeft) yield channel;
  const topic = (id: string) => (id.startsWith("job_") ? "job:" : "workflow:") + id;
  for (const { ended, name } of watches) if (!ended) yield topic(name);
  for (const { isSettled, target } of outcomes) if (!isSettled && target) yield topic(target);
}

const HOLD_TIME = 5_000;

/** The bound of the delay before an attempt to reconnect. */
export function longestDelay({ backoff }: ClientPlan, attempt: number): number {
  const { base = 1_000, cap = 45_000 } = backoff ?? {};
  return Math.min(cap, base * 2 ** (attempt - 1));
}

/** The delays of reconnecting grow, start anew only after a connection held, and end. */
export function* checkBackoff({ name, plan, statuses }: Actor): Iterable<string> {
  // Without a limit a client never gives up.
  const maxRetries = plan.maxRetries || Infinity;
  let attempts = 0;
  let connectedAt = 0;
  for (const { at, status } of statuses) {
    if (status.type === "connected") {
      connectedAt = at;
      if (status.attempt === 0) attempts = 0;
    }
    if (status.type === "disconnected" && at - connectedAt >= HOLD_TIME) attempts = 0;
    if (status.type === "reconnecting") {
      if (!plan.reconnect) yield `6: ${name} reconnects although it must not`;
      attempts++;
      if (status.attempt !== attempts) {
        yield `6: ${name} makes attempt ${status.attempt} at ${at}, not ${attempts}`;
      }
      const most = longestDelay(plan, attempts);
      if (status.delay > most) yield `6: ${name} waits ${status.delay} ms, more than ${most}`;
      if (attempts > maxRetries) yield `6: ${name} makes ${attempts} attempts`;
    }
    const isRefused = status.type === "failed" && status.cause instanceof AuthError;
    if (status.type === "failed" && plan.reconnect && !isRefused && attempts < maxRetries) {
      yield `6: ${name} gave up after ${attempts} attempts: ${describeError(status.cause)}`;
    }
  }
}

/** Rule 7: after `close` there is no timer, listener, pending call or socket. */
export function* nothingIsLeft({ world, actors, model }: Evidence): Iterable<string> {
  for (const actor of actors) {
    const { clock, outcomes, subscriptions, watches } = actor;
    // When a client gives up or is drained, what its readers have not read stays readable.
    const isKept = actor.statuses.some(({ status }) => status.type === "failed") ||
      outcomes.some(({ op }) => op.do === "close" && op.drain);
    const left = [...subscriptions, ...watches].filter((it) =>
      !it.ended && !(it.isBusy && (isKept || mayOverflow(it, model)))
    );
    const pauses = subscriptions.filter((it) => !it.ended && !left.includes(it)).length;
    const { begun, ended } = actor.hooked;
    if (begun !== ended) yield `7: ${actor.name} ended ${ended} of ${begun} requests for its hooks`;
    if (clock.pending > pauses) yield `7: ${actor.name} has ${clock.pending} timers after close`;
    for (const outcome of outcomes) {
      if (!outcome.isSettled) yield `7: ${callName(outcome)} has not settled after close`;
      const { listeners } = outcome.signal ?? { listeners: 0 };
      if (listeners > 0) yield `7: ${callName(outcome)} has ${listeners} listeners after close`;
    }
    for (const { outcome } of left) yield `7: ${callName(outcome)} has not ended after close`;
    for (const connection of world.connections) {
      if (connection.client !== actor.name) continue;
      if (connection.isOpenAtClient) yield `7: ${connection.name} is open after close`;
      else if (connection.isOpenAtNode && !connection.isMuted) {
        yield `7: ${connection.name} is open at the node after close`;
      }
    }
  }
}

/** Whether a subscription may have ended because its buffer was full: what is in it stays readable. */
function mayOverflow({ outcome: { op }, from }: Reading, { published }: Seen): boolean {
  return op.do === "subscribe" && op.overflow === "error" &&
    published.length - from >= (op.buffer ?? 10_000);
}

function stateOf({ store }: Evidence["world"], id: string): string {
  return (id.startsWith("job_") ? store.job(id) : store.run(id))?.state ?? "unknown";
}

/** The value as the server stores it. */
function sentValue({ op, value }: Outcome): unknown {
  if (value !== undefined) return value;
  return op.do === "start" || op.do === "call" ? {} : null;
}

function isNotSent({ error }: Outcome): boolean {
  return Object(error).delivery === "not-sent";
}

/** Whether a write that was not confirmed may have happened all the same. */
function mayHaveHappened({ isSettled, error }: Pick<Outcome, "isSettled" | "error">): boolean {
  if (!isSettled || !error) return true;
  const { code, delivery } = error as { code?: unknown; delivery?: unknown };
  // Over HTTP the error for an answer that is not a frame has the HTTP status as its code.
  return (typeof code !== "number" || delivery === "unknown") && delivery !== "not-sent";
}

/** The rules for the end of a program, while its clients are open. */
export const RULES: readonly Rule[] = [
  callsSettle,
  callsSucceed,
  writesHappenOnce,
  handlesAreOwn,
  subscriptionsAreTold,
  endsAreTrue,
  oneSession,
];
