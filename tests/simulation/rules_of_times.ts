import type { DispatchEvent, Gap } from "../../mod.ts";
import { type Actor, callName, isState } from "./actor.ts";
import { keyOf } from "./model.ts";
import { LONGEST_FAULT, START } from "./program.ts";
import { controlSessions, type Evidence, promisedTo, type Rule } from "./rules.ts";

const isEvent = (item: DispatchEvent | Gap): item is DispatchEvent => item.type !== "gap";

const nameOf = ({ type, data }: DispatchEvent) =>
  "step_name" in data ? `${type} ${data.step_name}` : type;

/** The reasons of gaps that begin at the time of an event. */
const OF_EVENTS = ["lost", "overflow"];

/** Rule 4: what is missing was published in the time that a gap names. */
function* gapsCoverWhatIsMissing(evidence: Evidence): Iterable<string> {
  const { program, model, actors } = evidence;
  for (const [index, actor] of actors.entries()) {
    const hasSetClock = program.steps.some((step) =>
      "setClock" in step && step.client % actors.length === index
    );
    if (actor.isHttp || actor.hasSlept || hasSetClock || model.miscounts(actor.name)) continue;
    const margin = 2 * program.latency[1] + LONGEST_FAULT;
    const losses = actor.statuses.filter(({ status }) => status.type === "disconnected")
      .map(({ worldAt }) => START + worldAt);
    for (const reading of actor.subscriptions) {
      const { items, ended, isLeft, isBusy, outcome } = reading;
      if (ended || isLeft || isBusy) continue;
      const gaps = items.filter((item) => !isEvent(item)) as Gap[];
      if (gaps.length === 0) continue;
      const yielded = new Set(items.filter(isEvent).map(keyOf));
      for (const { event } of promisedTo(reading, actor, evidence)) {
        if (yielded.has(keyOf(event))) continue;
        const at = Date.parse(event.ts);
        // Those of these gaps are the times of events, as the server published them.
        const isCovered = gaps.some(({ reason, since, until }) => {
          const [from, to] = [Date.parse(since), Date.parse(until) + 1];
          // The gap of a lost connection that a full buffer dropped may have been the first.
          const isExact = OF_EVENTS.includes(reason) &&
            !losses.some((it) => from <= it && it <= to);
          return from - (isExact ? 0 : margin) <= at && at <= to;
        });
        if (isCovered) continue;
        yield `4: ${callName(outcome)} misses ${keyOf(event)}, but no gap names its time: ${
          gaps.map(({ reason, since, until }) => `${reason} ${since} ${until}`)
        }`;
      }
    }
  }
}

/** Rule 4: no loss is told twice to one reader. */
function* gapsAreToldOnce({ actors }: Evidence): Iterable<string> {
  for (const { subscriptions, watches, statuses, isHttp } of actors) {
    if (isHttp) continue;
    // Those who watch one run share what was told before they came.
    const shared = watches.map((watch) => ({ ...watch, at: 0 }));
    for (const { outcome, items, at } of [...subscriptions, ...shared]) {
      const later = statuses.filter(({ worldAt }) => worldAt >= at);
      const reconnects = later.filter(({ status }) =>
        status.type === "connected" && status.attempt > 0
      ).length;
      const losses = later.filter(({ status }) => status.type === "gap").length;
      const gaps = items.filter((item) => !isEvent(item)) as Gap[];
      const count = (...reasons: Gap["reason"][]) =>
        gaps.filter(({ reason }) => reasons.includes(reason)).length;
      if (count("reconnect") > reconnects) {
        yield `4: ${callName(outcome)} was told of ${
          count("reconnect")
        } reconnects, not ${reconnects}`;
      }
      if (count("credits", "lost") > losses) {
        yield `4: ${callName(outcome)} was told of ${
          count("credits", "lost")
        } losses, not ${losses}`;
      }
    }
  }
}

/** How many milliseconds it may take to hear of something. */
interface Delays {
  /** If every connection works. */
  prompt: number;
  /** If a lane has fallen silent, so that only polling finds out. */
  polled: number;
}

