import { AuthError, EnqueueManyError } from "../../mod.ts";
import { callName, isTokenMissing } from "./actor.ts";
import { LONGEST_FAULT } from "./program.ts";
import type { Evidence, Rule } from "./rules.ts";
import { startsRun } from "./rules_of_calls.ts";

/** Matches a refusal, and its code. */
const REFUSAL = /"type":"error".*"code":(\d+)/;

/** The codes that a token or an error of the client's connection has, which later calls share. */
const SHARED = 401;

/** Rule 1: a call that fails with a number fails because the server has answered with that number. */
function* codesAreThoseOfTheServer({ actors, model, program }: Evidence): Iterable<string> {
  for (const { name: client, outcomes, isHttp, hasSlept } of actors) {
    if (isHttp || hasSlept) continue;
    const refused = outcomes.filter(({ error }) => typeof Object(error).code === "number");
    if (refused.length === 0) continue;
    const refusals = model.world.trace.flatMap(({ at, who, what, frame }) => {
      const isOwn = frame && what.startsWith("receives") && who.startsWith(`${client}#`);
      const code = isOwn && REFUSAL.exec(frame)?.[1];
      return code ? [{ at, code: Number(code) }] : [];
    });
    const late = LONGEST_FAULT + program.latency[1];
    for (const outcome of refused) {
      const { code, cause } = outcome.error as { code: number; cause?: unknown };
      if (isTokenMissing(cause)) continue;
      const isAnswered = refusals.some((refusal) =>
        refusal.code === code && refusal.at <= outcome.worldEnd &&
        (code === SHARED || refusal.at >= outcome.worldBegin - late)
      );
      if (isAnswered) continue;
      yield `1: ${callName(outcome)} failed with ${code}, which the server did not answer`;
    }
  }
}

/** Rule 1: a refused token is an `AuthError`, wherever it is told. */
function* refusedTokensAreAuthErrors({ actors }: Evidence): Iterable<string> {
  const isOther = (error: unknown) =>
    Object(error).code === 401 && !(error instanceof AuthError) &&
    !(error instanceof EnqueueManyError) &&
    // An answer that is torn may be that of a proxy.
    !/not a frame/.test(Object(error).message);
  for (const { name: client, outcomes, statuses } of actors) {
    const outcome = outcomes.find(({ error }) => isOther(error));
    if (outcome) yield `1: ${callName(outcome)} failed with 401, but not with an AuthError`;
    const told = statuses.find(({ status }) => "cause" in status && isOther(status.cause));
    if (told) yield `1: ${client} tells of a 401 at ${told.at} that is no AuthError`;
  }
}

/** Rule 5: the error of a wait has the code of the state with which it ended. */
function* waitsFailWithTheirState({ actors }: Evidence): Iterable<string> {
  for (const outcome of actors.flatMap(({ outcomes }) => outcomes)) {
    const { code, job, run } = Object(outcome.error);
    if (!job && !run) continue;
    const expected = job ? `job_${job.state}` : "run_failed";
    if (code !== expected) yield `5: ${callName(outcome)} failed with ${code}, not ${expected}`;
  }
}

/** Rule 1: the error of a burst has the code of the enqueue that failed. */
function* burstsFailWithTheirCause({ actors }: Evidence): Iterable<string> {
  for (const outcome of actors.flatMap(({ outcomes }) => outcomes)) {
    const { error } = outcome;
    if (!(error instanceof EnqueueManyError)) continue;
    const { code } = Object(error.cause);
    if (error.code !== code) yield `1: ${callName(outcome)} failed with ${error.code}, not ${code}`;
  }
}

/** Rule 6: a client that gave up says why. */
function* givingUpHasACause({ actors }: Evidence): Iterable<string> {
  for (const { name: client, statuses } of actors) {
    for (const { at, status } of statuses) {
      const { code, cause } = Object("cause" in status ? status.cause : undefined);
      if (status.type !== "failed" || code !== "gave_up" || cause instanceof Error) continue;
      yield `6: ${client} does not say at ${at} why it gave up`;
    }
  }
}

/** The calls that are one request. */
const REQUESTS = ["enqueue", "getJob", "cancel", "getRun", "timeline", "publish", "stats"];

