import type { Status } from "../../mod.ts";
import { type Actor, callName, describeError, isState, type Outcome } from "./actor.ts";
import type { Operation } from "./program.ts";
import { type Evidence, longestDelay, type Rule } from "./rules.ts";

const codeOf = ({ error }: Outcome): unknown => Object(error).code;

/** The milliseconds in which a request is answered, if nothing happens to its connection. */
const QUIET = 1_500;

/** The calls that are one request. */
const REQUESTS = [
  ...["enqueue", "getJob", "cancel", "getRun", "timeline", "publish", "stats", "subscribe"],
];

/** Rule 1: no call times out while its connection works. */
function* timeoutsHaveAReason({ world, model, actors }: Evidence): Iterable<string> {
  for (const { outcomes, statuses, hasBursts } of actors) {
    for (const outcome of outcomes) {
      if (!REQUESTS.includes(outcome.op.do) || codeOf(outcome) !== "timeout") continue;
      const until = stateAt(statuses, outcome.end);
      if (until?.status.type !== "connected") continue;
      const { sessionId } = until.status;
      const connection = world.connections.find((it) => it.sessionId === sessionId);
      if (!connection || model.harmed.has(connection.name)) continue;
      const time = outcome.end - Math.max(until.at, outcome.begin);
      // The throttle may have held it back.
      if (time < (outcome.op.do === "enqueue" && hasBursts ? 25_000 : QUIET)) continue;
      yield `1: ${callName(outcome)} timed out although it was connected for ${time} ms`;
    }
  }
}

/** The calls that are sent again after their connection was lost. */
const READS = ["getJob", "getRun", "timeline", "stats"];

/** Rule 1: reads are sent again after their connection was lost. */
export function* readsAreRepeated({ actors }: Evidence): Iterable<string> {
  for (const { outcomes, plan, statuses, isHttp } of actors) {
    if (!plan.reconnect) continue;
    const connected = statuses.find(({ status }) => status.type === "connected");
    for (const outcome of outcomes) {
      // The first connection is tried once, and may be lost before it is used.
      if (!isHttp && !(connected && connected.at <= outcome.end)) continue;
      const { op } = outcome;
      const isRepeated = READS.includes(op.do) || ("retry" in op && op.retry === "unknown");
      if (isRepeated && codeOf(outcome) === "connection_lost") {
        yield `1: ${callName(outcome)} failed with its connection`;
      }
    }
  }
}

/** Rule 1: `close({ drain: true })` lets pending calls finish. */
export function* drainWaits({ actors }: Evidence): Iterable<string> {
  for (const { outcomes, statuses, isHttp } of actors) {
    // Clients over HTTP cannot drain.
    if (isHttp) continue;
    const closings = outcomes.filter(({ op }) => op.do === "close");
    const [first] = closings;
    if (!first || closings.some(({ op }) => op.do === "close" && !op.drain)) continue;
    for (const outcome of outcomes) {
      if (outcome === first) break;
      const { op } = outcome;
      // Who waits for another connection has no deadline, and a drain does not wait as long.
      const isOpening = op.do === "connect" &&
        stateAt(statuses, first.begin)?.status.type === "connecting";
      const isCall = REQUESTS.includes(op.do) || op.do === "start" || isOpening;
      if (isCall && codeOf(outcome) === "closed") {
        yield `1: ${callName(outcome)} was rejected by ${
          callName(first)
        }, which should wait for it`;
      }
    }
  }
}

/** Rule 1: when a client has given up, cannot connect or is closed, its calls end. */
export function* callsEndWithTheClient({ actors }: Evidence): Iterable<string> {
  for (const { outcomes, statuses, name: client, hasBursts } of actors) {
    for (const { at, status } of statuses) {
      if (!["failed", "closed", "idle"].includes(status.type)) continue;
      for (const outcome of outcomes) {
        if (outcome.op.do === "close" || outcome.begin >= at || outcome.end <= at) continue;
        const { op } = outcome;
        // Enqueues that wait for their turn try to connect once more.
        const isLater = !REQUESTS.includes(op.do) || (op.do === "enqueue" && hasBursts);
        if (status.type === "idle" && isLater) continue;
        yield `1: ${callName(outcome)} went on for ${
          outcome.end - at
        } ms after ${client} was ${status.type}`;
      }
    }
  }
}

