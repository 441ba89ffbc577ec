import type { StepStatus } from "../../../../runner/mod.ts";
import type { Call, CaseAttempt, Moment, StepEvidence } from "../evidence.ts";
import { type CaseModel, type RecipeModel, type StepModel, tagOf } from "../model.ts";
import { type RunPlan, SECRETS } from "../plan.ts";

/** How a step ends, and in which other way it could have ended at the same moment. */
export interface Ending {
  status: StepStatus;
  /** Whether the step may not have arrived at the server, so that it can be repeated. */
  isRepeatable?: boolean;
  /** Whether it failed because of the connection. */
  kind?: "connection" | undefined;
  /** Statuses that are as right, because two things happened at once. */
  or?: readonly StepStatus[];
}

/** The time that a step has. */
export interface Limit {
  at: number;
  /** When it was stopped because an item beside it had failed. */
  stop?: Moment | undefined;
}

/** When an attempt of a step began and ended, and the time that it had. */
export interface Span {
  start: Moment;
  end: Moment;
  limit: Limit;
}

/** An attempt of a step with other steps inside. */
export interface Around {
  start: Moment;
  end: Moment;
  /** Whether the step repeats writes that may have arrived. */
  repeats: boolean;
  /** The attempt of the step around that one. */
  outer: Around | undefined;
}

/** The attempts that a write was allowed, and how often it may have happened. */
export interface Allowed {
  attempts: number;
  most: number;
  /** The last attempt of the step around it. */
  around?: Around | undefined;
}

/** An attempt of a case, and what the interpreter knows about it so far. */
export class JudgedCase {
  readonly run: RunPlan;
  readonly recipe: RecipeModel;
  readonly evidence: CaseAttempt;
  /** What its case calls its writes by, before their tags. */
  readonly prefix: string;
  /** What the report says otherwise. */
  readonly problems: string[] = [];
  /** The attempts that each write was allowed, by its tag. */
  readonly writes = new Map<string, Allowed>();
  /** The last known state of what each step has created. */
  readonly states = new Map<StepModel, string>();
  /** The last known states of what the items of each step have created, by their ids. */
  readonly itemStates = new Map<StepModel, Map<string, string>>();
  /** The ids of what each step has created, by the item. */
  readonly created = new Map<StepModel, Map<number | undefined, string>>();
  /** The id of what each step or item has created last, by its key. */
  readonly made = new Map<string, string>();
  /** The states that steps have added to their results. */
  readonly marks = new Map<StepModel, string>();
  /** The outputs of each recipe that was used, but for the state of what it has created. */
  readonly outputs = new Map<StepModel, { level: number; state: string | undefined }>();
  /** How many reports of each step and item have been judged. */
  readonly seen = new Map<string, number>();
  /** The attempt of the step around those that are judged: its steps are reported once in each. */
  around: Around | undefined;
  /** Whether a step has changed the server since this was last reset. */
  hasWritten = false;
  checks = 0;
  /** The ids that expressions have made and that were sent. */
  readonly ids = new Set<string>();
  /** The variable of the recipe, or of the one that it uses at the moment. */
  variable: string | undefined = "none";
  /** The values of the recipe that it uses at the moment. */
  used: { level: number; prefix: string } | undefined;

  constructor(run: RunPlan, { recipe, prefix }: CaseModel, evidence: CaseAttempt) {
    this.run = run;
    this.recipe = recipe;
    this.prefix = prefix;
    this.evidence = evidence;
  }

  get isScript(): boolean {
    return this.recipe.plan.isScript;
  }

  /** Returns a text as reports show it. */
  hide(text: string): string {
    const secrets = this.run.secrets.map((name) => SECRETS[name]!);
    return secrets.toSorted((a, b) => b.length - a.length)
      .reduce((hidden, secret) => hidden.replaceAll(secret, "***"), text);
  }

  hasResult(step: StepModel): boolean {
    return this.created.has(step);
  }

  idsOf(step: StepModel): string[] {
    return [...this.created.get(step)!.values()];
  }

  isMet(condition: StepModel["condition"]): boolean {
    if (!condition) return true;
    if (!this.hasResult(condition.step)) return false;
    const { step, state } = condition;
    if (step.items !== undefined) return this.created.get(step)!.size > 0;
    return state === undefined || this.states.get(step) === state;
  }

  isInterrupted({ isCleanUp, phase }: StepModel, { order }: Moment): boolean {
    const { interrupted } = this.evidence;
    return phase === "steps" && !isCleanUp && interrupted !== undefined &&
      interrupted.order < order;
  }

