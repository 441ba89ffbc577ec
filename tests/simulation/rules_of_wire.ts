import { callName } from "./actor.ts";
import { LONGEST_FAULT } from "./program.ts";
import { controlSessions, type Evidence, type Rule } from "./rules.ts";

/** The credits that a connection has from its start. */
const INITIAL_CREDITS = 1_000;

/**
 * Rule 4: a grant fills the window of a connection up to the number that the caller chose, and is sent
 * before half of the window is used.
 */
function* grantsFillTheWindow({ actors }: Evidence): Iterable<string> {
  for (const { name: client, grants, plan } of actors) {
    for (const { at, granted, arrived, before } of grants) {
      const filled = granted - arrived;
      if (filled !== plan.credits) {
        yield `4: ${client} filled its window up to ${filled} at ${at}, not to ${plan.credits}`;
        break;
      }
      const left = INITIAL_CREDITS + before - arrived;
      // Until the first grant the window is as large as the server makes it.
      const window = INITIAL_CREDITS + (before > 0 ? plan.credits : 0);
      if (left >= window / 2) continue;
      yield `4: ${client} had only ${left} credits left when it granted more at ${at}`;
      break;
    }
  }
}

/** Matches a request in a frame. */
const REQUEST = /"type":"request".*"method":"(.*?)"/;

const CHANNEL = /"channel":"(.*?)"/;

/** Rule 6: a new connection subscribes to the channels of the last one before all other requests. */
function* channelsComeFirst({ actors, model, world }: Evidence): Iterable<string> {
  for (const { statuses, subscriptions, isHttp } of actors) {
    const open = subscriptions.filter((it) => !it.ended && !it.isLeft && it.outcome.isSettled);
    if (isHttp || open.length === 0) continue;
    for (const { status, worldAt } of statuses) {
      if (status.type !== "connected" || status.attempt === 0) continue;
      const lost = statuses.findLast((it) =>
        it.worldAt <= worldAt && it.status.type === "disconnected"
      );
      const connection = world.connections.find((it) => it.sessionId === status.sessionId)?.name;
      let others = 0;
      for (const { who, what, frame } of model.world.trace) {
        if (who !== connection || !frame || !what.startsWith("sends")) continue;
        const method = REQUEST.exec(frame)?.[1];
        if (method === undefined || method === "auth") continue;
        const channel = method === "subscribe" ? CHANNEL.exec(frame)?.[1] : undefined;
        if (channel === undefined) others++;
        const reading = others > 0 &&
          open.find((it) => it.channel === channel && it.outcome.worldEnd < lost!.worldAt);
        if (!reading) continue;
        yield `6: ${
          callName(reading.outcome)
        } is subscribed on ${connection} after ${others} requests`;
        break;
      }
    }
  }
}

/** Rule 7: before a client closes a connection that works, it leaves the channels. */
export function* channelsAreLeft({ actors, model, world }: Evidence): Iterable<string> {
  const channels = new Map<string, Set<string>>();
  for (const { name: client, statuses, isHttp } of actors) {
    if (isHttp) continue;
    const sessions = new Set(
      statuses.flatMap(({ status }) => status.type === "connected" ? status.sessionId : []),
    );
    const own = world.connections.filter((it) => it.client === client);
    const isWorking = new Set(
      own.filter((it) => !model.harmed.has(it.name) && sessions.has(it.sessionId!))
        .map((it) => it.name),
    );
    for (const { who, what, frame } of model.world.trace) {
      if (!isWorking.has(who)) continue;
      let left = channels.get(who);
      if (!left) channels.set(who, left = new Set());
      if (what === "closes" || what === "drops") {
        if (left.size > 0) {
          yield `7: ${client} closes ${who} while it is subscribed to [${[...left]}]`;
        }
        isWorking.delete(who);
      }
      const method = frame && what.startsWith("sends") && REQUEST.exec(frame)?.[1];
      if (method === "subscribe") left.add(CHANNEL.exec(frame!)![1]!);
      if (method === "unsubscribe") left.delete(CHANNEL.exec(frame!)![1]!);
    }
  }
}

/** A start on a connection, until its answer. */
interface SentStart {
  readonly id: string;
  readonly name: string;
  readonly input: string;
}

/** How soon a client notices that a connection is cut. */
const NOTICED = 1_500;

/** Rule 6: who knows a run is told when the connection that started it is lost. */
function* lostLanesAreTold({ actors, model }: Evidence): Iterable<string> {
  for (const { name: client, outcomes, statuses, isHttp, hasSlept } of actors) {
    if (isHttp || hasSlept) continue;
    const starts = new Map<string, SentStart>();
    for (const { at, who, what, frame } of model.world.trace) {
      if (!who.startsWith(`${client}#`)) continue;
      if (what.startsWith("sends") && frame?.includes('"method":"workflow.start"')) {
        const { id, data } = JSON.parse(frame);
        starts.set(who, { id, name: data.name, input: JSON.stringify(data.input) });
      }
      const start = starts.get(who);
      if (!start) continue;
      if (what.startsWith("receives") && frame!.includes(`"correl_id":"${start.id}"`)) {
        starts.delete(who);
      }
      if (["closes", "drops", "is muted"].includes(what)) starts.delete(who);
      if (what !== "is cut") continue;
      starts.delete(who);
      const same = outcomes.filter(({ op, value }) =>
        op.do === "start" && op.name === start.name && JSON.stringify(value ?? {}) === start.input
      );
      const [outcome] = same;
      const isKnown = same.length === 1 && outcome!.isSettled && !outcome!.error &&
        outcome!.worldEnd < at && !outcome!.signal;
      if (!isKnown) continue;
      const isOver = statuses.some(({ status, worldAt }) =>
        ["closed", "failed"].includes(status.type) && worldAt <= at + NOTICED
      );
      const isTold = statuses.some(({ status }) =>
        status.type === "lane_lost" && status.runId === outcome!.result
      );
      if (isOver || isTold) continue;
      yield `6: ${callName(outcome!)} lost ${who} at ${at}, of which nobody was told`;
    }
  }
}

