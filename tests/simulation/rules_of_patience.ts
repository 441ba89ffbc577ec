import { type Actor, callName } from "./actor.ts";
import { hasConnectionOf } from "./model.ts";
import { hasOnlyCalls } from "./program.ts";
import type { Evidence, Rule } from "./rules.ts";

/** How much later a timer may fire. */
const LATE = 100;

/** Rule 6: a peer that has fallen silent counts as lost after the time that pings take. */
function* silentPeersAreLost({ actors, model, world }: Evidence): Iterable<string> {
  for (const { name: client, statuses, plan, isHttp, hasSlept } of actors) {
    if (isHttp || hasSlept) continue;
    for (const [index, { status, worldAt }] of statuses.entries()) {
      if (status.type !== "connected") continue;
      const connection = world.connections.find((it) => it.sessionId === status.sessionId);
      if (!connection?.isMuted) continue;
      const muted = model.world.trace.find(({ who, what }) =>
        who === connection.name && what === "is muted"
      );
      const from = Math.max(worldAt, muted?.at ?? Infinity);
      const { pingInterval = 15_000, pingTimeout = 10_000 } = plan;
      if (pingInterval === 0) continue;
      // What asks for a pong looks at its clock only when the time for the last pong is over.
      const until = from + Math.max(pingInterval, pingTimeout) + pingTimeout + LATE;
      const isNoticed = statuses.slice(index + 1).some((it) =>
        it.worldAt <= until && ["disconnected", "closed"].includes(it.status.type)
      );
      if (isNoticed || world.now <= until) continue;
      yield `6: ${client} has not noticed at ${until} that ${connection.name} is silent`;
    }
  }
}

const STATES = /^(idle|failed|closed|disconnected|(re)?connect.*)$/;

/** Rule 6: an attempt to connect takes no longer than its limit. */
function* attemptsEnd({ actors, program }: Evidence): Iterable<string> {
  for (const { name: client, statuses, hasSlept, plan } of actors) {
    if (hasSlept) continue;
    const { connectTimeout = 10_000 } = plan;
    const states = statuses.filter(({ status }) => STATES.test(status.type));
    for (const [index, { at, status }] of states.entries()) {
      const next = states[index + 1];
      if (!next || !["connecting", "reconnecting"].includes(status.type)) continue;
      // A refused token is replaced once, and a new connection subscribes to the channels.
      const delay = status.type === "reconnecting" ? status.delay + connectTimeout : 0;
      const most = delay + 2 * connectTimeout + program.latency[1] + LATE;
      if (next.at - at <= most) continue;
      yield `6: ${client} was ${status.type} for ${next.at - at} ms, more than ${most}`;
    }
  }
}

/** How many connections a client keeps for the next starts, and for how long. */
const [IDLE_LANES, IDLE_TIME] = [4, 5_000];

/** How long the server may take to end the subscription of such a connection. */
const SUBSCRIBE_TIME = 1_000;

/** A connection that has started runs. */
interface LaneUse {
  starts: number;
  /** When the last start was answered. */
  idleSince: number | undefined;
}

/**
 * Rule 6: a connection whose start was answered is kept for a short time, and so are few others. None
 * listens while no start is pending.
 */
function* idleLanesAreFew({ actors, model, program, world }: Evidence): Iterable<string> {
  for (const { name: client, isHttp, hasSlept, outcomes } of actors) {
    const starts = outcomes.filter(({ op }) => op.do === "start");
    if (isHttp || hasSlept || starts.length === 0) continue;
    const slow = 2 * program.latency[1] + LATE;
    const lanes = new Map<string, LaneUse>();
    const ended = new Set<string>();
    const listening = new Set<string>();
    const look = (now: number): string | undefined => {
      const idle = [...lanes].filter(([lane, { idleSince }]) =>
        idleSince !== undefined && !ended.has(lane) && !model.harmed.has(lane) &&
        now - idleSince > SUBSCRIBE_TIME + slow
      );
      const old = idle.find(([, use]) => now - use.idleSince! > IDLE_TIME + SUBSCRIBE_TIME + slow);
      if (old) {
        return `6: ${client} still keeps ${old[0]} at ${now}, idle since ${old[1].idleSince}`;
      }
      // While a start is pending, those that listen are kept.
      const isPending = starts.some(({ worldBegin, worldEnd, isSettled }) =>
        worldBegin <= now && !(isSettled && worldEnd < now - SUBSCRIBE_TIME - slow)
      );
      if (isPending) return undefined;
      if (idle.length > IDLE_LANES) {
        return `6: ${client} keeps ${idle.length} idle connections at ${now}`;
      }
      const listener = idle.find(([lane]) => listening.has(lane))?.[0];
      return listener && `6: ${client} still listens on ${listener} at ${now}, without a start`;
    };
    let problem: string | undefined;
    for (const { at, who, what, frame } of model.world.trace) {
      if (problem) break;
      if (lanes.size > 0) problem = look(at);
      if (!who.startsWith(`${client}#`)) continue;
      if (what === "closes" || what === "drops" || what === "is cut") ended.add(who);
      if (!frame) continue;
      if (what.startsWith("sends") && frame.includes('"method":"workflow.start"')) {
        lanes.set(who, { starts: (lanes.get(who)?.starts ?? 0) + 1, idleSince: undefined });
      }
      if (what.startsWith("sends") && frame.includes('"method":"subscribe"')) listening.add(who);
      if (frame.includes('"method":"unsubscribe"')) listening.delete(who);
      const use = lanes.get(who);
      const isAnswer = use && what.startsWith("receives") && frame.includes('"run_id"') &&
        frame.includes('"correl_id"');
      if (isAnswer) use.idleSince = at;
    }
    problem ??= look(world.now);
    if (problem) yield problem;
  }
}