/** The longest pause between two reads while events arrive, and some more. */
const POLLING = 17_000;

/** Returns the delays of a client; `undefined` if what affected its session may have caused more. */
function delaysOf(actor: Actor, { world, model, program }: Evidence): Delays | undefined {
  const { statuses, hasSlept, name: client } = actor;
  const control = controlSessions(actor);
  const losses = ["disconnected", "failed", "gap"];
  if (hasSlept || control.size !== 1) return undefined;
  if (statuses.some(({ status }) => losses.includes(status.type))) return undefined;
  const own = world.connections.filter((it) => it.client === client);
  const harmed = own.filter((it) => model.harmed.has(it.name));
  if (harmed.some(({ sessionId }) => sessionId === undefined || control.has(sessionId))) {
    return undefined;
  }
  const isDelayed = harmed.some((it) => model.delayed.has(it.name));
  const prompt = 1_000 + 8 * program.latency[1] + (isDelayed ? 2 * LONGEST_FAULT : 0);
  // In a burst, servers drop events that nobody misses until the next read.
  const hasBurst = program.steps.some((step) => "op" in step && step.op.do === "enqueueMany");
  const isSilent = hasBurst || model.lost.size > 0 || own.some(({ isMuted }) => isMuted);
  const polled = POLLING + prompt;
  return { prompt: isSilent ? polled : prompt, polled };
}

/** Rule 5: a watch yields an event soon after it was published. */
function* watchesAreTimely(evidence: Evidence): Iterable<string> {
  const { model, actors, world } = evidence;
  for (const actor of actors) {
    const delays = !actor.isHttp && actor.watches.length > 0 && delaysOf(actor, evidence);
    if (!delays) continue;
    const control = controlSessions(actor);
    for (const { outcome, items, times, at, name: id, ended, isLeft } of actor.watches) {
      const isOver = isLeft || ended?.error || outcome.signal?.signal.aborted;
      const hasGap = items.some((item) => !isEvent(item) && item.reason !== "unseen");
      if (isOver || hasGap || actor.isClosed) continue;
      const topic = (id.startsWith("job_") ? "job:" : "workflow:") + id;
      for (const { event, sessions, at: publishedAt } of model.published) {
        if (event.topic !== topic || (id.startsWith("job_") && !ONCE.includes(event.type))) {
          continue;
        }
        const isHeard = [...sessions].some(([session, channels]) =>
          control.has(session.id) && channels.includes(topic)
        );
        // A lane that lost a frame alone is believed to have delivered all.
        if (!isHeard || model.lost.has(keyOf(event))) continue;
        const index = items.findIndex((item) => isEvent(item) && nameOf(item) === nameOf(event));
        const late = (index < 0 ? world.now : times[index]!) - Math.max(at, publishedAt);
        if (late <= delays.prompt) continue;
        yield `5: ${callName(outcome)} of ${id} yielded ${nameOf(event)} ${late} ms late`;
      }
    }
  }
}

/** The events of a job that occur once. */
const ONCE = ["job.enqueued", "job.completed", "job.dlq"];

/** The types of the last events. */
const LAST = ["job.completed", "job.dlq", "workflow.completed", "workflow.failed"];