/** The longest time that frames take where no connection is much slower than another. */
const SHORT = 5;

/** Rule 4: whoever watches a run has no gap while the connection that started it works. */
function* workingLanesHaveNoGap({ program, actors, model }: Evidence): Iterable<string> {
  if (program.latency[1] > SHORT) return;
  for (const { name: client, watches, outcomes, plan, isHttp, hasSlept } of actors) {
    // A lane with few credits goes silent in the end, and with many starts not all lanes listen.
    const starts = outcomes.filter(({ op }) => op.do === "start");
    if (isHttp || hasSlept || plan.credits < 1_000 || starts.length > LISTENERS) continue;
    for (const { outcome, items, name: runId } of watches) {
      const gap = items.find((item) => item.type === "gap" && item.reason === "reconnect");
      const start = starts.find(({ result, op }) =>
        result === runId && op.do === "start" && MARKED.includes(op.value)
      );
      if (!gap || !start) continue;
      const answer = model.world.trace.find(({ who, what, frame }) =>
        who.startsWith(`${client}#`) && what === "receives" && frame!.includes(`"${runId}"`) &&
        frame!.includes('"correl_id"') && frame!.includes('"run_id"') && !frame!.includes('"input"')
      );
      if (!answer || model.harmed.has(answer.who)) continue;
      yield `4: ${
        callName(outcome)
      } of ${runId} was told of a gap, but ${answer.who} delivered all`;
    }
  }
}

/** How many connections listen to the events of all runs. */
const LISTENERS = 8;

/** The inputs that have room for a mark. */
const MARKED = ["object", "array", "text", "none"];

/** Matches what happens when a frame arrives, even if late. */
const RECEIVES = /^receives(, but (delay|stall|duplicate|malformed))?$/;

/** Rule 6: a client asks a server that has been silent for long whether it is there. */
function* silentServersArePinged(evidence: Evidence): Iterable<string> {
  const { program, world, model, actors } = evidence;
  for (const actor of actors) {
    const { name: client, plan, hasSlept, isHttp } = actor;
    const { pingInterval = 15_000, pingTimeout = 10_000 } = plan;
    if (isHttp || hasSlept || pingInterval === 0) continue;
    const most = pingInterval + pingTimeout + 1_000 + 2 * program.latency[1];
    const control = controlSessions(actor);
    const open = world.connections.find((it) =>
      it.client === client && it.isOpenAtClient && control.has(it.sessionId!)
    );
    if (!open) continue;
    const late = model.delayed.has(open.name) ? LONGEST_FAULT : 0;
    const signs = model.world.trace.filter(({ who, what, frame }) =>
      who === open.name &&
      (RECEIVES.test(what) || what.startsWith("sends") && frame!.includes('"type":"ping"'))
    ).map(({ at }) => at);
    const silence = [...signs, world.now].find((at, index) => at - signs[index - 1]! > most + late);
    if (silence !== undefined) yield `6: ${client} sends no ping on ${open.name} until ${silence}`;
  }
}

/** Matches a request to cancel a job, and the id. */
const CANCEL = /"method":"job\.cancel".*"job_id":"(\w+)"/;

/** Rule 2: a request to cancel a job is sent once. */
function* cancelsAreSentOnce({ program, model, actors }: Evidence): Iterable<string> {
  const mayExpire = program.steps.some((step) => "expire" in step);
  for (const { name: client, outcomes, isHttp } of actors) {
    // With another token a request over HTTP is sent again.
    if (isHttp && mayExpire) continue;
    const sent = new Map<string, number>();
    for (const { who, what, frame } of model.world.trace) {
      if (!frame || !/^(sends|requests)/.test(what) || !who.startsWith(`${client}#`)) continue;
      const id = CANCEL.exec(frame)?.[1];
      if (id) sent.set(id, (sent.get(id) ?? 0) + 1);
    }
    for (const [id, times] of sent) {
      const calls = outcomes.filter(({ op, asked }) => op.do === "cancel" && asked === id).length;
      if (times > calls) yield `2: ${client} sent ${times} requests to cancel ${id}, not ${calls}`;
    }
  }
}

/** Rules about what clients send, and on which connections. */
export const WIRE_RULES: readonly Rule[] = [
  grantsFillTheWindow,
  channelsComeFirst,
  lostLanesAreTold,
  workingLanesHaveNoGap,
  silentServersArePinged,
  cancelsAreSentOnce,
];
