import { isTerminal } from "../../../../protocol/mod.ts";
import type { Call, Moment } from "../evidence.ts";
import { type StepModel, tagOf } from "../model.ts";
import type { Action } from "../plan.ts";
import { ASKED_ERROR, ASKED_STEP } from "../recipe_text.ts";
import { SAYS, SECRETS } from "../plan.ts";
import { type Ending, isConnectionError, type JudgedCase, type Span } from "./judged_case.ts";

/** The most reads of a wait until its pauses are the longest, from its start or an event. */
const READS_AT_FIRST = 10;

/** The longest pause between two reads of a wait. */
const LONGEST_PAUSE = 1_000;

/** After this long without an answer a wait has lost its connection. */
const SILENCE = 3_000;

/** What waits look at of a job or run. */
interface Read {
  state: string;
  retry_count?: number;
  last_error?: string;
  error?: string;
}

type WaitAction = Extract<Action, { do: "wait" }>;

/** Returns how a wait has ended, and compares what it reports about the states it has seen. */
export function wait(judged: JudgedCase, step: StepModel, span: Span): Ending {
  const { action, target } = step;
  if (action.do !== "wait") throw new TypeError("not a wait");
  const seen: string[] = [];
  const checkpoints: unknown[] = [];
  const ending = waitFor(judged, step, action, { seen, checkpoints }, span);
  const { event } = judged.reported(tagOf(step)).finished[0] ?? {};
  if (!event?.observed || target!.items !== undefined) return ending;
  const hide = (text: unknown) => judged.hide(String(text));
  const states = event.observed.states.map(({ state }) => state);
  if (`${states}` !== `${seen}`) {
    judged.problems.push(`${tagOf(step)} says it has seen ${states}, not ${seen}`);
  }
  const steps = event.observed.timeline.map(({ step_name }) => step_name);
  if (`${steps}` !== `${checkpoints.map(hide)}`) {
    judged.problems.push(`${tagOf(step)} says it has seen ${steps}, not ${checkpoints}`);
  }
  const [last] = seen.slice(-1);
  const { untilStep } = action;
  const detail = untilStep === undefined
    ? last
    : `${last}, ${hide(checkpointOf(judged, untilStep))} reached`;
  if (event.status === "passed" && event.detail !== detail) {
    judged.problems.push(`${tagOf(step)} says ${event.detail}, not ${detail}`);
  }
  return ending;
}

/** Returns how a wait has ended, from the states that the runner has read. */
function waitFor(
  judged: JudgedCase,
  step: StepModel,
  action: WaitAction,
  { seen, checkpoints }: { seen: string[]; checkpoints: unknown[] },
  span: Span,
): Ending {
  const { target } = step;
  const ids = judged.hasResult(target!) ? judged.idsOf(target!) : undefined;
  if (ids?.length !== 0 || target!.items === undefined) judged.checks++;
  if (!ids) return { status: "failed" };
  const calls = judged.callsBetween(span);
  let lastAnswer: Moment | undefined;
  for (const id of ids) {
    lastAnswer = undefined;
    seen.length = 0;
    let isReached = false;
    const reads = calls.filter(({ args }) => args[0] === id);
    checkPauses(judged, step, reads, span);
    for (const [index, read] of reads.entries()) {
      if (read.method === "cancelJob" || read.method === "workflowTimeline") continue;
      const answers = read.method === "getJob" ? [read] : [read, reads[index + 1]];
      const failed = answers.find((one) => one?.settled && "error" in one.settled);
      if (failed) return failedRead(judged, step, failed, lastAnswer, span);
      const last = answers.at(-1);
      // The answer to the last question never came.
      if (!last?.settled || last.settled.order > span.end.order) break;
      lastAnswer = last.settled;
      for (const name of read.method === "getJob" ? [] : checkpointsOf(last)) {
        if (!checkpoints.includes(name)) checkpoints.push(name);
      }
      const { value } = read.settled as { value: Read };
      const { state } = value;
      if (target!.items === undefined && !action.isById) judged.states.set(target!, state);
      if (target!.items !== undefined) judged.itemStates.get(target!)?.set(id, state);
      if (seen.at(-1) !== state) seen.push(state);
      isReached = action.untilStep !== undefined
        ? checkpointsOf(last).includes(checkpointOf(judged, action.untilStep))
        : action.asks !== undefined
        ? isMet(value, last, action.asks)
        : (action.until ?? ["completed"]).includes(state);
      if (isReached) break;
      if (isTerminal(state) || action.failOn === state) return { status: "failed" };
    }
    if (!isReached) return unreached(judged, step, lastAnswer, span);
  }
  return { status: "passed" };
}

