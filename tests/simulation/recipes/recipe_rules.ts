import { isDeepStrictEqual } from "node:util";
import type { CaseStatus, RunCounts } from "../../../runner/mod.ts";
import type { CaseAttempt, CaseEvidence, Evidence } from "./evidence.ts";
import type { Judgement } from "./interpreter/interpreter.ts";
import type { Allowed } from "./interpreter/judged_case.ts";
import type { CaseModel, RunModel, StepModel } from "./model.ts";
import type { World } from "../../../testing/mod.ts";
import type { Signal } from "../model.ts";
import type { RunPlan } from "./plan.ts";
import { VARS } from "./assertions.ts";
import { HIDDEN, quarantineOf } from "./recipe_text.ts";
import { casesEndSoon } from "./rules_of_ends.ts";
import { leftoversAreTold, looseStepsAreTold } from "./rules_of_warnings.ts";

/** Everything that the rules look at. */
export interface RunEvidence {
  readonly world: World;
  readonly model: RunModel;
  readonly plan: RunPlan;
  readonly evidence: Evidence;
  /** When the world began, in milliseconds since 1970. */
  readonly worldBegan: number;
  /** What the interpreter says about each attempt of a case. */
  readonly judgements: ReadonlyMap<CaseAttempt, Judgement>;
  /** The events that were published for workflows. */
  readonly signals: readonly Signal[];
  /** How many requests with each tag arrived at the nodes. */
  readonly received: ReadonlyMap<string, number>;
  readonly exitCode: number;
  /** Whether anything disturbed the network or the nodes. */
  readonly isDisturbed: boolean;
}

type Rule = (evidence: RunEvidence) => Iterable<string>;

/** How a case that was started has ended. */
interface Outcome {
  model: CaseModel;
  status: CaseStatus;
  flaky: boolean;
  isQuarantined: boolean;
  /** Whether its failure does not fail the run. */
  isExcused: boolean;
}

/** Returns how each case that was started must have ended. */
function outcomesOf(about: RunEvidence): Map<CaseEvidence, Outcome> {
  const { evidence, model, judgements, worldBegan } = about;
  const began = Date.parse(evidence.began!.event.ts);
  return new Map(evidence.cases.flatMap((one, index) => {
    const last = one.attempts.at(-1);
    if (!last) return [];
    const { status, flaky } = judgements.get(last)!;
    const { quarantine } = model.cases[index]!.recipe.plan;
    const isQuarantined = quarantine !== undefined && worldBegan + quarantine > began;
    return [[one, {
      model: model.cases[index]!,
      status,
      flaky: flaky || status === "passed" && one.attempts.length > 1,
      isQuarantined,
      isExcused: isQuarantined && (status === "failed" || status === "errored"),
    }]];
  }));
}

/** The outcome of each attempt and case is the interpreter's. */
function* verdictIsRight(about: RunEvidence): Iterable<string> {
  for (const [{ began, ended, stepsEnded }, judgement] of about.judgements) {
    yield* judgement.problems.map((problem) => `1: ${problem}`);
    if (!ended || !stepsEnded) {
      yield "1: an attempt has not ended";
      continue;
    }
    const { status, failure, duration_ms, type } = ended.event;
    const took = ended.at - began.at;
    // That of a case which has ended includes its other attempts.
    if (type === "case.retried" && Math.abs(duration_ms - took) > 1) {
      yield `1: an attempt took ${took} ms, not ${duration_ms}`;
    }
    if (status !== judgement.status) yield `1: it ${status}, not ${judgement.status}`;
    if ((failure === undefined) !== (status === "passed" || status === "unchecked")) {
      yield `1: it ${status}, and its failure is ${JSON.stringify(failure)}`;
    }
  }
  for (const [one, outcome] of outcomesOf(about)) {
    const { attempts, ended } = one;
    if (ended?.event.type !== "case.finished") continue;
    const { event } = ended;
    if (event.flaky !== outcome.flaky) yield `1: flaky is ${event.flaky}`;
    const took = ended.at - attempts[0]!.began.at;
    if (Math.abs(event.duration_ms - took) > 1) {
      yield `1: a case took ${took} ms, not ${event.duration_ms}`;
    }
    if ((event.attempts ?? 1) !== attempts.length) yield `1: it says ${event.attempts} attempts`;
    const { isQuarantined, model } = outcome;
    const quarantine = isQuarantined ? quarantineOf(model.recipe, about.worldBegan) : undefined;
    if (JSON.stringify(event.quarantine) !== JSON.stringify(quarantine)) {
      yield `1: its quarantine is ${JSON.stringify(event.quarantine)}`;
    }
    const isOver = model.recipe.plan.quarantine !== undefined && !isQuarantined;
    const isWarned = one.warnings.some((text) => text.includes("its quarantine ended"));
    if (isWarned !== (isOver && outcome.status !== "passed")) {
      yield `1: it ${isWarned ? "warns" : "does not warn"} of a quarantine that is over`;
    }
  }
}