/** Rule 1: a call that waited in vain for a lost connection says why there was none. */
function* lateCallsSayWhy({ actors }: Evidence): Iterable<string> {
  for (const { outcomes, statuses, isHttp, hasBursts } of actors) {
    if (isHttp || hasBursts) continue;
    for (const outcome of outcomes) {
      const { op, error, begin, end } = outcome;
      const { code, delivery, cause } = Object(error);
      if (code !== "timeout" || delivery !== "not-sent" || !REQUESTS.includes(op.do)) continue;
      const lost = statuses.findLast(({ status, at }) =>
        status.type === "disconnected" && at < end
      );
      const isBack = statuses.some(({ status, at }) =>
        status.type === "connected" && at >= (lost?.at ?? 0) && at <= end
      );
      if (!lost || isBack) continue;
      if (!(cause instanceof Error)) {
        yield `1: ${callName(outcome)} of ${begin} does not say why there was no connection`;
      }
      // In one millisecond nobody knows what came first.
      const told = statuses.filter(({ at }) => at >= lost.at && at <= end);
      const last = told.findLast(({ status }) => status.type === "reconnecting");
      if (!last || last.at === end || last.status.type !== "reconnecting") continue;
      if (last.status.cause === cause) continue;
      yield `1: ${callName(outcome)} does not name the last reason why there was no connection`;
    }
  }
}

/** Matches what ends a connection. */
const END = /^(closes|drops|is cut|is muted|ends at the node)$|but (cut|refuse|half-open)$/;

/** Matches an answer to a request. */
const ANSWER = /"type":"(?:response|error)".*"correl_id":/;

/** Rule 6: the client tells of each message that it cannot use, and counts them. */
function* unreadableMessagesAreTold({ actors, model, program }: Evidence): Iterable<string> {
  for (const actor of actors) {
    const { name: client, statuses, isHttp, hasSlept, outcomes, watches, subscriptions } = actor;
    if (isHttp) continue;
    const told = statuses.flatMap(({ status }) => status.type === "anomaly" ? status.count : []);
    const wrong = told.findIndex((count, index) => count !== index + 1);
    if (wrong >= 0) yield `6: ${client} counts ${told[wrong]} anomalies, not ${wrong + 1}`;
    const { trace } = model.world;
    const own = trace.filter(({ who }) => who.startsWith(`${client}#`));
    // The second answer to a request may be taken for that to a request which was given up.
    const gaveUp = watches.length > 0 || subscriptions.length > 0 ||
      outcomes.some(({ signal, error, target, isSettled, op }) =>
        signal || target || !isSettled || Object(error).code === "timeout" || startsRun(op)
      );
    const spoilt = own.filter(({ what, frame }) =>
      what === "receives, but malformed" ||
      (what === "receives, but duplicate" && !gaveUp && ANSWER.test(frame!))
    );
    const read = spoilt.filter(({ at, who }) =>
      !own.some((it) =>
        it.who === who && it.at <= at + LONGEST_FAULT + program.latency[1] && END.test(it.what)
      )
    );
    if (hasSlept || read.length <= told.length) continue;
    yield `6: ${client} tells of ${told.length} anomalies, but got ${read.length} useless messages`;
  }
}

/** Rule 1: hooks are told of the error with which a request has failed. */
function* hooksAreToldOfErrors({ actors }: Evidence): Iterable<string> {
  for (const { outcomes, plan, hooked } of actors) {
    if (!plan.hasHooks) continue;
    for (const outcome of outcomes) {
      const { op, error } = outcome;
      if (!REQUESTS.includes(op.do) && op.do !== "start") continue;
      // Other errors are those of an answer, which comes after the request.
      if (Object(error) !== error || Object(error).code === "bad_answer") continue;
      if (!hooked.errors.has(error as object)) {
        yield `1: ${callName(outcome)} failed, of which its hooks were not told`;
      }
    }
  }
}

/** Rules about errors: what they are, and who is told of them. */
export const ERROR_RULES: readonly Rule[] = [
  codesAreThoseOfTheServer,
  refusedTokensAreAuthErrors,
  waitsFailWithTheirState,
  burstsFailWithTheirCause,
  lateCallsSayWhy,
  givingUpHasACause,
  unreadableMessagesAreTold,
  hooksAreToldOfErrors,
];
