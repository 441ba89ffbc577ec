import type { CaseStatus, StepStatus } from "../../../../runner/mod.ts";
import type { Attempt, CaseAttempt } from "../evidence.ts";
import {
  type CaseModel,
  hasInner,
  isCaught,
  isWrite,
  keyOf,
  type StepModel,
  tagOf,
} from "../model.ts";
import { type Action, NO_VALUE, type RunPlan } from "../plan.ts";
import { LEVEL, usedPrefix } from "../recipe_text.ts";
import { events, listen } from "./channel_waits.ts";
import { type Allowed, type Ending, JudgedCase, type Limit, type Span } from "./judged_case.ts";
import { endLocally } from "./local_steps.ts";
import { request } from "./requests.ts";
import { beginTogether, compareItems, compareTogether } from "./side_by_side.ts";
import { compareReport } from "./step_report.ts";
import { wait } from "./waits.ts";

/** How long the steps of a recipe, and those of `always`, may take by default. */
const [STEPS_TIME, ALWAYS_TIME] = [300_000, 10_000];
/** The longest pause between two attempts of a step. */
const LONGEST_PAUSE = 60_000;

/** What the interpreter says about an attempt of a case. */
export interface Judgement {
  /** What the report says otherwise. */
  readonly problems: string[];
  readonly status: CaseStatus;
  readonly flaky: boolean;
  /** The attempts that each write was allowed, by its tag. */
  readonly writes: ReadonlyMap<string, Allowed>;
}

/**
 * Computes how each step of a recipe and its case must have ended. It follows the model of the
 * recipe, given the client's answers to the runner. It shares no code with the runner.
 */
export class Interpreter {
  readonly #case: JudgedCase;
  #status: CaseStatus | undefined;
  /** The time of all its steps. */
  #whole: Limit = { at: Infinity };
  /** The time of `always`, also of the recipes that it uses. */
  #cleanUp: Limit = { at: Infinity };
  /** When the time that all `always` share began, which a used recipe can have started. */
  #cleanUpBegan: number | undefined;
  #hasRetried = false;

  constructor(run: RunPlan, model: CaseModel, evidence: CaseAttempt) {
    this.#case = new JudgedCase(run, model, evidence);
  }

  /** Follows the recipe to its end. */
  judge(): Judgement {
    const judged = this.#case;
    const { problems, writes, isScript } = judged;
    const { began, stepsEnded } = judged.evidence;
    const { steps, always } = judged.recipe;
    const limit = this.#whole = { at: began.at + this.#time };
    this.#status = listen(judged, limit);
    let hasStopped = this.#status !== undefined;
    for (const step of steps) {
      const isLeftOut = !isScript && step.number === `${judged.run.left}`;
      if (hasStopped || isLeftOut) {
        this.#notReached(step);
        continue;
      }
      const failure = this.#step(step, limit);
      this.#fail(failure);
      if (failure !== undefined && !(isScript && isCaught(step))) hasStopped = true;
    }
    // A function that is interrupted between two steps starts no other one.
    if (isScript) this.#status ??= this.#endOfFunction(limit);
    const cleanUp = this.#cleanUp = { at: (this.#cleanUpBegan ?? stepsEnded.at) + ALWAYS_TIME };
    for (const step of always) this.#fail(this.#step(step, cleanUp));
    for (const key of judged.evidence.steps.keys()) {
      const { length } = judged.reported(key).finished;
      const seen = judged.seen.get(key);
      if (seen === undefined) problems.push(`${key} was reported, but is not to run`);
      else if (seen < length) problems.push(`${key} was reported ${length} times, not ${seen}`);
    }
    const status = this.#status ?? (judged.checks === 0 ? "unchecked" : "passed");
    return { problems, status, flaky: status === "passed" && this.#hasRetried, writes };
  }

  /** How long the steps may take. */
  get #time(): number {
    const { limit = STEPS_TIME } = this.#case.run;
    return Math.min(limit, this.#case.recipe.plan.timeout ?? STEPS_TIME);
  }

  #fail(status: StepStatus | undefined): void {
    if (status !== undefined && status !== "skipped") this.#status ??= status as CaseStatus;
  }

  #notReached(step: StepModel): void {
    // Steps of a script are not known before they run.
    if (!this.#case.isScript) this.#skip(step);
  }

