import type { Call } from "../evidence.ts";
import { type StepModel, tagOf, WRITES } from "../model.ts";
import type { Action } from "../plan.ts";
import { PLACES } from "../recipe_text.ts";
import { type Ending, isConnectionError, type JudgedCase, type Span } from "./judged_case.ts";

/** Returns how a step that makes one request has ended. */
export function request(
  judged: JudgedCase,
  step: StepModel,
  span: Span,
  item?: number,
): Ending {
  const { action, target } = step;
  const tag = judged.prefix + tagOf(step, item);
  const isCreation = action.do in WRITES && action.do !== "cancel";
  // Nothing was sent.
  if (!isCreation && target && !judged.hasResult(target)) {
    return { status: "failed", isRepeatable: true };
  }
  const id = target && judged.idsOf(target)[0];
  const calls = judged.callsBetween(span).filter((call) => {
    if (action.do in WRITES && call.method !== WRITES[action.do]) return false;
    if (isCreation) return sentBy(call).tag === tag;
    return target ? call.args[0] === id : call.method === "stats";
  });
  if (isCreation) {
    const attempts = (judged.writes.get(tag)?.attempts ?? 0) + 1;
    judged.writes.set(tag, { attempts, most: step.retry?.repeats ? attempts : 1 });
  }
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
    ...(judged.isScript ? {} : { state: judged.variable }),
    ...(judged.used ? { level: judged.used.level } : {}),
  };
  const unlike = isCreation && calls.find((call) => !isCallOf(call, action));
  if (unlike) judged.problems.push(`${tag} asked for ${JSON.stringify(unlike.args)}`);
  for (const [name, value] of isCreation ? Object.entries(values) : []) {
    const wrong = calls.find((call) => sentBy(call)[name] !== value);
    if (wrong) judged.problems.push(`${tag} sent ${name} ${sentBy(wrong)[name]}, not ${value}`);
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
  if (kind !== "enqueue" && kind !== "start") return;
  const { job_id, run_id, state } = (settled as { value: Record<string, string> }).value;
  const created = judged.created.get(step) ?? new Map();
  judged.created.set(step, created.set(item, (job_id ?? run_id)!));
  judged.states.set(step, kind === "enqueue" ? "pending" : state!);
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
function isCallOf({ method, args }: Call, action: Action): boolean {
  if (!("name" in action)) return true;
  if (method === "call") return args[0] === "job.enqueue" && Object(args[1]).job === action.name;
  const { queue, priority } = Object(args[2]);
  if (args[0] !== action.name || action.do !== "enqueue") return args[0] === action.name;
  return queue === action.queue && priority === action.priority;
}

/** What a call sends with what it creates. */
function sentBy({ method, args }: Call): Record<string, unknown> {
  const data = Object(args[1]);
  return Object(method === "call" ? data.payload : data);
}