  /** Whether a step was stopped by an interruption, or because an item beside it had failed. */
  isStopped(step: StepModel, moment: Moment, { stop }: Limit): boolean {
    return this.isInterrupted(step, moment) || stop !== undefined && stop.order < moment.order;
  }

  /** When a step was stopped, but for the end of its time. */
  #stoppedAt({ isCleanUp, phase }: StepModel, { stop }: Limit): number {
    const { interrupted } = this.evidence;
    return Math.min(
      phase === "steps" && !isCleanUp && interrupted?.at || Infinity,
      stop?.at ?? Infinity,
    );
  }

  /** Whether the time of a step was over at a moment; "maybe" if both are the same millisecond. */
  over(step: StepModel, limit: Limit, moment: Moment | undefined): "yes" | "no" | "maybe" {
    if (!moment) return "no";
    const { at, stop } = limit;
    if (this.isInterrupted(step, moment) || at < moment.at) return "yes";
    if (stop && stop.at < moment.at) return "yes";
    return at === moment.at || this.isStopped(step, moment, limit) ? "maybe" : "no";
  }

  /** Returns how a step that was stopped has ended. */
  stop(step: StepModel, { end, limit }: Span): Ending {
    const isLate = limit.at <= end.at;
    const late = end.at - Math.min(limit.at, this.#stoppedAt(step, limit));
    if (late > 1) this.problems.push(`${tagOf(step)} ended ${late} ms after it was stopped`);
    if (this.isStopped(step, end, limit)) {
      return { status: "interrupted", or: isLate ? ["failed"] : [] };
    }
    if (!isLate) this.problems.push(`${tagOf(step)} ended, although nothing has ended it`);
    return { status: "failed" };
  }

  callsBetween({ start, end }: Span): Call[] {
    return this.evidence.calls.filter(({ order }) => order > start.order && order < end.order);
  }

  /** Returns the status of a step that failed with an error of the client. */
  statusOf(step: StepModel, error: unknown): StepStatus {
    if (isConnectionError(error)) return "errored";
    const { name, code } = Object(error);
    if (typeof code === "number") return "errored";
    if (name !== "DeadlineError") this.problems.push(`${tagOf(step)} failed with ${error}`);
    return "failed";
  }

  /** Returns what was reported about a step or an item, which is judged with that. */
  take(key: string): StepEvidence {
    const reported = this.reported(key);
    this.seen.set(key, (this.seen.get(key) ?? 0) + reported.finished.length);
    return reported;
  }

  /** Whether a step inside another one has failed because of the connection, as is reported. */
  isConnectionFailure(step: StepModel): boolean {
    const keys = step.items === undefined
      ? [tagOf(step)]
      : Array.from({ length: step.items }, (_, item) => `${tagOf(step)}[${item}]`);
    const failures = keys.flatMap((key) => this.reported(key).finished)
      .filter(({ event }) => event.failure && !event.soft)
      .toSorted((a, b) => a.order - b.order);
    return failures[0]?.event.failure?.kind === "connection";
  }

  /** Returns what was reported about a step or an item in the attempt around it. */
  reported(key: string): StepEvidence {
    const all = this.evidence.steps.get(key) ?? { attempts: [], logs: [], finished: [] };
    if (!this.around) return all;
    const { start, end } = this.around;
    const isInside = ({ order }: Moment) => order > start.order && order < end.order;
    return {
      attempts: all.attempts.filter((one) => isInside(one.start)),
      logs: all.logs.filter(isInside),
      finished: all.finished.filter(isInside),
    };
  }

  /** Notes that a write is attempted, and how often it may have happened by now. */
  allowWrite(tag: string, repeats: boolean): void {
    const { around } = this;
    const { attempts, most, around: before } = this.writes.get(tag) ??
      { attempts: 0, most: 0, around: undefined };
    const earlier = aroundOf(before);
    const isAllowed = most === 0 || repeats ||
      aroundOf(around).some((one) => one.repeats && !earlier.includes(one));
    this.writes.set(tag, {
      attempts: attempts + 1,
      most: most + (isAllowed ? 1 : 0),
      around,
    });
  }

  /** Forgets what a step has left. */
  forget(step: StepModel): void {
    for (const left of [this.created, this.states, this.itemStates, this.marks]) left.delete(step);
  }
}

/** Returns an attempt, and all those around it. */
function aroundOf(attempt: Around | undefined): Around[] {
  return attempt ? [attempt, ...aroundOf(attempt.outer)] : [];
}

export function isConnectionError(error: unknown): boolean {
  const { name } = Object(error);
  return name === "ConnectionError" || name === "TimeoutError" || name === "AuthError";
}