/** Matches a read of a job or run, and its id. */
const READ = /"method":"(?:job|workflow)\.get".*"(?:job|run)_id":"(\w+)"/;

/** The longest pause between two reads, and how many it takes until pauses are that long. */
const [LONGEST_PAUSE, FIRST_READS] = [5_000, 14];

/** The most reads because of one event, one cancel, one gap or one lost connection. */
const WAKES = 4;

/** Rule 6: whoever follows a job or run reads it at growing intervals, or because of an event. */
function* readsAreSpaced({ program, actors, model, world }: Evidence): Iterable<string> {
  const hasOutage = !hasOnlyCalls(program);
  for (const actor of actors) {
    const { name: client, outcomes, watches, isHttp, hasSlept } = actor;
    // Over HTTP a read without an answer is sent again.
    if (hasSlept || isHttp && (hasOutage || hasConnectionOf(model.harmed, client))) continue;
    const spans = spansOf(actor, world.now);
    if (spans.size === 0) continue;
    const reads = new Map<string, number>();
    for (const { who, what, frame } of model.world.trace) {
      if (!frame || !/^(sends|requests)/.test(what) || !who.startsWith(`${client}#`)) continue;
      const id = READ.exec(frame)?.[1];
      if (id) reads.set(id, (reads.get(id) ?? 0) + 1);
    }
    const changes = actor.statuses.length;
    for (const [id, times] of spans) {
      const events = model.published.filter(({ event }) => event.topic.endsWith(`:${id}`)).length;
      const own = outcomes.filter(({ asked, op }) => asked === id && /^(get|cancel)/.test(op.do));
      const most = own.length + WAKES * (events + own.length + changes + watches.length) +
        times.reduce((sum, ms) => sum + FIRST_READS + ms / LONGEST_PAUSE, 0);
      const count = reads.get(id) ?? 0;
      if (count > most) yield `6: ${client} read ${id} ${count} times, more than ${most}`;
    }
  }
}

/** How many times longer pauses are while events arrive. */
const WITH_EVENTS = 3;

/** Rule 1: whoever waits for a job or run goes on reading it, while nothing goes wrong. */
function* readsGoOn({ actors, model, world, program }: Evidence): Iterable<string> {
  if (!program.isCalm && !hasOnlyCalls(program)) return;
  for (const { name: client, outcomes, plan } of actors) {
    if (hasConnectionOf(model.harmed, client)) continue;
    const times = plan.transport === "rpc" ? 1 : WITH_EVENTS;
    const longest = times * LONGEST_PAUSE + 8 * program.latency[1] + 1_000;
    const reads = model.world.trace.filter(({ who, what, frame }) =>
      who.startsWith(`${client}#`) && frame && /^(sends|requests)/.test(what)
    ).map(({ at, frame }) => ({ at, id: READ.exec(frame!)?.[1] }));
    for (const outcome of outcomes) {
      const { target, worldBegin, worldEnd, isSettled } = outcome;
      if (!target) continue;
      const end = isSettled ? worldEnd : world.now;
      const own = reads.filter(({ id, at }) => id === target && at >= worldBegin && at <= end);
      let last = worldBegin;
      for (const at of [...own.map(({ at }) => at), end]) {
        if (at - last > longest) {
          yield `1: ${callName(outcome)} did not read ${target} from ${last} to ${at}`;
          break;
        }
        last = at;
      }
    }
  }
}

