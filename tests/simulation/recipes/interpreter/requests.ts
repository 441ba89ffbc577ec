import { isDeepStrictEqual } from "node:util";
import type { Call } from "../evidence.ts";
import {
  isCreation,
  isWrite,
  jobNameOf,
  keyOf,
  payloadTag,
  type StepModel,
  WRITES,
} from "../model.ts";
import { SENT, SENT_FORMS } from "../assertions.ts";
import { PLACES } from "../recipe_text.ts";
import { type Ending, isConnectionError, type JudgedCase, type Span } from "./judged_case.ts";

/** The client's methods that steps call, by their kinds. */
const METHODS: Readonly<Record<string, string>> = { ...WRITES, ask: "call" };

/** Returns how a step that makes one request has ended. */
export function request(
  judged: JudgedCase,
  step: StepModel,
  span: Span,
  item?: number,
): Ending {
  const calls = callsOf(judged, step, span, item);
  const ending = endingOf(judged, step, span, calls, item);
  if (calls.length > 0 && isWrite(step) && !ending.isRepeatable) judged.hasWritten = true;
  return ending;
}

/** Returns the calls of the client that an attempt of a step has made. */
function callsOf(judged: JudgedCase, step: StepModel, span: Span, item?: number): Call[] {
  const { action, target } = step;
  const tag = judged.prefix + (judged.used?.prefix ?? "") + payloadTag(step, item);
  const id = target && judged.hasResult(target) ? judged.idsOf(target)[0] : undefined;
  return judged.callsBetween(span).filter((call) => {
    if (action.do in METHODS && call.method !== METHODS[action.do]) return false;
    if (isCreation(step)) return sentBy(call).tag === tag;
    if (action.do === "ask") return Object(call.args[1]).job_id === id;
    return target ? call.args[0] === id : call.method === "stats";
  });
}

function endingOf(
  judged: JudgedCase,
  step: StepModel,
  span: Span,
  calls: readonly Call[],
  item?: number,
): Ending {
  const { action, target } = step;
  const tag = judged.prefix + (judged.used?.prefix ?? "") + payloadTag(step, item);
  const creates = isCreation(step);
  // Nothing was sent.
  if (!creates && target && !judged.hasResult(target)) {
    return { status: "failed", isRepeatable: true };
  }
  // A value that cannot be sent fails the step before it has sent anything.
  if ("lacks" in action && action.lacks !== undefined) {
    if (calls.length > 0) judged.problems.push(`${tag} sent a value that it does not have`);
    return { status: "failed", isRepeatable: true };
  }
  if (creates) judged.allowWrite(tag, step.retry?.repeats ?? false);
  const most = action.do === "get" && target!.action.do === "start" ? 2 : 1;
  if (calls.length !== most) {
    judged.problems.push(`${tag} made ${calls.length} requests, not ${most}`);
  }
  for (const { method, args } of calls) {
    const { signal, timeout } = Object(args.at(-1));
    // The client's own timeout is for steps without one.
    if (signal instanceof AbortSignal && timeout === (step.within && 0)) continue;
    judged.problems.push(`${tag} called ${method} with the timeout ${timeout}`);
  }
  const { place = judged.used ? PLACES.used : PLACES.own } = judged.run;
  const values: Record<string, unknown> = {
    place,
    ...(judged.isScript ? {} : { state: judged.variable, ...SENT }),
    ...(judged.used ? { level: judged.used.level } : {}),
  };
  const unlike = creates && calls.find((call) => !isCallOf(call, step, item));
  if (unlike) judged.problems.push(`${tag} asked for ${JSON.stringify(unlike.args)}`);
  for (const [name, value] of creates ? Object.entries(values) : []) {
    const wrong = calls.find((call) => !isDeepStrictEqual(sentBy(call)[name], value));
    if (!wrong) continue;
    const [sent, wanted] = [sentBy(wrong)[name], value].map((it) => JSON.stringify(it));
    judged.problems.push(`${tag} sent ${name} ${sent}, not ${wanted}`);
  }
  for (const [name, form] of creates && !judged.isScript ? Object.entries(SENT_FORMS) : []) {
    for (const call of calls) {
      const text = JSON.stringify(sentBy(call)[name]);
      const isNew = name !== "id" || !judged.ids.has(text);
      if (name === "id") judged.ids.add(text);
      if (isNew && form.test(text)) continue;
      judged.problems.push(`${tag} sent ${name} ${text}${isNew ? "" : " again"}`);
    }
  }
  const failed = calls.find(({ settled }) => settled && "error" in settled);
  const open = calls.find(({ settled }) => !settled || settled.order > span.end.order);
  if (!failed && !open && calls.length > 0) {
    remember(judged, step, calls[0]!, item);
    const wants = action.do === "get" ? action.wants : undefined;
    if (step.expects === undefined && wants === undefined) return { status: "passed" };
    judged.checks++;
    const { state } = Object((calls[0]!.settled as { value: unknown }).value);
    const isRight = (step.expects ?? true) && (wants === undefined || state === wants);
    return { status: isRight ? "passed" : "failed" };
  }
  if (!failed) return judged.stop(step, span);
  return failedCall(judged, step, failed, span);
}

