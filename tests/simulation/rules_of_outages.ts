import { AuthError } from "../../mod.ts";
import { callName, isState, isTokenMissing, type Outcome } from "./actor.ts";
import type { Evidence, Rule } from "./rules.ts";
import { startsRun } from "./rules_of_calls.ts";

const codeOf = ({ error }: Outcome): unknown => Object(error).code;

/** How often a connection for a start is tried. */
const TRIES = 3;

/** How long before a call its connection may have been lost without the client's knowledge. */
const UNNOTICED = 1_000;

/** Rule 1: a start fails for want of a connection only if one was lost, or three could not open. */
function* startsFailForAReason({ world, model, actors }: Evidence): Iterable<string> {
  for (const { name: client, outcomes, statuses, hasSlept } of actors) {
    if (hasSlept) continue;
    const own = world.connections.filter((it) => it.client === client);
    for (const outcome of outcomes) {
      const { op, begin, end, worldBegin, worldEnd } = outcome;
      if (op.do !== "start") continue;
      const isQuiet = !statuses.some(({ status, at }) =>
        at >= begin && at <= end && (isState(status) || status.type === "gap")
      );
      const state = statuses.findLast(({ status, at }) => at < begin && isState(status));
      if (!isQuiet || state?.status.type !== "connected") continue;
      if (codeOf(outcome) === "connect_failed") {
        const tries = own.filter(({ openedAt }) => openedAt >= worldBegin && openedAt <= worldEnd);
        if (tries.length < TRIES) {
          yield `1: ${callName(outcome)} failed after ${tries.length} tries to connect`;
        }
      }
      if (codeOf(outcome) === "connection_lost") {
        const isHarmed = own.some((it) =>
          (model.harmed.at.get(it.name) ?? -1) >= worldBegin - UNNOTICED
        );
        if (!isHarmed) {
          yield `1: ${callName(outcome)} was sent on a connection that was lost before`;
        }
      }
    }
  }
}

/** Rule 1: a wait without a timeout does not time out. */
function* waitsHavePatience({ actors }: Evidence): Iterable<string> {
  for (const { outcomes, watches, plan } of actors) {
    // Where events come over HTTP, the caller learns how the first request for them went.
    if (plan.transport === "sse") continue;
    for (const outcome of outcomes) {
      const { op } = outcome;
      if ((op.do !== "waitJob" && op.do !== "waitRun") || op.timeout) continue;
      if (codeOf(outcome) === "timeout") yield `1: ${callName(outcome)} timed out`;
    }
    for (const { outcome, ended } of watches) {
      if (Object(ended?.error).code === "timeout") yield `1: ${callName(outcome)} timed out`;
    }
  }
}

/** How many tokens each client has that gets another one. */
const TOKENS = 10;

/** Rule 6: a client gets another token when its token has expired, and gives up without one. */
function* tokensAreRenewed({ program, actors }: Evidence): Iterable<string> {
  const expirations = program.steps.filter((step) => "expire" in step).length;
  for (const { name: client, plan, statuses } of actors) {
    for (const { at, status } of statuses) {
      if (status.type === "failed" && status.cause instanceof AuthError) {
        if (plan.hasFreshTokens && !plan.wrongTokens && expirations < TOKENS - 1) {
          yield `6: ${client} gave up at ${at} although it can get another token`;
        }
      }
      if (
        status.type === "reconnecting" && status.cause instanceof AuthError &&
        !isTokenMissing(status.cause)
      ) {
        yield `6: ${client} tries a token again at ${at} that was refused`;
      }
    }
  }
}

/** Rule 6: a token that cannot be replaced is not sent again in the attempt in which it was refused. */
function* fixedTokensAreSentOnce({ actors, model }: Evidence): Iterable<string> {
  for (const { name: client, plan, statuses, outcomes, isHttp } of actors) {
    // A connection for a start has no status.
    if (isHttp || plan.hasFreshTokens || outcomes.some(({ op }) => startsRun(op))) continue;
    let refusedAt = Infinity;
    for (const { at, who, what, frame } of model.world.trace) {
      if (!who.startsWith(`${client}#`)) continue;
      if (what === "receives" && frame!.includes('"code":401')) refusedAt = at;
      if (!what.startsWith("opens") || at < refusedAt) continue;
      const isAsked = statuses.some(({ status, worldAt }) =>
        worldAt >= refusedAt && worldAt <= at && /^(re)?connecting$/.test(status.type)
      );
      if (!isAsked) yield `6: ${client} sends a token again at ${at}, refused at ${refusedAt}`;
      refusedAt = Infinity;
    }
  }
}

