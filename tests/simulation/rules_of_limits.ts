import { ConnectionError, TimeoutError } from "../../mod.ts";
import { callName } from "./actor.ts";
import type { Evidence, Rule } from "./rules.ts";

/** How much later than its time a timer may fire. */
const LATE = 100;

/** How much earlier than its time a timer may fire: clocks count whole milliseconds. */
const EARLY = 1;

/** Rule 6: an attempt to connect is given up for want of an answer only after `connectTimeout`. */
function* attemptsHaveTheirTime({ actors }: Evidence): Iterable<string> {
  for (const { name: client, plan, statuses, outcomes, hasSlept } of actors) {
    if (hasSlept) continue;
    const { connectTimeout = 10_000 } = plan;
    for (const [index, { at, status }] of statuses.entries()) {
      if (status.type !== "reconnecting") continue;
      const next = statuses.slice(index + 1).find((it) =>
        ["connected", "reconnecting", "failed", "closed"].includes(it.status.type)
      );
      if (!next || !("cause" in next.status)) continue;
      const { cause } = next.status;
      const why = next.status.type === "failed" ? Object(cause).cause : cause;
      const time = next.at - at - status.delay;
      if (!(why instanceof TimeoutError) || time >= connectTimeout - EARLY) continue;
      yield `6: ${client} gave up attempt ${status.attempt} after ${time} ms`;
    }
    for (const outcome of outcomes) {
      if (outcome.op.do !== "connect" || Object(outcome.error).code !== "timeout") continue;
      const begun = statuses.findLast(({ at, status }) =>
        at < outcome.end && status.type === "connecting"
      );
      const time = outcome.end - (begun?.at ?? 0);
      if (begun && time >= connectTimeout - EARLY) continue;
      yield `6: ${callName(outcome)} was given up after ${time} ms`;
    }
  }
}

/** Rule 6: a connection that the server does not answer is closed after `connectTimeout`. */
function* openingsEnd({ actors, model, world }: Evidence): Iterable<string> {
  for (const { name: client, plan, isHttp, hasSlept } of actors) {
    if (isHttp || hasSlept) continue;
    const { connectTimeout = 10_000 } = plan;
    const left = new Map<string, number>();
    /** Those whose end the client does not hear of. */
    const muted = new Set<string>();
    for (const { at, who, what } of model.world.trace) {
      if (!who.startsWith(`${client}#`)) continue;
      if (what.startsWith("opens")) left.set(who, at + connectTimeout + LATE);
      if (what === "is muted") muted.add(who);
      const isOver = /^(receives|closes|drops|is cut|cut|refuse)/.test(what) ||
        (what.startsWith("ends") && !muted.has(who));
      const until = isOver ? left.get(who) : undefined;
      if (until === undefined) continue;
      left.delete(who);
      if (at > until) yield `6: ${client} waited for an answer on ${who} until ${at}`;
    }
    for (const { name: connection, isOpenAtClient } of world.connections) {
      const until = left.get(connection) ?? Infinity;
      if (!isOpenAtClient || world.now <= until) continue;
      yield `6: ${client} still waits for an answer on ${connection}, since before ${until}`;
    }
  }
}

/** Matches how long a peer was silent. */
const SILENCE = /^no message for (\d+) ms$/;

/** Rule 6: a silent server has `pingTimeout` to answer a ping, before its connection counts as lost. */
function* peersHaveTheirTime({ actors, model, world }: Evidence): Iterable<string> {
  for (const { name: client, plan, statuses, hasSlept } of actors) {
    if (hasSlept) continue;
    const { pingInterval = 15_000, pingTimeout = 10_000 } = plan;
    let sessionId: string | undefined;
    for (const { worldAt, status } of statuses) {
      if (status.type === "connected") ({ sessionId } = status);
      if (status.type !== "disconnected" || !(status.cause instanceof ConnectionError)) continue;
      const [, silence] = SILENCE.exec((status.cause.cause as Error)?.message) ?? [];
      if (silence === undefined) continue;
      if (Number(silence) !== pingInterval + pingTimeout) {
        yield `6: ${client} gave up a server that was silent for ${silence} ms`;
      }
      const connection = world.connections.find((it) => it.sessionId === sessionId)?.name;
      const ping = model.world.trace.findLast(({ who, at, what, frame }) =>
        who === connection && at <= worldAt && what.startsWith("sends") &&
        frame!.includes('"type":"ping"')
      );
      const time = worldAt - (ping?.at ?? worldAt);
      if (time >= pingTimeout - EARLY && time <= pingTimeout + LATE) continue;
      yield `6: ${client} gave up ${connection} ${time} ms after its ping`;
    }
  }
}

/** Rules about the limits that a caller sets for connections. */
export const LIMIT_RULES: readonly Rule[] = [
  attemptsHaveTheirTime,
  openingsEnd,
  peersHaveTheirTime,
];