/** Checks that a wait has read at growing intervals, or because of an event. */
function checkPauses(
  judged: JudgedCase,
  step: StepModel,
  reads: readonly Call[],
  { start, end }: Span,
): void {
  const heard =
    judged.evidence.heard.filter(({ order }) => order > start.order && order < end.order).length;
  const most = READS_AT_FIRST * (heard + 1) + (end.at - start.at) / LONGEST_PAUSE;
  const count = reads.filter(({ method }) => method.startsWith("get")).length;
  if (count > most) judged.problems.push(`${tagOf(step)} made ${count} reads`);
  for (const [i, { settled }] of reads.entries()) {
    // After the last read for an item of a list come those for the next item.
    const next = reads[i + 1] ?? (step.target!.items === undefined ? end : undefined);
    const paused = (next?.at ?? 0) - (settled?.at ?? Infinity);
    if (paused <= LONGEST_PAUSE) continue;
    judged.problems.push(`${tagOf(step)} read nothing for ${paused} ms`);
  }
}

function failedRead(
  judged: JudgedCase,
  step: StepModel,
  { settled }: Call,
  lastAnswer: Moment | undefined,
  span: Span,
): Ending {
  const { end, limit } = span;
  const { error } = settled as { error: unknown };
  if (isConnectionError(error) && lastAnswer) return { status: "errored" };
  const isStop = limit.stop !== undefined && Object(error).kind === "interrupted";
  if (isStop || error === judged.evidence.interrupted?.reason) {
    return { status: "interrupted", or: limit.at <= end.at ? ["failed"] : [] };
  }
  if (limit.at > end.at) return { status: judged.statusOf(step, error) };
  const late = unreached(judged, step, lastAnswer, span);
  return limit.at < end.at ? late : { ...late, or: [judged.statusOf(step, error)] };
}

/** Returns how a wait has ended that did not read the state it waits for. */
function unreached(
  judged: JudgedCase,
  step: StepModel,
  lastAnswer: Moment | undefined,
  span: Span,
): Ending {
  const { end, limit } = span;
  if (limit.at > end.at || judged.isStopped(step, end, limit)) return judged.stop(step, span);
  return { status: lastAnswer && end.at - lastAnswer.at >= SILENCE ? "errored" : "failed" };
}

/** Whether a job or run, as it was read, meets a condition. */
function isMet(
  { retry_count = 0, last_error, error }: Read,
  last: Call,
  asks: "retries" | "error" | "steps",
): boolean {
  if (asks === "retries") return retry_count >= 1;
  if (asks === "steps") return checkpointsOf(last).includes(ASKED_STEP);
  return (last_error ?? error ?? "").includes(ASKED_ERROR);
}

/** The name of a checkpoint that a wait waits for. */
function checkpointOf({ run }: JudgedCase, untilStep: string): string {
  return untilStep === SAYS ? SAYS + SECRETS[run.secrets[1]] : untilStep;
}

/** The checkpoints that a run had when it was read. */
function checkpointsOf({ settled }: Call): unknown[] {
  return (settled as { value: { step_name: string }[] }).value.map(({ step_name }) => step_name);
}