/** Rule 1: a call is refused for want of room only while there is no connection, and few may wait. */
function* queuesHaveRoom({ actors }: Evidence): Iterable<string> {
  for (const { outcomes, plan, statuses, isHttp } of actors) {
    for (const outcome of outcomes) {
      if (codeOf(outcome) !== "queue_full") continue;
      const { begin, end } = outcome;
      const state = statuses.findLast(({ status, at }) => at < begin && STATES.test(status.type));
      const isConnected = state?.status.type === "connected" &&
        !statuses.some(({ at, status }) => at >= begin && at <= end && STATES.test(status.type));
      if (isHttp || !plan.maxQueue || isConnected) yield `1: ${callName(outcome)} found no room`;
    }
  }
}

const STATES = /^(idle|failed|closed|disconnected|(re)?connect.*)$/;

/** Rule 4: a subscription that was confirmed ends only if the caller or the server ends it. */
function* streamsEndForAReason({ actors }: Evidence): Iterable<string> {
  for (const { subscriptions, watches, statuses, isHttp } of actors) {
    const hasFailed = statuses.some(({ status }) => status.type === "failed");
    for (const reading of [...subscriptions, ...watches]) {
      const { outcome, ended } = reading;
      if (!ended?.error || outcome.error || outcome.signal) continue;
      const { code } = Object(ended.error);
      // Whoever watches may find no connection at first, or no room for a request.
      const mayEnd = watches.includes(reading) ? ["queue_full", "connect_failed"] : [];
      const isRefused = typeof code === "number" ||
        ["overflow", "closed", ...mayEnd].includes(code);
      // Over HTTP the first request of each stream may fail.
      if (isRefused || hasFailed || isHttp) continue;
      yield `4: ${callName(outcome)} ended with ${code} for no reason`;
    }
  }
}

/** Rule 6: `connect` starts over when a client has given up. */
function* connectStartsOver({ actors }: Evidence): Iterable<string> {
  for (const { outcomes, statuses } of actors) {
    const causes = statuses.flatMap(({ status }) => status.type === "failed" ? status.cause : []);
    for (const outcome of outcomes) {
      const { op, begin, error } = outcome;
      const state = statuses.findLast(({ status, at }) => at < begin && STATES.test(status.type));
      if (op.do !== "connect" || state?.status.type !== "failed") continue;
      if (causes.includes(error as Error) || causes.includes(Object(error).cause)) {
        yield `6: ${callName(outcome)} did not start over`;
      }
    }
  }
}

/** How long a drain may wait for calls: as long as the one that waits longest. */
const LONGEST_CALL = 30_000;

/** Rule 1: a drain waits for nobody's calls any more once those are overdue and the server is away. */
function* drainsGiveUp({ actors }: Evidence): Iterable<string> {
  for (const { outcomes, statuses, isHttp } of actors) {
    for (const outcome of outcomes) {
      const { op, begin, end, isSettled } = outcome;
      if (isHttp || op.do !== "close" || !op.drain || !isSettled) continue;
      for (const [index, { at, status }] of statuses.entries()) {
        if (status.type !== "reconnecting") continue;
        const next = statuses.slice(index + 1).find((it) => STATES.test(it.status.type));
        const from = Math.max(at, begin + LONGEST_CALL);
        if (!next || next.at <= from + PROMPT || end <= from + PROMPT) continue;
        yield `1: ${callName(outcome)} went on at ${from} although the server is away`;
        break;
      }
    }
  }
}

/** Within so many milliseconds a drain looks again. */
const PROMPT = 1_000;

/** Rules about what a client does when connections, tokens and answers fail. */
export const OUTAGE_RULES: readonly Rule[] = [
  startsFailForAReason,
  waitsHavePatience,
  tokensAreRenewed,
  fixedTokensAreSentOnce,
  queuesHaveRoom,
  streamsEndForAReason,
  connectStartsOver,
  drainsGiveUp,
];