/** The failure of a case is that of the first step that failed. */
function* failuresAreFirst({ evidence, model }: RunEvidence): Iterable<string> {
  for (const [index, { attempts }] of evidence.cases.entries()) {
    // What a script throws can be another error than that of its step.
    if (model.cases[index]!.recipe.plan.isScript) continue;
    for (const { steps, ended } of attempts) {
      const finished = [...steps.values()].flatMap((one) => one.finished)
        .filter(({ event }) => /^\d+(\[\d+\])?$/.test(event.step))
        .toSorted((a, b) => a.order - b.order)
        .map(({ event }) => event);
      // Without its subscriptions it failed before its first step.
      const hasRun = finished.some(({ phase, status }) =>
        phase === "steps" && status !== "skipped"
      );
      const first = finished.find(({ status, soft }) =>
        status === "interrupted" || status !== "passed" && status !== "skipped" && !soft
      );
      const { failure } = ended!.event;
      if (!hasRun || !first) continue;
      if (!isDeepStrictEqual(first.failure, failure)) {
        yield `1: its failure is ${JSON.stringify(failure)}, not ${JSON.stringify(first.failure)}`;
      }
    }
  }
}

/** The exit code and the counts follow from the outcomes of the cases. */
function* runEndsRight(about: RunEvidence): Iterable<string> {
  const { evidence, plan, exitCode, model } = about;
  const { interrupted, began, ended, mistimed } = evidence;
  const took = ended!.at - began!.at;
  if (Math.abs(ended!.event.duration_ms - took) > 1) {
    yield `1: the run took ${took} ms, not ${ended!.event.duration_ms}`;
  }
  if (mistimed) yield `1: the time is wrong of ${JSON.stringify(mistimed)}`;
  const isInterrupted = interrupted !== undefined && interrupted.order < ended!.order;
  const outcomes = [...outcomesOf(about).values()];
  const has = (status: string) => outcomes.some((one) => one.status === status && !one.isExcused);
  const isFailedByFlaky = plan.failOnFlaky &&
    outcomes.some(({ flaky, isQuarantined }) => flaky && !isQuarantined);
  const codeOf = (isFailed: boolean) =>
    isInterrupted
      ? 130
      : isFailed
      ? 1
      : has("errored")
      ? 3
      : has("unchecked") || !outcomes.some((one) => one.status === "passed" || one.isExcused)
      ? 4
      : 0;
  const wanted = codeOf(has("failed") || isFailedByFlaky);
  if (exitCode !== wanted) yield `1: the exit code is ${exitCode}, not ${wanted}`;
  const { event } = ended!;
  if (event.exit_code !== exitCode) yield `1: the run says its exit code is ${event.exit_code}`;
  if (event.interrupted !== isInterrupted) yield `1: interrupted is ${event.interrupted}`;
  const isByFlaky = wanted !== codeOf(has("failed"));
  if ((event.failed_by === "flaky") !== isByFlaky) yield `1: failed_by is ${event.failed_by}`;
  const count = (status: string) =>
    outcomes.filter((one) => one.status === status && !one.isExcused).length;
  const notStarted = model.cases.length - outcomes.length;
  const excused = outcomes.filter((one) => one.isExcused).length;
  const counts: RunCounts = {
    passed: count("passed"),
    failed: count("failed"),
    errored: count("errored"),
    unchecked: count("unchecked"),
    interrupted: count("interrupted") + (isInterrupted ? notStarted : 0),
    skipped: isInterrupted ? 0 : notStarted,
    flaky: outcomes.filter(({ flaky }) => flaky).length,
    warnings: evidence.events.filter(({ type }) => type === "warning").length,
    ...(excused === 0 ? {} : { quarantined: excused }),
  };
  for (const [name, number] of Object.entries({ ...event.counts, ...counts })) {
    const said = event.counts[name as keyof RunCounts];
    if (said !== number) yield `1: it counts ${said} ${name}, not ${number}`;
  }
}

