import type { CaseStatus, StepStatus } from "../../../../runner/mod.ts";
import { channelOf, counts, covers, earlyChannelOf, type Listening } from "../channel_events.ts";
import { type StepModel, tagOf } from "../model.ts";
import {
  type Ending,
  isConnectionError,
  type JudgedCase,
  type Limit,
  type Span,
} from "./judged_case.ts";

/** Returns how the case has failed if it could not listen to the channels of its steps. */
export function listen(judged: JudgedCase, limit: Limit): CaseStatus | undefined {
  if (judged.isScript) return undefined;
  const { steps, always } = judged.recipe;
  const all = [...steps, ...always].flatMap((step) =>
    step.action.do === "use" ? [] : [step, ...step.inner]
  );
  const needed = all.flatMap(({ action }) =>
    action.do === "events" ? [earlyChannelOf(action)] : []
  );
  const moments = [...judged.evidence.steps.values()].flatMap(({ attempts, finished }) => [
    ...attempts.map(({ start }) => start),
    ...finished,
  ]);
  const first = moments.reduce((one, other) => one.order < other.order ? one : other);
  const asked = judged.evidence.listenings.filter(({ order }) => order < first.order);
  for (const channel of needed) {
    if (asked.some((one) => covers(one.channel, channel))) continue;
    judged.problems.push(`it does not listen to ${channel}`);
  }
  const failed = asked.find((one) => one.failed && one.failed.order < first.order);
  const isOpen = asked.some(({ confirmed }) => !confirmed || confirmed.order > first.order);
  if (!failed && !isOpen) return undefined;
  const { interrupted } = judged.evidence;
  const or: CaseStatus[] = [];
  if (failed) or.push(isConnectionError(failed.failed!.error) ? "errored" : "failed");
  if (interrupted && interrupted.order < first.order) or.push("interrupted");
  if (limit.at <= first.at) or.push("failed");
  if (or.length === 0) judged.problems.push("it gave up listening, although nothing has ended it");
  const reported = judged.evidence.ended?.event.status;
  return or.find((status) => status === reported) ?? or[0] ?? "failed";
}

/** Returns how a wait for events of a channel has ended, from what the client has delivered. */
export function events(judged: JudgedCase, step: StepModel, span: Span): Ending {
  const { action, target } = step;
  if (action.do !== "events") throw new TypeError("not a wait for events");
  judged.checks++;
  const id = target && judged.idsOf(target)[0];
  const channel = channelOf(action, id);
  const logs = judged.evidence.listenings.filter((one) =>
    covers(one.channel, channel) && one.order < span.end.order &&
    !(one.failed && one.failed.order < span.start.order)
  );
  if (logs.length === 0) judged.problems.push(`${tagOf(step)} does not listen to ${channel}`);
  const endings = logs.map((log) => eventsIn(judged, log, step, span, id));
  const { detail, status } = judged.reported(tagOf(step)).finished[0]!.event;
  if (status === "passed" && !endings.some((one) => one.detail === detail)) {
    judged.problems.push(`${tagOf(step)} has seen ${detail}, not ${endings[0]?.detail}`);
  }
  const [first, ...rest] = endings;
  if (!first) return { status: "failed" };
  return {
    ...first,
    or: [...first.or ?? [], ...rest.flatMap((one) => [one.status, ...one.or ?? []])],
  };
}

function eventsIn(
  judged: JudgedCase,
  { confirmed, failed, deliveries }: Listening,
  step: StepModel,
  span: Span,
  id: string | undefined,
): Ending & { detail?: string } {
  const { start, end, limit } = span;
  const { action } = step;
  if (action.do !== "events") throw new TypeError("not a wait for events");
  const isLate = limit.at <= end.at;
  if (failed && failed.order < end.order) {
    if (limit.at < end.at) return { status: "failed" };
    const status = isConnectionError(failed.error) ? "errored" : "failed";
    return { status, or: isLate ? ["failed"] : [] };
  }
  if (!confirmed || confirmed.order > end.order) return judged.stop(step, span);
  const matching = deliveries.filter(({ order, event }) =>
    order < end.order && counts(action, id, event)
  );
  const last = matching[(action.count ?? 1) - 1];
  const { statuses } = judged.evidence;
  const said = statuses.findLast(({ order }) => order > start.order && order < end.order);
  const lateEnding: StepStatus = said && !said.isConnected ? "errored" : "failed";
  if (!last) {
    if (!isLate || judged.isStopped(step, end, limit)) return judged.stop(step, span);
    return { status: lateEnding };
  }
  const reached = Math.max(start.at, last.at, confirmed.at);
  if (reached < end.at) {
    judged.problems.push(`${tagOf(step)} ended ${end.at - reached} ms after its last event`);
  }
  const detail = matching.slice(0, action.count ?? 1).map(({ event }) => event.type).slice(0, 3)
    .join(", ");
  const stopped = judged.isStopped(step, end, limit) ? "interrupted" : lateEnding;
  const isTie = isLate || stopped === "interrupted";
  return { status: "passed", detail, or: isTie ? [stopped, lateEnding] : [] };
}
