import { isTerminal } from "../../../protocol/mod.ts";
import type { CaseStatus, StepStatus } from "../../../runner/mod.ts";
import { channelOf, counts, covers, earlyChannelOf, type Listening } from "./channel_events.ts";
import type { Attempt, Call, CaseAttempt, Moment, StepEvidence } from "./evidence.ts";
import { type CaseModel, type RecipeModel, type StepModel, tagOf, WRITES } from "./model.ts";
import { type Action, type RunPlan, SECRETS } from "./plan.ts";
import { LEVEL, loggedText, PLACES } from "./recipe_text.ts";

/** How long the steps of a recipe, and those of `always`, may take by default. */
const [STEPS_TIME, ALWAYS_TIME] = [300_000, 10_000];
/** The longest pause between two attempts of a step. */
const LONGEST_PAUSE = 60_000;
/** After this long without an answer a wait has lost its connection. */
const SILENCE = 3_000;

type WaitAction = Extract<Action, { do: "wait" }>;

/** How a step ends, and in which other way it could have ended at the same moment. */
interface Ending {
  status: StepStatus;
  /** Whether the step may not have arrived at the server, so that it can be repeated. */
  isRepeatable?: boolean;
  /** Whether it failed because of the connection. */
  kind?: "connection" | undefined;
  /** Statuses that are as right, because two things happened at once. */
  or?: readonly StepStatus[];
}

/** The time that a step has. */
interface Limit {
  at: number;
  /** When it was stopped because an item beside it had failed. */
  stop?: Moment | undefined;
}