/** Rule 6: a run that may belong to a start is read once, however often its events arrive. */
function* candidatesAreReadOnce({ actors, model }: Evidence): Iterable<string> {
  for (const actor of actors) {
    const { name: client, outcomes, isHttp, plan } = actor;
    const starts = outcomes.filter(({ op }) => op.do === "start").length;
    // A read that takes too long, or is lost, is tried again.
    if (isHttp || starts === 0 || plan.timeout < 2_000) continue;
    if (hasConnectionOf(model.harmed, client)) continue;
    const followed = spansOf(actor, 0);
    const reads = new Map<string, number>();
    for (const { who, what, frame } of model.world.trace) {
      if (!frame || !what.startsWith("sends") || !who.startsWith(`${client}#`)) continue;
      const id = READ.exec(frame)?.[1];
      if (id?.startsWith("wfrun_")) reads.set(id, (reads.get(id) ?? 0) + 1);
    }
    for (const [id, count] of reads) {
      const most = starts + outcomes.filter(({ asked, target }) => (target ?? asked) === id).length;
      if (followed.has(id) || count <= most) continue;
      yield `6: ${client} read ${id} ${count} times, for ${starts} starts`;
    }
  }
}

/** For how many milliseconds each caller has followed each job or run. */
function spansOf({ outcomes, watches }: Actor, now: number): Map<string, number[]> {
  const spans = new Map<string, number[]>();
  const add = (id: string, ms: number) => spans.set(id, [...spans.get(id) ?? [], ms]);
  for (const { target, worldBegin, worldEnd, isSettled } of outcomes) {
    if (target) add(target, (isSettled ? worldEnd : now) - worldBegin);
  }
  for (const { name, at } of watches) add(name, now - at);
  return spans;
}

/** Rule 1: subscribing and unsubscribing outlive the connection on which they were sent. */
function* subscribersSurvive({ actors }: Evidence): Iterable<string> {
  for (const { outcomes, plan, statuses, isHttp } of actors) {
    if (isHttp) continue;
    const connected = statuses.find(({ status }) => status.type === "connected");
    for (const outcome of outcomes) {
      const { op, error, end } = outcome;
      const { code } = Object(error);
      const isLost = code === "connection_lost" || code === "gave_up";
      if (op.do === "unsubscribe" && (isLost || code === "closed")) {
        yield `1: ${callName(outcome)} failed with its connection: ${code}`;
      }
      // The first connection is tried once, and may be lost before it is used.
      const mayRepeat = plan.reconnect && connected && connected.at <= end;
      if (op.do === "subscribe" && code === "connection_lost" && mayRepeat) {
        yield `1: ${callName(outcome)} was not sent again after a lost connection`;
      }
    }
  }
}

/** Rule 4: a frame has the time of the client's clock when it was sent. */
function* framesHaveTheirTime({ actors }: Evidence): Iterable<string> {
  for (const { name: client, mistimed } of actors) {
    if (mistimed) yield `4: ${client} sent a frame with another time: ${mistimed}`;
  }
}

/** Rule 7: a client that was closed while it connected goes on with nothing. */
function* closingStopsAll({ actors, model }: Evidence): Iterable<string> {
  for (const { name: client, outcomes, statuses } of actors) {
    const closed = statuses.find(({ status }) => status.type === "closed");
    const opened = closed &&
      model.world.trace.find(({ at, who, what }) =>
        at > closed.worldAt && what.startsWith("opens") && who.startsWith(`${client}#`)
      );
    if (opened) yield `7: ${client} opens ${opened.who} at ${opened.at}, after it was closed`;
    for (const outcome of outcomes) {
      const { lateTimers = 0 } = outcome;
      if (lateTimers > 0) yield `7: ${callName(outcome)} still has ${lateTimers} timers`;
    }
    // Connections for starts may still wait for the answer that ends their subscription.
    if (outcomes.some(({ op }) => op.do === "start")) continue;
    const closings = outcomes.filter(({ op }) => op.do === "close");
    if (closings.length === 0 || closings.some(({ isSettled }) => !isSettled)) continue;
    // A drain that is under way notices a little later that there is nothing left to wait for.
    const end = Math.max(...closings.map(({ worldEnd }) => worldEnd));
    const last = closings.filter(({ worldEnd }) => worldEnd === end);
    const least = Math.min(...last.map(({ timers = 0 }) => timers));
    if (least > 0) yield `7: ${callName(last[0]!)} left ${least} timers`;
  }
}

/** Rule 7: as soon as a client is closed it has no timer, if no connection waits for its next start. */
export function* timersEndAtOnce({ actors }: Evidence): Iterable<string> {
  for (const { name: client, timers } of actors) {
    if (timers() > 0) yield `7: ${client} has ${timers()} timers as it is closed`;
  }
}

/** Rules about how long a client waits, keeps what it has, and asks again. */
export const PATIENCE_RULES: readonly Rule[] = [
  silentPeersAreLost,
  attemptsEnd,
  idleLanesAreFew,
  readsAreSpaced,
  readsGoOn,
  candidatesAreReadOnce,
  subscribersSurvive,
  framesHaveTheirTime,
  closingStopsAll,
];