/** Rule 1: a wait settles soon after its job or run has ended, or was cancelled by this client. */
function* waitsAreTimely(evidence: Evidence): Iterable<string> {
  const { actors, model, program } = evidence;
  for (const actor of actors) {
    const waits = actor.outcomes.filter(({ target, isSettled, error }) =>
      target && isSettled && !NOT_ENDED.includes(Object(error).code)
    );
    if (waits.length === 0 || actor.isClosed || actor.hasSlept) continue;
    const delays = actor.isHttp
      ? { prompt: 1_500 + 10 * program.latency[1], polled: 0 }
      : delaysOf(actor, evidence);
    if (!delays) continue;
    // No read is answered while the only node is away.
    if (actor.isHttp && program.steps.some((step) => "restart" in step)) continue;
    // A read without an answer is repeated when its time is over.
    const lastHarm = Math.max(
      ...[...model.harmed.at].map(([it, at]) => it.startsWith(`${actor.name}#`) ? at : -Infinity),
    ) + actor.plan.timeout + LONGEST_FAULT;
    const control = controlSessions(actor);
    for (const wait of waits) {
      const { target, worldBegin, worldEnd, result, error } = wait;
      const record = result ?? Object(error).job;
      const cancelled = actor.outcomes.findLast(({ op, asked, error, ...cancel }) =>
        op.do === "cancel" && asked === target && cancel.isSettled && !error &&
        cancel.worldEnd > worldBegin && cancel.worldEnd <= worldEnd
      );
      if (actor.isHttp && lastHarm >= (cancelled?.worldBegin ?? worldBegin)) continue;
      if (cancelled && record?.state === "cancelled") {
        const late = worldEnd - cancelled.worldEnd;
        if (late > delays.prompt) {
          yield `1: ${callName(wait)} settled ${late} ms after it was cancelled`;
        }
      }
      const end = model.published.findLast(({ event, sessions }) =>
        LAST.includes(event.type) && event.topic.endsWith(`:${target}`) &&
        (actor.isHttp ||
          [...sessions].some(([session, channels]) =>
            control.has(session.id) && channels.includes(event.topic)
          ))
      );
      if (!end || model.cancelled.has(target!)) continue;
      const late = worldEnd - Math.max(worldBegin, end.at);
      const most = delays.prompt + (actor.isHttp ? LONGEST_POLL : 0);
      if (late > most) yield `1: ${callName(wait)} settled ${late} ms after its end`;
    }
  }
}

/** The longest pause between two reads over HTTP. */
const LONGEST_POLL = 5_000;

/** The codes of errors that say nothing about the job or run. */
const NOT_ENDED: unknown[] = ["timeout", "closed", "connection_lost", "gave_up", "connect_failed"];

/** How long a client may take to notice that its machine has slept. */
const NOTICED = 5_100;

/** The same, if it has just sent a ping. */
const NOTICED_LATE = 10_100;

/** Rule 6: after the machine has slept, the client asks a silent server whether it is there. */
function* sleepersPing({ program, actors, model, world }: Evidence): Iterable<string> {
  for (const { name: client, hasSlept, statuses, isHttp } of actors) {
    if (!hasSlept || isHttp) continue;
    const { trace } = model.world;
    const sleeps = trace.filter(({ who, what }) => who === client && what.includes('"sleep":'));
    const [sleep] = sleeps;
    if (!sleep || sleeps.length > 1) continue;
    const { sleep: ms } = JSON.parse(sleep.what);
    if (ms < 60_000) continue;
    const wokenAt = sleep.at + ms;
    const { status } = statuses.findLast(({ worldAt, status }) =>
      worldAt < sleep.at && isState(status)
    ) ?? {};
    if (status?.type !== "connected") {
      continue;
    }
    const connection = world.connections.find(({ sessionId }) => sessionId === status.sessionId);
    if (!connection || model.harmed.has(connection.name)) continue;
    const hasPinged = trace.some(({ who, at, what, frame }) =>
      who === connection.name && at <= sleep.at && at >= sleep.at - NOTICED_LATE &&
      what.startsWith("sends") && frame?.includes('"type":"ping"')
    );
    const noticed = hasPinged ? NOTICED_LATE : NOTICED;
    const isOver = statuses.some(({ worldAt, status }) =>
      worldAt >= sleep.at && worldAt <= wokenAt + noticed && status.type !== "connected"
    );
    const isSilent = !trace.some(({ who, at, what }) =>
      who === connection.name && at >= sleep.at - program.latency[1] - 1 &&
      at <= wokenAt + noticed &&
      what.startsWith("receives")
    );
    if (isOver || !isSilent || world.now <= wokenAt + noticed) continue;
    yield `6: ${client} has not looked at ${wokenAt + noticed} whether its server is there`;
  }
}

/** Rules about when something is told. */
export const TIME_RULES: readonly Rule[] = [
  gapsCoverWhatIsMissing,
  gapsAreToldOnce,
  watchesAreTimely,
  waitsAreTimely,
  sleepersPing,
];