/** A case is run anew if it has not passed and may be; never more often than asked. */
function* casesAreRetried({ plan, evidence, judgements }: RunEvidence): Iterable<string> {
  const { interrupted } = evidence;
  for (const { attempts } of evidence.cases) {
    for (const [i, attempt] of attempts.entries()) {
      const { event, order, at } = attempt.ended!;
      const { status } = judgements.get(attempt)!;
      const number = i + 1;
      if ((attempt.began.event.attempt ?? 1) !== number) {
        yield `1: attempt ${number} says it is ${attempt.began.event.attempt}`;
      }
      const mayRetry = number <= plan.retries && (status === "failed" || status === "errored");
      const isLate = interrupted && interrupted.order < order;
      const isTie = interrupted?.at === at;
      const isRetried = event.type === "case.retried";
      if (isRetried && event.attempt !== number) {
        yield `1: attempt ${number} ends as ${event.attempt}`;
      }
      if (isRetried !== (attempts.length > number)) yield `1: attempt ${number} was not the last`;
      if (isRetried !== (mayRetry && !isLate) && !(mayRetry && isTie)) {
        yield `1: attempt ${number} ${status}, and was ${isRetried ? "" : "not "}retried`;
      }
    }
  }
}

/** Reports say what each case started with. */
function* beginningsAreTold({ evidence, model }: RunEvidence): Iterable<string> {
  for (const [index, { attempts }] of evidence.cases.entries()) {
    const { recipe, row, place, n } = model.cases[index]!;
    const wanted = {
      tags: [],
      vars: {
        ...(recipe.plan.isScript ? {} : { ...VARS, hidden: HIDDEN.shown }),
        ...(row === undefined ? {} : { row }),
      },
      matrix: place === undefined ? undefined : { place, ...(n === undefined ? {} : { n }) },
    };
    for (const { began: { event: { tags, vars, matrix } } } of attempts) {
      if (isDeepStrictEqual({ tags, vars, matrix }, wanted)) continue;
      yield `1: case ${index} starts with ${JSON.stringify({ tags, vars, matrix })}`;
    }
  }
}

/** Each case is started, unless an interruption or a failure forbids it; never too many at once. */
function* casesAreStarted(about: RunEvidence): Iterable<string> {
  const { plan: { parallel, bail }, model, evidence: { cases, interrupted } } = about;
  const outcomes = outcomesOf(about);
  const failed = cases.filter((one) => {
    const outcome = outcomes.get(one);
    return outcome && outcome.status !== "passed" && !outcome.isExcused;
  });
  for (const [index, { name, recipe }] of model.cases.entries()) {
    const one = cases[index];
    const event = one?.ended?.event;
    if (!event) yield `1: case ${index} was not reported`;
    else if (event.name !== name) yield `1: case ${index} is called ${event.name}, not ${name}`;
    else if (event.file !== recipe.file) yield `1: case ${index} is said to be of ${event.file}`;
    const { began } = one ?? {};
    if (!began) {
      const reason = interrupted ? "interrupted" : bail && failed.length > 0 ? "bail" : undefined;
      if (event?.type !== "case.skipped" || event.reason !== reason) {
        yield `1: case ${index} was not started: ${JSON.stringify(event)}`;
      }
      continue;
    }
    const isLate = (moment?: { order: number }) => moment && moment.order < began.order;
    if (isLate(interrupted)) yield `1: case ${index} was started after the interruption`;
    // A case may begin beside one that fails at the same time.
    const isBefore = ({ ended }: typeof failed[number]) =>
      isLate(ended) && (parallel === 1 || ended!.at < began.at);
    if (bail && failed.some(isBefore)) {
      yield `1: case ${index} was started after a failure`;
    }
    const beside = cases.filter((other) => isLate(other.began) && !isLate(other.ended)).length;
    if (beside >= parallel) yield `1: case ${index} was started beside ${beside} others`;
  }
}