/** Rule 6: a lane whose run has ended is dropped, also if its peer is silent. */
function* lanesEnd({ world, model, actors }: Evidence): Iterable<string> {
  for (const { name: client, outcomes, watches, status } of actors) {
    if (status.type !== "connected") continue;
    const open = world.connections.filter((it) =>
      it.client === client && it.isOpenAtClient && it.sessionId !== status.sessionId
    );
    const isSeen = (run: unknown) =>
      run !== undefined &&
      (outcomes.some((it) => it.target === run && (it.result ?? Object(it.error).run)) ||
        watches.some((it) => it.name === run && it.ended && !it.ended.error && !it.isLeft));
    // Nobody looks whether these runs have ended. A run may have been found in the turn in which its
    // start was given up; its lane then ends with it.
    const unseen = outcomes.filter(({ op, isSettled, error, result, abortsInTurn }) =>
      startsRun(op) && (isSettled && error ? abortsInTurn : !isSeen(result))
    );
    const stuck = model.lostAnswers.get(client) ?? 0;
    if (open.length <= unseen.length + stuck) continue;
    yield `6: ${client} has ${open.length} lanes, with ${unseen.length} that may be open`;
  }
}

/** How many lanes of a client listen to the events of all runs. */
const LISTENERS = 8;

/** A start is known after this many milliseconds, if nothing happens to any connection. */
const START_TIME = 6_000;

/** Whether a call starts a run. */
export function startsRun(op: Operation): boolean {
  return op.do === "start" || (op.do === "call" && op.method === "workflow.start");
}

/** Rule 3: a start whose input can be marked resolves while its run is under way. */
export function* startsResolveEarly({ program, world, model, actors }: Evidence): Iterable<string> {
  for (const { name: client, outcomes, hasSlept, plan } of actors) {
    // Eight lanes listen. If all of them happen to be at other nodes, nobody hears of a further run.
    const starts = outcomes.filter(({ op }) => op.do === "start").length;
    if (plan.isBalanced && program.nodes > 1 && starts > LISTENERS) continue;
    const isHarmed = world.connections.some((it) =>
      it.client === client && model.harmed.has(it.name)
    );
    if (isHarmed || hasSlept) continue;
    for (const outcome of outcomes) {
      const { op, begin, end, isSettled } = outcome;
      if (op.do !== "start" || !["object", "array", "text", "none"].includes(op.value)) continue;
      const time = isSettled ? end - begin : Infinity;
      if (time > START_TIME) yield `3: ${callName(outcome)} took ${time} ms`;
    }
  }
}