/** The attempts that a write was allowed, and how often it may have happened. */
export interface Allowed {
  attempts: number;
  most: number;
}

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
  readonly #run: RunPlan;
  readonly #model: RecipeModel;
  readonly #evidence: CaseAttempt;
  /** What its case calls its writes by, before their tags. */
  readonly #prefix: string;
  readonly #problems: string[] = [];
  readonly #writes = new Map<string, Allowed>();
  /** The last known state of what each step has created. */
  readonly #states = new Map<StepModel, string>();
  /** The ids of what each step has created, by the item. */
  readonly #created = new Map<StepModel, Map<number | undefined, string>>();
  readonly #seen = new Set<string>();
  #status: CaseStatus | undefined;
  #checks = 0;
  /** The variable of the recipe, or of the one that it uses at the moment. */
  #variable: string | undefined = "none";
  /** The time of all its steps. */
  #whole: Limit = { at: Infinity };
  /** The values of the recipe that it uses at the moment. */
  #used: { level: number } | undefined;
  /** The outputs of each recipe that was used, but for the state of what it has created. */
  readonly #outputs = new Map<StepModel, { level: number; state: string | undefined }>();
  /** The states that steps have added to their results. */
  readonly #marks = new Map<StepModel, string>();
  /** When the time that all `always` share began, which a used recipe can have started. */
  #cleanUpBegan: number | undefined;
  #hasRetried = false;

  constructor(run: RunPlan, { recipe, prefix }: CaseModel, evidence: CaseAttempt) {
    this.#prefix = prefix;
    this.#run = run;
    this.#model = recipe;
    this.#evidence = evidence;
  }

  /** Follows the recipe to its end. */
  judge(): Judgement {
    const { began, stepsEnded } = this.#evidence;
    const { steps, always } = this.#model;
    const limit = this.#whole = { at: began.at + this.#time };
    this.#status = this.#listen(limit);
    for (const step of steps) {
      const isLeftOut = !this.#isScript && step.number === `${this.#run.left}`;
      if (this.#status !== undefined || isLeftOut) this.#notReached(step);
      else this.#fail(this.#step(step, limit));
    }
    // A function that is interrupted between two steps starts no other one.
    if (this.#isScript) this.#status ??= this.#endOfFunction(limit);
    const cleanUp = { at: (this.#cleanUpBegan ?? stepsEnded.at) + ALWAYS_TIME };
    for (const step of always) this.#fail(this.#step(step, cleanUp));
    for (const key of this.#evidence.steps.keys()) {
      if (!this.#seen.has(key)) this.#problems.push(`${key} was reported, but is not to run`);
    }
    const status = this.#status ?? (this.#checks === 0 ? "unchecked" : "passed");
    return {
      problems: this.#problems,
      status,
      flaky: status === "passed" && this.#hasRetried,
      writes: this.#writes,
    };
  }

  get #isScript(): boolean {
    return this.#model.plan.isScript;
  }

  /** How long the steps may take. */
  get #time(): number {
    const { limit = STEPS_TIME } = this.#run;
    return Math.min(limit, this.#model.plan.timeout ?? STEPS_TIME);
  }

  #fail(status: StepStatus | undefined): void {
    if (status !== undefined && status !== "skipped") this.#status ??= status as CaseStatus;
  }

  #notReached(step: StepModel): void {
    // Steps of a script are not known before they run.
    if (this.#isScript) return;
    const evidence = this.#take(tagOf(step));
    this.#expect(tagOf(step), evidence, { status: "skipped" }, 0);
  }

  /** How the case has ended, as it was reported. */
  get #reported(): CaseStatus | undefined {
    return this.#evidence.ended?.event.status;
  }

  #endOfFunction(limit: Limit): CaseStatus | undefined {
    const { interrupted, stepsEnded } = this.#evidence;
    const reported = this.#reported;
    if (interrupted && interrupted.at <= stepsEnded.at && reported === "interrupted") {
      return "interrupted";
    }
    return limit.at <= stepsEnded.at && reported === "failed" ? "failed" : undefined;
  }

  /** Returns how a step has failed, unless it passed or is soft. */
  #step(step: StepModel, limit: Limit): StepStatus | undefined {
    const { items } = step;
    if (this.#isScript && step.action.do === "log") return undefined;
    if (items === undefined) return this.#once(step, limit);
    let failure: StepStatus | undefined;
    this.#created.set(step, new Map());
    if (step.condition && !this.#hasResult(step.condition.step)) {
      this.#created.delete(step);
      const key = tagOf(step);
      this.#expect(key, this.#take(key), { status: "skipped" }, 0);
      return undefined;
    }
    if (items === 0) {
      const key = tagOf(step);
      this.#expect(key, this.#take(key), { status: "skipped" }, 0);
    }
    if (step.side > 1) return this.#sideBySide(step, items, limit);
    for (let item = 0; item < items && failure === undefined; item++) {
      failure = this.#once(step, limit, item);
    }
    return failure;
  }

  /** Returns how a step has failed that runs for some of its items at a time. */
  #sideBySide(step: StepModel, items: number, limit: Limit): StepStatus | undefined {
    const key = tagOf(step);
    const all = Array.from(
      { length: items },
      (_, item) => this.#evidence.steps.get(`${key}[${item}]`),
    );
    const ran = all.flatMap((one, item) => {
      const [finish] = one?.finished ?? [];
      return one && finish ? [{ item, began: one.attempts[0]?.start ?? finish, finish }] : [];
    });
    const failures = ran.filter(({ finish: { event } }) =>
      event.status === "interrupted" ||
      event.status !== "passed" && event.status !== "skipped" && !event.soft
    );
    const first = failures.toSorted((a, b) => a.finish.order - b.finish.order)[0];
    for (const [index, { item, began }] of ran.entries()) {
      if (item !== index) this.#problems.push(`${key} left out item ${index}`);
      const beside = ran.filter((one) =>
        one.began.order < began.order && one.finish.order > began.order
      ).length;
      if (beside >= step.side) this.#problems.push(`${key}[${item}] ran beside ${beside} others`);
      if (index < step.side && began.at > ran[0]!.began.at && beside < index) {
        this.#problems.push(`${key}[${item}] was started late`);
      }
      if (first && first.finish.order < began.order && first.finish.at < began.at) {
        this.#problems.push(`${key}[${item}] was started after ${first.item} had failed`);
      }
    }
    if (ran.length < items && !first) this.#problems.push(`${key} ran for ${ran.length} items`);
    const results = new Map(ran.map(({ item }) => [
      item,
      this.#once(step, { ...limit, stop: item === first?.item ? undefined : first?.finish }, item),
    ]));
    return first && results.get(first.item);
  }

  #once(step: StepModel, outer: Limit, item?: number): StepStatus | undefined {
    const key = item === undefined ? tagOf(step) : `${tagOf(step)}[${item}]`;
    const { condition, retry } = step;
    if (this.#isScript) {
      const isHandled = !condition || this.#hasResult(condition.step);
      if (!isHandled || this.#mayNotBegin(step, key, outer)) return undefined;
    }
    const evidence = this.#take(key);
    const isStopped = this.#over(step, outer, evidence.attempts[0]?.start ?? evidence.finished[0]);
    const isMet = this.#isMet(condition);
    if (!isMet && !(this.#hasResult(condition!.step) && isStopped !== "no")) {
      return this.#expect(key, evidence, { status: "skipped" }, 0);
    }
    // When time is over at the same moment, the condition may have been looked at or not.
    if (!isMet && evidence.finished[0]?.event.status === "skipped" && isStopped === "maybe") {
      return this.#expect(key, evidence, { status: "skipped" }, 0);
    }
    const most = retry?.attempts ?? 1;
    for (let number = 1;; number++) {
      const attempt = evidence.attempts[number - 1];
      if (!attempt?.end) {
        this.#problems.push(`${key} did not make attempt ${number}`);
        return this.#expect(key, evidence, { status: "failed" }, number);
      }
      const ending = this.#attempt(step, attempt, outer, item);
      const { end } = attempt;
      if (ending.status === "passed" && !(end.isRetried && ending.or)) {
        if (number > 1) this.#hasRetried = true;
        return this.#expect(key, evidence, ending, number, step, outer);
      }
      const isOver = this.#over(step, outer, end);
      const isWrite = step.action.do in WRITES;
      const isPickedOut = retry?.isPicky === true && ending.kind !== "connection";
      const mayRepeat = !isWrite || retry?.repeats || ending.isRepeatable;
      const isWanted = number < most && mayRepeat && ending.status !== "interrupted" &&
        !isPickedOut &&
        isOver !== "yes";
      if (!isWanted && end.isRetried) this.#problems.push(`${key} was retried after ${number}`);
      if (!isWanted || isOver === "maybe" && !end.isRetried) {
        return this.#expect(key, evidence, ending, number, step, outer);
      }
      if (!end.isRetried) {
        this.#problems.push(`${key} did not retry after attempt ${number}`);
        return this.#expect(key, evidence, ending, number, step, outer);
      }
      const next = evidence.attempts[number];
      if (next) {
        const pause = Math.min(retry!.backoff * 2 ** (number - 1), LONGEST_PAUSE);
        const paused = next.start.at - end.at;
        if (paused !== pause) this.#problems.push(`${key} paused for ${paused} ms, not ${pause}`);
        continue;
      }
      const finish = evidence.finished[0];
      if (!finish || this.#over(step, outer, finish) === "no") {
        this.#problems.push(`${key} did not make attempt ${number + 1}`);
        return this.#expect(key, evidence, ending, number, step, outer);
      }
      // The pause between two attempts was ended.
      const after: Ending = this.#isStopped(step, finish, outer)
        ? { status: "interrupted", or: outer.at <= finish.at ? [ending.status] : [] }
        : ending;
      return this.#expect(key, evidence, after, number, step, outer);
    }
  }

  /** Whether a script did not begin a step, because it was stopped at that very moment. */
  #mayNotBegin({ phase }: StepModel, key: string, limit: Limit): boolean {
    const { interrupted, steps, stepsEnded, ended } = this.#evidence;
    if (steps.has(key)) return false;
    if (phase === "always") return limit.at <= ended!.at;
    return limit.at <= stepsEnded.at || (interrupted?.at ?? Infinity) <= stepsEnded.at;
  }

  #isMet(condition: StepModel["condition"]): boolean {
    if (!condition) return true;
    if (!this.#hasResult(condition.step)) return false;
    const { step, state } = condition;
    if (step.items !== undefined) return this.#created.get(step)!.size > 0;
    return state === undefined || this.#states.get(step) === state;
  }

  #hasResult(step: StepModel): boolean {
    return this.#created.has(step);
  }

  #idsOf(step: StepModel): string[] {
    return [...this.#created.get(step)!.values()];
  }

  #isInterrupted({ phase }: StepModel, { order }: Moment): boolean {
    const { interrupted } = this.#evidence;
    return phase === "steps" && interrupted !== undefined && interrupted.order < order;
  }

  /** Whether a step was stopped by an interruption, or because an item beside it had failed. */
  #isStopped(step: StepModel, moment: Moment, { stop }: Limit): boolean {
    return this.#isInterrupted(step, moment) || stop !== undefined && stop.order < moment.order;
  }

  /** Whether the time of a step was over at a moment; "maybe" if both are the same millisecond. */
  #over(step: StepModel, limit: Limit, moment: Moment | undefined): "yes" | "no" | "maybe" {
    if (!moment) return "no";
    const { at, stop } = limit;
    if (this.#isInterrupted(step, moment) || at < moment.at) return "yes";
    if (stop && stop.at < moment.at) return "yes";
    return at === moment.at || this.#isStopped(step, moment, limit) ? "maybe" : "no";
  }

  /** Returns how one attempt must have ended. */
  #attempt(step: StepModel, { start, end }: Attempt, outer: Limit, item?: number): Ending {
    const limit = { ...outer, at: Math.min(outer.at, start.at + (step.within ?? Infinity)) };
    if (step.action.do === "advance" && end!.at > start.at) {
      // What it skips does not count for any limit.
      outer.at += step.action.ms;
      limit.at += step.action.ms;
    }
    const inner = () => this.#perform(step, start, end!, limit, item);
    const isOver = this.#over(step, limit, start);
    if (isOver === "no") return inner();
    const stopped: Ending = this.#isStopped(step, start, limit)
      ? { status: "interrupted", or: limit.at <= start.at ? ["failed"] : [] }
      : { status: "failed" };
    if (isOver === "yes") return stopped;
    // It was stopped before it began, or it began and perhaps made its request.
    const problems = this.#problems.length;
    const { status, ...rest } = inner();
    if (this.#problems.splice(problems).length > 0) return stopped;
    return { ...rest, status, or: [...rest.or ?? [], stopped.status] };
  }

  #perform(step: StepModel, start: Moment, end: Moment, limit: Limit, item?: number): Ending {
    const { action, target } = step;
    switch (action.do) {
      case "assert":
      case "compare": {
        this.#checks++;
        if (action.do === "assert") return { status: action.holds ? "passed" : "failed" };
        return { status: this.#states.get(target!) === action.state ? "passed" : "failed" };
      }
      case "set":
        return { status: action.tells || this.#hasResult(target!) ? "passed" : "failed" };
      case "mark":
        this.#checks++;
        return { status: this.#marks.get(target!) === action.state ? "passed" : "failed" };
      case "output":
        this.#checks++;
        return { status: this.#hasOutput(target!, action) ? "passed" : "failed" };
      case "recall":
        this.#checks++;
        return { status: this.#variable === action.state ? "passed" : "failed" };
      case "log":
        if (step.expects !== undefined) this.#checks++;
        return { status: step.expects ?? true ? "passed" : "failed" };
      case "advance":
      case "sleep":
        if (end.at === start.at + action.ms && action.ms + start.at <= limit.at) {
          const isTie = end.at === limit.at || this.#isStopped(step, end, limit);
          if (step.expects !== undefined) this.#checks++;
          const status = step.expects ?? true ? "passed" : "failed";
          return { status, or: isTie ? [this.#stop(step, end, limit).status] : [] };
        }
        return this.#stop(step, end, limit);
      case "parallel":
        return this.#parallel(step, limit);
      case "use":
        return this.#use(step, start, limit);
      case "events":
        return this.#events(step, start, end, limit);
      case "wait":
        return this.#wait(step, start, end, limit);
      default:
        return this.#request(step, start, end, limit, item);
    }
  }

  #parallel(step: StepModel, limit: Limit): Ending {
    const failures = step.inner.map((one) => this.#step(one, limit));
    return { status: failures.find((failure) => failure !== undefined) ?? "passed" };
  }

  /** Whether an output of a recipe that was used is what an assertion says. */
  #hasOutput(use: StepModel, { of, state }: Extract<Action, { do: "output" }>): boolean {
    const outputs = this.#outputs.get(use);
    if (!outputs) return false;
    if (of === "level") return outputs.level === LEVEL;
    return state === (of === "state" ? outputs.state : this.#states.get(use.given!));
  }

  /** Returns how another recipe has ended. Its own time is never shorter than what is left. */
  #use(step: StepModel, start: Moment, limit: Limit): Ending {
    let failure: StepStatus | undefined;
    let ended = start;
    const outer = this.#variable;
    this.#variable = "none";
    const { level = LEVEL } = step.action as Extract<Action, { do: "use" }>;
    this.#used = { level };
    const ends = (one: StepModel) => {
      const finish = [...this.#evidence.steps].findLast(([key]) => isPartOf(key, one))?.[1];
      ended = finish?.finished.at(-1) ?? ended;
    };
    for (const one of step.inner) {
      if (failure !== undefined) this.#notReached(one);
      else failure = this.#step(one, limit);
      ends(one);
    }
    // The recipe around it shares the time of its `always` once it was stopped.
    const isShared = this.#over(step, this.#whole, ended) !== "no";
    if (isShared) this.#cleanUpBegan ??= ended.at;
    const cleanUp = { at: (isShared ? this.#cleanUpBegan! : ended.at) + ALWAYS_TIME };
    for (const one of step.cleanUp) {
      const failed = this.#step(one, cleanUp);
      failure ??= failed;
    }
    const state = this.#variable;
    this.#variable = outer;
    this.#used = undefined;
    // An output without a value fails the step, although the recipe has passed.
    if (failure === undefined && step.given && !this.#hasResult(step.given)) failure = "failed";
    if (failure === undefined) {
      this.#outputs.set(step, { level, state });
      this.#created.set(step, new Map());
    }
    return { status: failure ?? "passed" };
  }

  /** Returns how a step that was stopped has ended. */
  #stop(step: StepModel, end: Moment, limit: Limit): Ending {
    const isLate = limit.at <= end.at;
    if (this.#isStopped(step, end, limit)) {
      return { status: "interrupted", or: isLate ? ["failed"] : [] };
    }
    if (!isLate) this.#problems.push(`${tagOf(step)} ended, although nothing has ended it`);
    return { status: "failed" };
  }

  /** Returns how a step that makes one request has ended. */
  #request(step: StepModel, start: Moment, end: Moment, limit: Limit, item?: number): Ending {
    const { action, target } = step;
    const tag = this.#prefix + tagOf(step, item);
    const isCreation = action.do in WRITES && action.do !== "cancel";
    // Nothing was sent.
    if (!isCreation && target && !this.#hasResult(target)) {
      return { status: "failed", isRepeatable: true };
    }
    const id = target && this.#idsOf(target)[0];
    const calls = this.#callsBetween(start, end).filter((call) => {
      if (action.do in WRITES && call.method !== WRITES[action.do]) return false;
      if (isCreation) return sentBy(call).tag === tag;
      return target ? call.args[0] === id : call.method === "stats";
    });
    if (isCreation) {
      const attempts = (this.#writes.get(tag)?.attempts ?? 0) + 1;
      this.#writes.set(tag, { attempts, most: step.retry?.repeats ? attempts : 1 });
    }
    const most = action.do === "get" && target!.action.do === "start" ? 2 : 1;
    if (calls.length !== most) {
      this.#problems.push(`${tag} made ${calls.length} requests, not ${most}`);
    }
    const { place = this.#used ? PLACES.used : PLACES.own } = this.#run;
    const values: Record<string, unknown> = {
      place,
      ...(this.#isScript ? {} : { state: this.#variable }),
      ...(this.#used ? { level: this.#used.level } : {}),
    };
    const unlike = isCreation && calls.find((call) => !isCallOf(call, action));
    if (unlike) this.#problems.push(`${tag} asked for ${JSON.stringify(unlike.args)}`);
    for (const [name, value] of isCreation ? Object.entries(values) : []) {
      const wrong = calls.find((call) => sentBy(call)[name] !== value);
      if (wrong) this.#problems.push(`${tag} sent ${name} ${sentBy(wrong)[name]}, not ${value}`);
    }
    const failed = calls.find(({ settled }) => settled && "error" in settled);
    const open = calls.find(({ settled }) => !settled || settled.order > end.order);
    if (!failed && !open && calls.length > 0) {
      this.#remember(step, calls[0]!, item);
      const wants = action.do === "get" ? action.wants : undefined;
      if (step.expects === undefined && wants === undefined) return { status: "passed" };
      this.#checks++;
      const { state } = Object((calls[0]!.settled as { value: unknown }).value);
      const isRight = (step.expects ?? true) && (wants === undefined || state === wants);
      return { status: isRight ? "passed" : "failed" };
    }
    if (!failed) return this.#stop(step, end, limit);
    return this.#failedCall(step, failed, end, limit);
  }

  #remember(step: StepModel, { settled }: Call, item?: number): void {
    const { do: kind } = step.action;
    if (kind !== "enqueue" && kind !== "start") return;
    const { job_id, run_id, state } = (settled as { value: Record<string, string> }).value;
    const created = this.#created.get(step) ?? new Map();
    this.#created.set(step, created.set(item, (job_id ?? run_id)!));
    this.#states.set(step, kind === "enqueue" ? "pending" : state!);
    if (step.marks) this.#marks.set(step, this.#states.get(step)!);
  }

  #failedCall(step: StepModel, { settled }: Call, end: Moment, limit: Limit): Ending {
    const { error } = settled as { error: unknown };
    const { delivery, code } = Object(error);
    const isRepeatable = delivery === undefined ? typeof code === "number" : delivery !== "unknown";
    const isStop = limit.stop !== undefined && Object(error).kind === "interrupted";
    if (isStop || error === this.#evidence.interrupted?.reason) {
      return { status: "interrupted", or: limit.at <= end.at ? ["failed"] : [] };
    }
    if (limit.at < end.at) return { status: "failed", isRepeatable };
    const status = this.#statusOf(step, error);
    const kind = isConnectionError(error) ? "connection" as const : undefined;
    if (limit.at > end.at) return { status, isRepeatable, kind };
    return { status: "failed", isRepeatable, or: [status], kind };
  }

  #statusOf(step: StepModel, error: unknown): StepStatus {
    if (isConnectionError(error)) return "errored";
    const { name, code } = Object(error);
    if (typeof code === "number") return "errored";
    if (name !== "DeadlineError") this.#problems.push(`${tagOf(step)} failed with ${error}`);
    return "failed";
  }

  /** Returns how a wait has ended, and compares what it reports about the states it has seen. */
  #wait(step: StepModel, start: Moment, end: Moment, limit: Limit): Ending {
    const { action, target } = step;
    if (action.do !== "wait") throw new TypeError("not a wait");
    const seen: string[] = [];
    const ending = this.#waitFor(step, action, seen, start, end, limit);
    const { event } = this.#evidence.steps.get(tagOf(step))!.finished[0] ?? {};
    if (!event?.observed || target!.items !== undefined) return ending;
    const states = event.observed.states.map(({ state }) => state);
    if (`${states}` !== `${seen}`) {
      this.#problems.push(`${tagOf(step)} says it has seen ${states}, not ${seen}`);
    }
    const [last] = seen.slice(-1);
    const detail = action.untilStep === undefined ? last : `${last}, ${action.untilStep} reached`;
    if (event.status === "passed" && event.detail !== detail) {
      this.#problems.push(`${tagOf(step)} says ${event.detail}, not ${detail}`);
    }
    return ending;
  }

  /** Returns how a wait has ended, from the states that the runner has read. */
  #waitFor(
    step: StepModel,
    action: WaitAction,
    seen: string[],
    start: Moment,
    end: Moment,
    limit: Limit,
  ): Ending {
    const { target } = step;
    const ids = this.#hasResult(target!) ? this.#idsOf(target!) : undefined;
    if (ids?.length !== 0 || target!.items === undefined) this.#checks++;
    if (!ids) return { status: "failed" };
    const calls = this.#callsBetween(start, end);
    let lastAnswer: Moment | undefined;
    for (const id of ids) {
      lastAnswer = undefined;
      seen.length = 0;
      let isReached = false;
      const reads = calls.filter(({ args }) => args[0] === id);
      for (const [index, read] of reads.entries()) {
        if (read.method === "cancelJob" || read.method === "workflowTimeline") continue;
        const answers = read.method === "getJob" ? [read] : [read, reads[index + 1]];
        const failed = answers.find((one) => one?.settled && "error" in one.settled);
        if (failed) return this.#failedRead(step, failed, lastAnswer, end, limit);
        const last = answers.at(-1);
        // The answer to the last question never came.
        if (!last?.settled || last.settled.order > end.order) break;
        lastAnswer = last.settled;
        const { state } = (read.settled as { value: { state: string } }).value;
        if (target!.items === undefined && !action.isById) this.#states.set(target!, state);
        if (seen.at(-1) !== state) seen.push(state);
        isReached = action.untilStep === undefined
          ? (action.until ?? ["completed"]).includes(state)
          : checkpointsOf(last).includes(action.untilStep);
        if (isReached) break;
        if (isTerminal(state) || action.failOn === state) return { status: "failed" };
      }
      if (!isReached) return this.#unreached(step, lastAnswer, end, limit);
    }
    return { status: "passed" };
  }

  /** Returns how the case has failed if it could not listen to the channels of its steps. */
  #listen(limit: Limit): CaseStatus | undefined {
    if (this.#isScript) return undefined;
    const { steps, always } = this.#model;
    const all = [...steps, ...always].flatMap((step) =>
      step.action.do === "use" ? [] : [step, ...step.inner]
    );
    const needed = all.flatMap(({ action }) =>
      action.do === "events" ? [earlyChannelOf(action)] : []
    );
    const moments = [...this.#evidence.steps.values()].flatMap(({ attempts, finished }) => [
      ...attempts.map(({ start }) => start),
      ...finished,
    ]);
    const first = moments.reduce((one, other) => one.order < other.order ? one : other);
    const asked = this.#evidence.listenings.filter(({ order }) => order < first.order);
    for (const channel of needed) {
      if (asked.some((one) => covers(one.channel, channel))) continue;
      this.#problems.push(`it does not listen to ${channel}`);
    }
    const failed = asked.find((one) => one.failed && one.failed.order < first.order);
    const isOpen = asked.some(({ confirmed }) => !confirmed || confirmed.order > first.order);
    if (!failed && !isOpen) return undefined;
    const { interrupted } = this.#evidence;
    const or: CaseStatus[] = [];
    if (failed) or.push(isConnectionError(failed.failed!.error) ? "errored" : "failed");
    if (interrupted && interrupted.order < first.order) or.push("interrupted");
    if (limit.at <= first.at) or.push("failed");
    if (or.length === 0) this.#problems.push("it gave up listening, although nothing has ended it");
    const reported = this.#reported;
    return or.find((status) => status === reported) ?? or[0] ?? "failed";
  }

  /** Returns how a wait for events of a channel has ended, from what the client has delivered. */
  #events(step: StepModel, start: Moment, end: Moment, limit: Limit): Ending {
    const { action, target } = step;
    if (action.do !== "events") throw new TypeError("not a wait for events");
    this.#checks++;
    const id = target && this.#idsOf(target)[0];
    const channel = channelOf(action, id);
    const logs = this.#evidence.listenings.filter((one) =>
      covers(one.channel, channel) && one.order < end.order &&
      !(one.failed && one.failed.order < start.order)
    );
    if (logs.length === 0) this.#problems.push(`${tagOf(step)} does not listen to ${channel}`);
    const endings = logs.map((log) => this.#eventsIn(log, step, start, end, limit, id));
    const { detail, status } = this.#evidence.steps.get(tagOf(step))!.finished[0]!.event;
    if (status === "passed" && !endings.some((one) => one.detail === detail)) {
      this.#problems.push(`${tagOf(step)} has seen ${detail}, not ${endings[0]?.detail}`);
    }
    const [first, ...rest] = endings;
    if (!first) return { status: "failed" };
    return {
      ...first,
      or: [...first.or ?? [], ...rest.flatMap((one) => [one.status, ...one.or ?? []])],
    };
  }

  #eventsIn(
    { confirmed, failed, deliveries }: Listening,
    step: StepModel,
    start: Moment,
    end: Moment,
    limit: Limit,
    id: string | undefined,
  ): Ending & { detail?: string } {
    const { action } = step;
    if (action.do !== "events") throw new TypeError("not a wait for events");
    const isLate = limit.at <= end.at;
    if (failed && failed.order < end.order) {
      if (limit.at < end.at) return { status: "failed" };
      const status = isConnectionError(failed.error) ? "errored" : "failed";
      return { status, or: isLate ? ["failed"] : [] };
    }
    if (!confirmed || confirmed.order > end.order) return this.#stop(step, end, limit);
    const matching = deliveries.filter(({ order, event }) =>
      order < end.order && counts(action, id, event)
    );
    const last = matching[(action.count ?? 1) - 1];
    const { statuses } = this.#evidence;
    const said = statuses.findLast(({ order }) => order > start.order && order < end.order);
    const lateEnding: StepStatus = said && !said.isConnected ? "errored" : "failed";
    if (!last) {
      if (!isLate || this.#isInterrupted(step, end)) return this.#stop(step, end, limit);
      return { status: lateEnding };
    }
    const reached = Math.max(start.at, last.at, confirmed.at);
    if (reached < end.at) {
      this.#problems.push(`${tagOf(step)} ended ${end.at - reached} ms after its last event`);
    }
    const detail = matching.slice(0, action.count ?? 1).map(({ event }) => event.type).slice(0, 3)
      .join(", ");
    const stopped = this.#isInterrupted(step, end) ? "interrupted" : lateEnding;
    const isTie = isLate || stopped === "interrupted";
    return { status: "passed", detail, or: isTie ? [stopped, lateEnding] : [] };
  }

  #failedRead(
    step: StepModel,
    { settled }: Call,
    lastAnswer: Moment | undefined,
    end: Moment,
    limit: Limit,
  ): Ending {
    const { error } = settled as { error: unknown };
    if (isConnectionError(error) && lastAnswer) return { status: "errored" };
    if (error === this.#evidence.interrupted?.reason) {
      return { status: "interrupted", or: limit.at <= end.at ? ["failed"] : [] };
    }
    if (limit.at > end.at) return { status: this.#statusOf(step, error) };
    const late = this.#unreached(step, lastAnswer, end, limit);
    return limit.at < end.at ? late : { ...late, or: [this.#statusOf(step, error)] };
  }

  /** Returns how a wait has ended that did not read the state it waits for. */
  #unreached(step: StepModel, lastAnswer: Moment | undefined, end: Moment, limit: Limit): Ending {
    if (limit.at > end.at || this.#isInterrupted(step, end)) return this.#stop(step, end, limit);
    return { status: lastAnswer && end.at - lastAnswer.at >= SILENCE ? "errored" : "failed" };
  }

  #callsBetween(start: Moment, end: Moment): Call[] {
    return this.#evidence.calls.filter(({ order }) => order > start.order && order < end.order);
  }

  #take(key: string): StepEvidence {
    this.#seen.add(key);
    return this.#evidence.steps.get(key) ?? { attempts: [], logs: [], finished: [] };
  }

  /** Compares what was reported about a step with how it must have ended. */
  #expect(
    key: string,
    { attempts, logs, finished }: StepEvidence,
    { status, or = [] }: Ending,
    made: number,
    step?: StepModel,
    outer?: Limit,
  ): StepStatus | undefined {
    const [finish] = finished;
    if (!finish || finished.length > 1) {
      this.#problems.push(`${key} was reported ${finished.length} times`);
      return status;
    }
    const { event } = finish;
    const isRight = event.status === status || or.includes(event.status);
    if (!isRight) this.#problems.push(`${key} is ${event.status}, not ${[status, ...or]}`);
    if (attempts.length !== made) {
      this.#problems.push(`${key} made ${attempts.length} attempts, not ${made}`);
    }
    const took = attempts[0] ? finish.at - attempts[0].start.at : 0;
    if (Math.abs(event.duration_ms - took) > 1) {
      this.#problems.push(`${key} took ${took} ms, not ${event.duration_ms}`);
    }
    if (event.attempts !== made) this.#problems.push(`${key} reports ${event.attempts} attempts`);
    if (event.status === "passed" && step?.action.do === "log" && !this.#isScript) {
      const line = loggedText(this.#variable);
      if (logs.length !== made || logs.some((one) => one !== line)) {
        this.#problems.push(`${key} has logged ${JSON.stringify(logs)}, not ${line}`);
      }
    }
    if (event.status === "passed" && step?.action.do === "set") {
      const secret = SECRETS[this.#run.secrets[0]];
      this.#variable = step.action.tells ? `<${secret}>` : this.#states.get(step.target!);
    }
    if (event.status === "passed" || event.status === "skipped" || !step) return undefined;
    // The time of a step that was interrupted has ended then.
    const { interrupted } = this.#evidence;
    const end = this.#isInterrupted(step, finish) ? interrupted : finish;
    const isLate = this.#over({ ...step, phase: "always" }, { at: outer!.at }, end);
    const isSoft = isLate === "maybe" ? event.soft : step.soft && isLate === "no";
    if (event.soft !== isSoft) this.#problems.push(`${key} is soft: ${event.soft}`);
    return isSoft && event.status !== "interrupted" ? undefined : event.status;
  }
}

/** The checkpoints that a run had when it was read. */
function checkpointsOf({ settled }: Call): unknown[] {
  return (settled as { value: { step_name: string }[] }).value.map(({ step_name }) => step_name);
}

/** Whether a key names a step, or one of its items. */
function isPartOf(key: string, step: StepModel): boolean {
  return key.replace(/\[\d+\]$/, "") === tagOf(step);
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

function isConnectionError(error: unknown): boolean {
  const { name } = Object(error);
  return name === "ConnectionError" || name === "TimeoutError" || name === "AuthError";
}