/** What a report says was created is in the store, once; nothing was sent that must not be. */
function* writesHappenOnce(
  { world, evidence, judgements, signals, received }: RunEvidence,
): Iterable<string> {
  const { store } = world;
  const writes = new Map<string, Allowed>();
  for (
    const [tag, { attempts, most }] of [...judgements.values()].flatMap((it) => [...it.writes])
  ) {
    const before = writes.get(tag) ?? { attempts: 0, most: 0 };
    writes.set(tag, { attempts: before.attempts + attempts, most: before.most + most });
  }
  const stored = new Map<string, string[]>();
  const add = (value: unknown, id: string) => {
    const { tag } = Object(value);
    stored.set(tag, [...stored.get(tag) ?? [], id]);
  };
  for (const { payload, id } of store.jobs()) add(payload, id);
  for (const { input, id } of store.runs()) add(input, id);
  for (const { payload, id } of signals) add(payload, id);
  for (const [tag, ids] of stored) {
    const write = writes.get(tag);
    if (!write) yield `2: ${tag} happened, but is not to`;
    else if (ids.length > write.most) {
      yield `2: ${tag} happened ${ids.length} times`;
    }
  }
  for (const [tag, count] of received) {
    const { attempts = 0 } = writes.get(tag) ?? {};
    if (count > attempts) yield `2: ${tag} arrived ${count} times, in ${attempts} attempts`;
  }
  const known = new Set([...stored.values()].flat());
  for (const [, { finished }] of evidence.cases.flatMap(({ steps }) => steps)) {
    for (const { event } of finished) {
      const isCreated = ["enqueue", "start", "publish"].includes(event.kind);
      if (event.status !== "passed" || !isCreated || known.has(event.detail!)) continue;
      yield `2: step ${event.step} says ${event.detail} exists`;
    }
  }
}

/** How soon a wait ends whose job or run has completed, without the latency of the network. */
const PROMPT = 60;

/** A wait ends with what the store has, and not long after. */
function* waitsAreTrue({ evidence, isDisturbed, plan, world }: RunEvidence): Iterable<string> {
  const { at, event: { ts } } = evidence.began!;
  const beginning = Date.parse(ts) - at;
  // A wait may be for several jobs, and nodes do not share their events.
  const isPrompt = !isDisturbed && plan.nodes === 1;
  for (const [key, { attempts, finished }] of evidence.cases.flatMap(({ steps }) => steps)) {
    for (const { event, stored, at, order } of finished) {
      const last = event.observed?.states.at(-1)?.state;
      if (event.kind !== "wait" || stored === undefined || last === undefined) continue;
      const { kind, id } = event.observed!.entity!;
      const { completed_at } = (kind === "job" ? world.store.job(id) : world.store.run(id))!;
      const end = completed_at === undefined ? Infinity : Date.parse(completed_at) - beginning;
      const began = attempts.findLast(({ start }) => start.order < order)?.start.at;
      const late = at - Math.max(end, began ?? Infinity);
      if (isPrompt && event.status === "passed" && late > PROMPT + 8 * plan.latency[1]) {
        yield `3: ${key} ended ${late} ms after its ${kind}`;
      }
      for (const { state, at: seen } of event.observed!.states) {
        const moment = Date.parse(seen) - beginning;
        if (moment >= (began ?? 0) - 1 && moment <= at + 1) continue;
        yield `3: ${key} says it has seen ${state} at another time: ${seen}`;
      }
      const isFinal = ["completed", "failed", "cancelled"].includes(last);
      // A job that has ended can still be marked cancelled, and one that runs completes after that.
      const isOver = stored === "cancelled" || (last === "cancelled" && stored === "completed");
      if (isFinal && last !== stored && !isOver) {
        yield `3: ${key} saw ${last}, but it is ${stored}`;
      }
      if (event.status === "passed" && !isFinal && !isDisturbed && stored === "never") {
        yield `3: ${key} passed`;
      }
    }
  }
}

/** Each step of `always` ran in its turn, unless it is about a step that did not run. */
function* alwaysRan({ evidence, model }: RunEvidence): Iterable<string> {
  const isConditional = ({ condition }: StepModel) => condition !== undefined;
  for (const [index, { attempts }] of evidence.cases.entries()) {
    for (const { ended, stepsEnded, steps } of attempts) {
      // Functions of a script do not begin steps when their time is over.
      if (!ended || ended.at - stepsEnded.at >= 10_000) continue;
      let last = -1;
      for (const step of model.cases[index]!.recipe.always) {
        if (isConditional(step) || step.items === 0) continue;
        if (["log", "throw"].includes(step.action.do)) continue;
        const keys = [...steps].filter(([key, { attempts }]) =>
          key.replace(/\[\d+\]$/, "") === `always ${step.number}` && attempts.length > 0
        );
        if (keys.length === 0) yield `4: step ${step.number} of always did not run`;
        const order = keys[0]?.[1].attempts[0]?.start.order ?? last;
        if (order < last) yield `4: step ${step.number} of always ran before an earlier one`;
        last = order;
      }
    }
  }
}

export const RULES: readonly Rule[] = [
  verdictIsRight,
  failuresAreFirst,
  looseStepsAreTold,
  casesEndSoon,
  runEndsRight,
  casesAreRetried,
  beginningsAreTold,
  casesAreStarted,
  writesHappenOnce,
  waitsAreTrue,
  alwaysRan,
  leftoversAreTold,
];