  #skip(step: StepModel): void {
    const key = tagOf(step);
    compareReport(this.#case, key, this.#case.take(key), { status: "skipped" }, 0);
  }

  #endOfFunction(limit: Limit): CaseStatus | undefined {
    const { interrupted, stepsEnded, ended } = this.#case.evidence;
    const reported = ended?.event.status;
    if (interrupted && interrupted.at <= stepsEnded.at && reported === "interrupted") {
      return "interrupted";
    }
    return limit.at <= stepsEnded.at && reported === "failed" ? "failed" : undefined;
  }

  /** Returns how a step has failed, unless it passed or is soft. */
  #step(step: StepModel, limit: Limit): StepStatus | undefined {
    const { items } = step;
    if (this.#case.isScript) {
      if (step.action.do === "log") return undefined;
      if (step.action.do === "throw") return this.#throw(step, limit);
      if (step.action.do === "parallel") return this.#together(step, limit);
    }
    if (items === undefined) return this.#once(step, limit);
    let failure: StepStatus | undefined;
    this.#case.created.set(step, new Map());
    const { condition } = step;
    if (condition && condition.state !== NO_VALUE && !this.#case.hasResult(condition.step)) {
      this.#case.created.delete(step);
      this.#skip(step);
      return undefined;
    }
    if (items === 0) this.#skip(step);
    if (step.side > 1) return this.#sideBySide(step, items, limit);
    for (let item = 0; item < items && failure === undefined; item++) {
      failure = this.#once(step, limit, item);
    }
    return failure;
  }

  /** Returns how an error that a script throws itself makes it fail. */
  #throw(step: StepModel, limit: Limit): StepStatus | undefined {
    if (step.phase === "always") return "failed";
    if (isCaught(step)) return undefined;
    return this.#endOfFunction(limit) as StepStatus | undefined ?? "failed";
  }

  /** Returns how the first of some steps of a script has failed, which stops the others. */
  #together(step: StepModel, limit: Limit): StepStatus | undefined {
    const { first, began } = compareTogether(this.#case, step);
    if (began) beginTogether(this.#case, step, began);
    const statuses = new Map(step.inner.map((one) => [
      one,
      this.#step(one, { ...limit, stop: one === first?.one ? undefined : first?.finish }),
    ]));
    return first && statuses.get(first.one);
  }

  /** Returns how a step has failed that runs for some of its items at a time. */
  #sideBySide(step: StepModel, items: number, limit: Limit): StepStatus | undefined {
    const { ran, first } = compareItems(this.#case, step, items);
    const results = new Map(ran.map((item) => [
      item,
      this.#once(step, { ...limit, stop: item === first?.item ? undefined : first?.finish }, item),
    ]));
    return first && results.get(first.item);
  }

  #once(step: StepModel, outer: Limit, item?: number): StepStatus | undefined {
    const key = keyOf(step, item);
    const { retry } = step;
    const judged = this.#case;
    if (judged.isScript) {
      // Only functions of `t.always` look at conditions; steps look at what they are about.
      const needed = step.phase === "always" ? step.condition?.step ?? step.target : step.target;
      const isHandled = !needed || judged.hasResult(needed);
      if (!isHandled || this.#mayNotBegin(step, key, outer)) return undefined;
    }
    const evidence = judged.take(key);
    const isStopped = judged.over(
      step,
      outer,
      evidence.attempts[0]?.start ?? evidence.finished[0],
    );
    const condition = judged.isScript ? undefined : step.condition;
    if (condition?.state === NO_VALUE && isStopped !== "yes" && evidence.attempts.length === 0) {
      return compareReport(judged, key, evidence, { status: "failed" }, 0, step, outer);
    }
    const isMet = condition?.state === NO_VALUE || judged.isMet(condition);
    if (condition?.state === NO_VALUE && isStopped === "no") {
      judged.problems.push(`${key} ran, although its condition has no value`);
    }
    if (!isMet && !(judged.hasResult(condition!.step) && isStopped !== "no")) {
      return compareReport(judged, key, evidence, { status: "skipped" }, 0);
    }
    // When time is over at the same moment, the condition may have been looked at or not.
    if (!isMet && evidence.finished[0]?.event.status === "skipped" && isStopped === "maybe") {
      return compareReport(judged, key, evidence, { status: "skipped" }, 0);
    }
    const conclude = (ending: Ending, made: number) =>
      compareReport(judged, key, evidence, ending, made, step, outer);
    const most = retry?.attempts ?? 1;
    for (let number = 1;; number++) {
      const attempt = evidence.attempts[number - 1];
      if (!attempt?.end) {
        judged.problems.push(`${key} did not make attempt ${number}`);
        return compareReport(judged, key, evidence, { status: "failed" }, number);
      }
      const ending = this.#attempt(step, attempt, outer, item);
      const { start, end } = attempt;
      if (start.number !== number || (end.number ?? number) !== number) {
        judged.problems.push(
          `${key} says that attempt ${number} is ${start.number}, ${end.number}`,
        );
      }
      if (ending.status === "passed" && !(end.isRetried && ending.or)) {
        if (number > 1) this.#hasRetried = true;
        return conclude(ending, number);
      }
      const isOver = judged.over(step, outer, end);
      const isPickedOut = retry?.isPicky === true && ending.kind !== "connection";
      const mayRepeat = !isWrite(step) && !hasInner(step) || retry?.repeats ||
        ending.isRepeatable;
      const isWanted = number < most && mayRepeat && ending.status !== "interrupted" &&
        !isPickedOut &&
        isOver !== "yes";
      if (!isWanted && end.isRetried) judged.problems.push(`${key} was retried after ${number}`);
      if (!isWanted || isOver === "maybe" && !end.isRetried) return conclude(ending, number);
      if (!end.isRetried) {
        judged.problems.push(`${key} did not retry after attempt ${number}`);
        return conclude(ending, number);
      }
      const next = evidence.attempts[number];
      if (next) {
        const pause = Math.min(retry!.backoff * 2 ** (number - 1), LONGEST_PAUSE);
        const paused = next.start.at - end.at;
        if (paused !== pause) judged.problems.push(`${key} paused for ${paused} ms, not ${pause}`);
        continue;
      }
      const finish = evidence.finished[0];
      if (!finish || judged.over(step, outer, finish) === "no") {
        judged.problems.push(`${key} did not make attempt ${number + 1}`);
        return conclude(ending, number);
      }
      // The pause between two attempts was ended.
      const after: Ending = judged.isStopped(step, finish, outer)
        ? { status: "interrupted", or: outer.at <= finish.at ? [ending.status] : [] }
        : ending;
      return conclude(after, number);
    }
  }

  /** Whether a script did not begin a step, because it was stopped at that very moment. */
  #mayNotBegin({ phase }: StepModel, key: string, limit: Limit): boolean {
    const { interrupted, steps, stepsEnded, ended } = this.#case.evidence;
    if (steps.has(key)) return false;
    if (phase === "always") return limit.at <= ended!.at;
    return limit.at <= stepsEnded.at || (interrupted?.at ?? Infinity) <= stepsEnded.at;
  }

  /** Returns how one attempt must have ended. */
  #attempt(step: StepModel, { start, end }: Attempt, outer: Limit, item?: number): Ending {
    const limit = { ...outer, at: Math.min(outer.at, start.at + (step.within ?? Infinity)) };
    if (step.action.do === "advance" && end!.at > start.at) {
      // What it skips does not count for any limit.
      outer.at += step.action.ms;
      limit.at += step.action.ms;
    }
    const inner = () => this.#perform(step, { start, end: end!, limit }, item);
    // A recipe that it uses cleans up first.
    const late = end!.at - Math.max(start.at, limit.at);
    if (late > 1 && !hasInner(step)) {
      this.#case.problems.push(`${tagOf(step)} ended ${late} ms after its time`);
    }
    const isOver = this.#case.over(step, limit, start);
    if (isOver === "no") return inner();
    const stopped: Ending = this.#case.isStopped(step, start, limit)
      ? { status: "interrupted", or: limit.at <= start.at ? ["failed"] : [] }
      : { status: "failed" };
    if (isOver === "yes") return stopped;
    // It was stopped before it began, or it began and perhaps made its request.
    const problems = this.#case.problems.length;
    const { status, ...rest } = inner();
    if (this.#case.problems.splice(problems).length > 0) return stopped;
    return { ...rest, status, or: [...rest.or ?? [], stopped.status] };
  }

  #perform(step: StepModel, span: Span, item?: number): Ending {
    switch (step.action.do) {
      case "parallel":
      case "use":
        return this.#around(step, span);
      case "events":
        return this.#expects(step, events(this.#case, step, span));
      case "wait":
        return this.#expects(step, wait(this.#case, step, span));
      default:
        return endLocally(this.#case, step, span) ?? request(this.#case, step, span, item);
    }
  }

  /** Adds the `expect` of a step that has passed without it. */
  #expects({ expects }: StepModel, ending: Ending): Ending {
    if (ending.status !== "passed" || expects === undefined) return ending;
    this.#case.checks++;
    return expects ? ending : { ...ending, status: "failed" };
  }

  /** Returns how an attempt of a step has ended that has other steps inside. */
  #around(step: StepModel, span: Span): Ending {
    const judged = this.#case;
    const { around, hasWritten } = judged;
    judged.around = { ...span, repeats: step.retry?.repeats ?? false, outer: around };
    judged.hasWritten = false;
    const { status, failed } = step.action.do === "use"
      ? this.#use(step, span)
      : this.#parallel(step, span);
    const ending: Ending = {
      status,
      isRepeatable: !judged.hasWritten,
      kind: failed && judged.isConnectionFailure(failed) ? "connection" : undefined,
    };
    judged.around = around;
    judged.hasWritten ||= hasWritten;
    return this.#expects(step, ending);
  }

  #parallel(step: StepModel, { start, limit }: Span): Inner {
    beginTogether(this.#case, step, start);
    const failures = step.inner.map((one) => ({ one, status: this.#step(one, limit) }));
    const first = failures.find(({ status }) => status !== undefined);
    return { status: first?.status ?? "passed", failed: first?.one };
  }

  /** Returns how another recipe has ended. Its own time is never shorter than what is left. */
  #use(step: StepModel, { start, limit }: Span): Inner {
    for (const one of [...step.inner, ...step.cleanUp]) {
      for (const inner of [one, ...one.inner]) this.#case.forget(inner);
    }
    let failed: StepModel | undefined;
    let failure: StepStatus | undefined;
    let ended = start;
    const judged = this.#case;
    const outer = judged.variable;
    judged.variable = "none";
    const { level = LEVEL } = step.action as Extract<Action, { do: "use" }>;
    judged.used = { level, prefix: usedPrefix(step) };
    const ends = (one: StepModel) => {
      // Another recipe that is used can have a step of the same number.
      const finished = [...judged.evidence.steps.keys()].filter((key) => isPartOf(key, one))
        .flatMap((key) => judged.reported(key).finished);
      ended = finished.toSorted((a, b) => a.order - b.order).at(-1) ?? ended;
    };
    for (const one of step.inner) {
      if (failure !== undefined) this.#notReached(one);
      else if ((failure = this.#step(one, limit)) !== undefined) failed = one;
      ends(one);
    }
    // The recipe around it shares the time of its `always` once it was stopped.
    const isShared = !step.isCleanUp && judged.over(step, this.#whole, ended) !== "no";
    if (isShared) this.#cleanUpBegan ??= ended.at;
    const own = { at: (isShared ? this.#cleanUpBegan! : ended.at) + ALWAYS_TIME };
    const cleanUp = step.isCleanUp ? this.#cleanUp : own;
    for (const one of step.cleanUp) {
      const status = this.#step(one, cleanUp);
      if (status !== undefined) failed ??= one;
      failure ??= status;
    }
    const state = judged.variable;
    judged.variable = outer;
    judged.used = undefined;
    // An output without a value fails the step, although the recipe has passed.
    if (failure === undefined && step.given && !judged.hasResult(step.given)) failure = "failed";
    if (failure === undefined) {
      judged.outputs.set(step, { level, state });
      judged.created.set(step, new Map());
    }
    return { status: failure ?? "passed", failed };
  }
}

/** How the steps inside a step have ended, and the one that decided that. */
interface Inner {
  status: StepStatus;
  failed: StepModel | undefined;
}

/** Whether a key names a step, or one of its items. */
function isPartOf(key: string, step: StepModel): boolean {
  return key.replace(/\[\d+\]$/, "") === tagOf(step);
}