/** Matches what a client sends, receives and does with a connection. */
const FRAME = /^\d+ (\S+#\d+) (sends|receives|closes|drops)/;

/** Rule 6: a lane is kept until its start is answered, unless the caller gave the start up. */
function* lanesAreKept({ model, actors }: Evidence): Iterable<string> {
  const starters = actors.filter(({ outcomes, statuses }) =>
    outcomes.some(({ op }) => startsRun(op)) &&
    !statuses.some(({ status }) => ["closed", "failed"].includes(status.type))
  );
  if (starters.length === 0) return;
  const unanswered = new Map<string, Set<string>>();
  const dropped: string[] = [];
  for (const line of model.world.traceLines()) {
    const [, connection, what] = FRAME.exec(line) ?? [];
    if (!connection) continue;
    const open = unanswered.get(connection);
    if (["closes", "drops"].includes(what!) && open?.size) dropped.push(connection);
    else if (what === "receives") open?.delete(/"correl_id":"(.*?)"/.exec(line)?.[1]!);
    else if (line.includes('"method":"workflow.start"')) {
      unanswered.set(connection, (open ?? new Set()).add(/"id":"(.*?)"/.exec(line)![1]!));
    }
  }
  for (const { name: client, outcomes } of starters) {
    const lanes = dropped.filter((it) => it.startsWith(`${client}#`) && !model.harmed.has(it));
    const failed = outcomes.filter(({ op, error }) => startsRun(op) && error);
    if (lanes.length > failed.length) {
      yield `6: ${client} dropped [${lanes}] before an answer, with ${failed.length} starts given up`;
    }
  }
}

/** Rule 6: a connection is lost only if a fault has affected it. */
function* lossesHaveACause({ world, model, actors }: Evidence): Iterable<string> {
  for (const { name: client, statuses } of actors) {
    const harmed = world.connections.filter((it) =>
      it.client === client && model.harmed.has(it.name)
    );
    let sessionId: string | undefined;
    for (const { at, status } of statuses) {
      if (status.type === "connected") ({ sessionId } = status);
      if (status.type === "disconnected" && !harmed.some((it) => it.sessionId === sessionId)) {
        yield `6: ${client} lost its connection at ${at}: ${describeError(status.cause)}`;
      }
      if (status.type === "anomaly" && harmed.length === 0) {
        yield `6: ${client} reports an anomaly at ${at}: ${status.cause.message}`;
      }
    }
    const lost = statuses.filter(({ status }) => status.type === "lane_lost").length;
    if (lost > harmed.length) yield `6: ${client} lost ${lost} lanes without a cause`;
  }
}

/** Rule 6: the delays of reconnecting are random, up to a bound that doubles. */
function* delaysAreAsDocumented({ actors }: Evidence): Iterable<string> {
  for (const { name: client, plan, statuses, randoms } of actors) {
    for (const [index, { at, status }] of statuses.entries()) {
      if (status.type !== "reconnecting") continue;
      const { attempt, delay } = status;
      const next = statuses.slice(index + 1).find((it) =>
        ["connected", "reconnecting", "failed"].includes(it.status.type)
      );
      if (next && next.at < at + delay) {
        yield `6: ${client} waits ${next.at - at} ms before attempt ${attempt}, not ${delay}`;
      }
      const bound = longestDelay(plan, attempt);
      if (randoms.some((random) => Math.floor(random * bound) === delay)) continue;
      yield `6: ${client} waits ${delay} ms before attempt ${attempt}, which is not random`;
    }
  }
}

/** The channels whose events limit the rate of enqueues. */
const THROTTLING = ["jobs", "firehose", "queue"];

/** Rule 2: writes are sent in the order of the calls, even if those wait for a connection. */
function* writesKeepTheirOrder({ model, actors }: Evidence): Iterable<string> {
  const positions = new Map<string, number>();
  const keyOf = (job: string, payload: unknown) => `${job} ${JSON.stringify(payload)}`;
  for (const [index, { name, payload }] of model.writes.entries()) {
    positions.set(keyOf(name, payload), index);
  }
  for (const { outcomes, isHttp } of actors) {
    // Requests over HTTP do not wait for each other.
    if (isHttp) continue;
    if (outcomes.some(({ op }) => op.do === "subscribe" && THROTTLING.includes(op.channel))) {
      continue;
    }
    let last = -1;
    for (const outcome of outcomes) {
      const { op, value } = outcome;
      const isWrite = (op.do === "enqueue" && !op.retry) || op.do === "publish";
      if (!isWrite || value === undefined || value === null) continue;
      const at = positions.get(keyOf(op.name, value)) ?? last;
      if (at < last) yield `2: ${callName(outcome)} overtook an earlier call`;
      last = at;
    }
  }
}

function stateAt(
  statuses: Actor["statuses"],
  at: number,
): { at: number; status: Status } | undefined {
  return statuses.findLast((it) => it.at <= at && isState(it.status));
}

/** Rules about calls, their errors and their connections. */
export const CALL_RULES: readonly Rule[] = [
  timeoutsHaveAReason,
  readsAreRepeated,
  drainWaits,
  callsEndWithTheClient,
  lanesEnd,
  startsResolveEarly,
  lanesAreKept,
  lossesHaveACause,
  delaysAreAsDocumented,
  writesKeepTheirOrder,
];
