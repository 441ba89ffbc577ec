import type { StepStatus } from "../../../../runner/mod.ts";
import type { StepEvidence } from "../evidence.ts";
import type { StepModel } from "../model.ts";
import { SECRETS } from "../plan.ts";
import { loggedText } from "../recipe_text.ts";
import type { Ending, JudgedCase, Limit } from "./judged_case.ts";

/** The kinds of steps that are called otherwise in recipes. */
const KINDS: Readonly<Record<string, string>> = {
  events: "wait",
  compare: "assert",
  list: "assert",
  recall: "assert",
  output: "assert",
  mark: "assert",
  ask: "call",
};

/** The kinds of failures, by the statuses of the steps that have them. */
const FAILURES: Readonly<Record<string, readonly string[]>> = {
  failed: ["assertion", "wait", "deadline", "evaluation"],
  errored: ["connection", "server"],
  interrupted: ["interrupted"],
};

/** Compares the names in a report with those of its step. */
function compareNames(
  judged: JudgedCase,
  key: string,
  event: StepEvidence["finished"][number]["event"],
  { action, id, isUsed }: StepModel,
): void {
  const { status, kind, failure, detail, place } = event;
  const wanted = KINDS[action.do] ?? action.do;
  if (kind !== wanted) judged.problems.push(`${key} is said to be ${kind}, not ${wanted}`);
  if (failure && !FAILURES[status]?.includes(failure.kind)) {
    judged.problems.push(`${key} is ${status} because of ${failure.kind}`);
  }
  const made = judged.made.get(key);
  if (status === "passed" && made !== undefined && ["enqueue", "start", "publish"].includes(kind)) {
    if (detail !== made) judged.problems.push(`${key} says ${detail}, not ${made}`);
  }
  if (judged.isScript) return;
  if (event.id !== id) judged.problems.push(`${key} has the id ${event.id}, not ${id}`);
  const isOwn = place.file === judged.recipe.file;
  const isThere = [`${kind}:`, ...kind === "assert" ? ["expect:", "name:"] : []].some((text) =>
    place.text.includes(text)
  );
  if (isOwn === isUsed || !isThere) {
    judged.problems.push(`${key} is at ${place.file}:${place.line}: ${place.text}`);
  }
}

/**
 * Compares what was reported about a step with how it must have ended. Returns how it has failed, unless
 * it passed or is soft.
 */
export function compareReport(
  judged: JudgedCase,
  key: string,
  { attempts, logs, finished }: StepEvidence,
  { status, or = [] }: Ending,
  made: number,
  step?: StepModel,
  outer?: Limit,
): StepStatus | undefined {
  const [finish] = finished;
  if (!finish || finished.length > 1) {
    judged.problems.push(`${key} was reported ${finished.length} times`);
    return status;
  }
  const { event } = finish;
  const isRight = event.status === status || or.includes(event.status);
  if (!isRight) judged.problems.push(`${key} is ${event.status}, not ${[status, ...or]}`);
  if (attempts.length !== made) {
    judged.problems.push(`${key} made ${attempts.length} attempts, not ${made}`);
  }
  if (step && event.status !== "skipped") compareNames(judged, key, event, step);
  const took = attempts[0] ? finish.at - attempts[0].start.at : 0;
  if (Math.abs(event.duration_ms - took) > 1) {
    judged.problems.push(`${key} took ${took} ms, not ${event.duration_ms}`);
  }
  // A condition without a value fails the step before its first attempt.
  const told = status === "failed" ? Math.max(1, made) : made;
  if (event.attempts !== told) judged.problems.push(`${key} reports ${event.attempts} attempts`);
  if (event.status === "passed" && step?.action.do === "log" && !judged.isScript) {
    const line = loggedText(judged.variable);
    if (logs.length !== made || logs.some(({ text }) => text !== line)) {
      const texts = logs.map(({ text }) => text);
      judged.problems.push(`${key} has logged ${JSON.stringify(texts)}, not ${line}`);
    }
  }
  // Its `expect` comes after that.
  const isDone = event.status === "passed" || event.failure?.kind === "assertion" ||
    attempts.some(({ end }) => end?.why === "assertion");
  if (isDone && step?.action.do === "set") {
    const secret = SECRETS[judged.run.secrets[0]];
    judged.variable = step.action.tells ? `<${secret}>` : judged.states.get(step.target!);
  }
  if (event.status === "passed" || event.status === "skipped" || !step) return undefined;
  // The time of a step that was interrupted has ended then.
  const { interrupted } = judged.evidence;
  const end = judged.isInterrupted(step, finish) ? interrupted : finish;
  const isLate = judged.over({ ...step, phase: "always" }, { at: outer!.at }, end);
  const isSoft = isLate === "maybe" ? event.soft : step.soft && isLate === "no";
  if (event.soft !== isSoft) judged.problems.push(`${key} is soft: ${event.soft}`);
  return isSoft && event.status !== "interrupted" ? undefined : event.status;
}