function remember(judged: JudgedCase, step: StepModel, { settled }: Call, item?: number): void {
  const { do: kind } = step.action;
  const { value, state } = settled as { value: unknown; state: string };
  const { job_id, run_id, event_id } = Object(value);
  if (kind === "publish") judged.made.set(keyOf(step, item), event_id);
  if (kind !== "enqueue" && kind !== "start") return;
  judged.made.set(keyOf(step, item), job_id ?? run_id);
  const created = judged.created.get(step) ?? new Map();
  judged.created.set(step, created.set(item, job_id ?? run_id));
  const items = judged.itemStates.get(step) ?? new Map();
  if (created.size === 0) items.clear();
  judged.itemStates.set(step, items.set(job_id ?? run_id, kind === "enqueue" ? "pending" : state));
  judged.states.set(step, kind === "enqueue" ? "pending" : state);
  if (step.marks) judged.marks.set(step, judged.states.get(step)!);
}

function failedCall(
  judged: JudgedCase,
  step: StepModel,
  { settled }: Call,
  { end, limit }: Span,
): Ending {
  const { error } = settled as { error: unknown };
  const { delivery, code } = Object(error);
  const isRepeatable = delivery === undefined ? typeof code === "number" : delivery !== "unknown";
  const isStop = limit.stop !== undefined && Object(error).kind === "interrupted";
  if (isStop || error === judged.evidence.interrupted?.reason) {
    return { status: "interrupted", or: limit.at <= end.at ? ["failed"] : [] };
  }
  if (limit.at < end.at) return { status: "failed", isRepeatable };
  const status = judged.statusOf(step, error);
  const kind = isConnectionError(error) ? "connection" as const : undefined;
  if (limit.at > end.at) return { status, isRepeatable, kind };
  return { status: "failed", isRepeatable, or: [status], kind };
}

/** Whether a call creates what a step says. */
function isCallOf({ args }: Call, step: StepModel, item?: number): boolean {
  const { action } = step;
  if (!("name" in action)) return true;
  if (action.do === "call") {
    const { job, name } = Object(args[1]);
    return action.event === undefined
      ? args[0] === "job.enqueue" && job === action.name
      : args[0] === "workflow.event" && name === action.event;
  }
  const { queue, priority } = Object(args[2]);
  if (action.do !== "enqueue") return args[0] === action.name;
  return args[0] === jobNameOf(step, item) && queue === action.queue &&
    priority === action.priority;
}

/** What a call sends with what it creates. */
function sentBy({ method, args }: Call): Record<string, unknown> {
  const data = Object(args[1]);
  return Object(method === "call" ? data.payload : data);
}
