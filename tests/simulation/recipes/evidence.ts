import type { RecipeEvent, RunnerClient } from "../../../runner/mod.ts";
import { listen, type Listening } from "./channel_events.ts";
import { isTerminal } from "../../../protocol/mod.ts";
import type { World, WorldClock } from "../../../testing/mod.ts";

type EventOf<T extends RecipeEvent["type"]> = Extract<RecipeEvent, { type: T }>;
type CaseStarted = EventOf<"case.started">;
type CaseFinished = EventOf<"case.finished">;
type CaseSkipped = EventOf<"case.skipped">;
type StepFinished = EventOf<"step.finished">;

/** A position among all that was noted, and the time on the runner's clock. */
export interface Moment {
  readonly order: number;
  readonly at: number;
}

/** A call of the client, and how it settled. */
export interface Call extends Moment {
  readonly method: string;
  readonly args: readonly unknown[];
  /** The state of a handle changes later. */
  settled?: Moment & ({ readonly value: unknown; state?: unknown } | { readonly error: unknown });
}

/** One attempt of a step. */
export interface Attempt {
  /** When it began, and the number that its report gives it. */
  readonly start: Moment & { readonly number: number };
  /** When it ended; and if another one was to follow, after which attempt, and why. */
  end?: Moment & { readonly isRetried: boolean; readonly number?: number; readonly why?: string };
}

/** What the runner reported about a step. */
export interface StepEvidence {
  readonly attempts: Attempt[];
  /** The lines that it has logged. */
  readonly logs: (Moment & { readonly text: string })[];
  /** Its last events; there should be only one. */
  readonly finished: (Moment & { readonly event: StepFinished; readonly stored?: string })[];
}

/** The client's methods whose calls are recorded. */
const METHODS = new Set([
  ...["enqueue", "startWorkflow", "publishEvent", "call", "cancelJob"],
  ...["getJob", "getWorkflow", "workflowTimeline", "stats"],
]);

/** How an attempt of a case has ended. */
export type AttemptEnd = Extract<RecipeEvent, { type: "case.finished" | "case.retried" }>;

/** A handle on a job or run. */
interface Followed {
  events(options: object): AsyncIterable<unknown>;
}

/** What happened in one attempt of a case. */
export class CaseAttempt {
  readonly #run: Evidence;
  readonly steps = new Map<string, StepEvidence>();
  readonly warnings: string[] = [];
  /** When the attempt began. */
  readonly began: Moment & { readonly event: CaseStarted };
  /** When the last step of the phase `steps` was reported. */
  stepsEnded: Moment;
  /** When and how the attempt ended. */
  ended?: Moment & { readonly event: AttemptEnd };

  constructor(run: Evidence, began: CaseAttempt["began"]) {
    this.#run = run;
    this.began = this.stepsEnded = began;
  }

  get calls(): readonly Call[] {
    return this.#run.calls;
  }

  /** The subscriptions since the attempt began. Cases side by side have none. */
  get listenings(): readonly Listening[] {
    return this.#run.listenings.filter(({ order }) => order > this.began.order);
  }

  get heard(): readonly Moment[] {
    return this.#run.heard;
  }

  get statuses(): Evidence["statuses"] {
    return this.#run.statuses;
  }

  get interrupted(): Evidence["interrupted"] {
    return this.#run.interrupted;
  }
}

/** What happened in one case of a run. */
export class CaseEvidence {
  readonly attempts: CaseAttempt[] = [];
  /** When it was reported that it has ended, or that it was not started. */
  ended?: Moment & { readonly event: CaseFinished | CaseSkipped };

  /** The warnings of its attempts. */
  get warnings(): string[] {
    return this.attempts.flatMap(({ warnings }) => warnings);
  }

  /** When its first attempt began. */
  get began(): Moment | undefined {
    return this.attempts[0]?.began;
  }

  /** The steps of all attempts, by their phases and numbers. */
  get steps(): [string, StepEvidence][] {
    return this.attempts.flatMap(({ steps }) => [...steps]);
  }
}

/** Notes what the runner asks of its client, and what it reports, in order. */
export class Evidence {
  readonly calls: Call[] = [];
  readonly events: RecipeEvent[] = [];
  readonly cases: CaseEvidence[] = [];
  readonly listenings: Listening[] = [];
  /** The warnings that belong to no case. */
  readonly warnings: string[] = [];
  /** Those who read the events of a job or run for the runner. */
  readonly followers = new Set<object>();
  /** When the runner got events of any job or run. */
  readonly heard: Moment[] = [];
  /** What the client said about its connection. */
  readonly statuses: (Moment & { readonly isConnected: boolean })[] = [];
  readonly #world: World;
  readonly #clock: WorldClock;
  readonly #keyOf: (event: { case: number; phase: string; step: string; label?: string }) => string;
  #order = 0;
  /** When the run began, and when it ended. */
  began?: Moment & { readonly event: EventOf<"run.started"> };
  ended?: Moment & { readonly event: EventOf<"run.finished"> };
  /** An event whose time is not that of its report. */
  mistimed?: RecipeEvent;
  /** When the run was interrupted. */
  interrupted?: Moment & { readonly reason: unknown };

  /** @param keyOf Names the step that an event is about. */
  constructor(
    world: World,
    clock: WorldClock,
    keyOf: (event: { case: number; phase: string; step: string; label?: string }) => string,
  ) {
    this.#world = world;
    this.#clock = clock;
    this.#keyOf = keyOf;
  }

  /** Returns the moment that is now. */
  moment(): Moment {
    return { order: this.#order++, at: this.#clock.monotonic() };
  }

  /** Wraps a client so that its calls are noted. */
  client(client: RunnerClient): RunnerClient {
    return new Proxy(client, {
      get: (target, key) => {
        const member = (target as unknown as Record<string | symbol, unknown>)[key];
        if (typeof member !== "function") return member;
        if (key === "subscribe") {
          return (...args: Parameters<RunnerClient["subscribe"]>) =>
            listen(target, args, () => this.moment(), this.listenings);
        }
        if (key === "status") return () => this.#status(target);
        if (key === "job" || key === "run") {
          return (id: string) => this.#handle<Followed>(target[key](id));
        }
        if (typeof key === "symbol" || !METHODS.has(key)) return member.bind(target);
        return (...args: unknown[]) => {
          const call: Call = { ...this.moment(), method: key, args };
          this.calls.push(call);
          const promise: Promise<unknown> = member.apply(target, args);
          return promise.then((value) => {
            call.settled = { ...this.moment(), value, state: Object(value).state };
            return value;
          }, (error) => {
            call.settled = { ...this.moment(), error };
            throw error;
          });
        };
      },
    });
  }

  /** Notes an event of the run. */
  report(event: RecipeEvent): void {
    const moment = this.moment();
    this.events.push(event);
    if (Math.abs(Date.parse(event.ts) - this.#clock.now()) >= 1) this.mistimed ??= event;
    this.#world.record("runner", "reports", JSON.stringify(event));
    if (event.type === "run.started") this.began = { ...moment, event };
    if (event.type === "run.finished") this.ended = { ...moment, event };
    if (!("case" in event) || event.case === undefined) {
      if (event.type === "warning") this.warnings.push(event.text);
      return;
    }
    const one = this.cases[event.case] ??= new CaseEvidence();
    switch (event.type) {
      case "case.started":
        one.attempts.push(new CaseAttempt(this, { ...moment, event }));
        break;
      case "case.retried":
        one.attempts.at(-1)!.ended = { ...moment, event };
        break;
      case "case.finished":
        one.attempts.at(-1)!.ended = { ...moment, event };
        one.ended = { ...moment, event };
        break;
      case "case.skipped":
        one.ended = { ...moment, event };
        break;
      case "warning":
        one.attempts.at(-1)!.warnings.push(event.text);
        break;
      default:
        this.#reportStep(one.attempts.at(-1)!, event, moment);
    }
  }

  #reportStep(attempt: CaseAttempt, event: RecipeEvent, moment: Moment): void {
    // What a script logs belongs to no step.
    if (event.type === "log") {
      attempt.steps.get(this.#keyOf(event))?.logs.push({ ...moment, text: event.text });
    }
    if (event.type === "step.started") {
      this.#step(attempt, event).attempts.push({ start: { ...moment, number: event.attempt } });
    } else if (event.type === "step.retried") {
      // In a script nothing is retried, so that the number alone is enough.
      const last = this.#step(attempt, event).attempts.at(-1);
      if (!last) return;
      const { attempt: number, failure: { kind: why } } = event;
      last.end = { ...moment, isRetried: true, number, why };
    } else if (event.type === "step.finished") {
      const { attempts, finished } = this.#step(attempt, event);
      const last = attempts.at(-1);
      if (last && !last.end) last.end = { ...moment, isRetried: false };
      finished.push({ ...moment, event, stored: this.#storedState(event) });
      // Recipes that `always` uses have steps, too.
      if (event.phase === "steps" && !event.step.includes(".")) attempt.stepsEnded = moment;
    }
  }

  /** Notes that the run is interrupted. */
  interrupt(reason: unknown): void {
    this.interrupted = { ...this.moment(), reason };
    this.#world.record("runner", "is interrupted");
  }

  /** Wraps a handle so that it is noted who reads its events. */
  #handle<H extends Followed>(handle: H): H {
    return new Proxy(handle, {
      get: (target, key) => {
        const member = Reflect.get(target, key, target);
        if (key === "events") return (options: object) => this.#follow(target, options);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
  }

  async *#follow(handle: Followed, options: object): AsyncGenerator<unknown> {
    const reader = {};
    this.followers.add(reader);
    try {
      for await (const event of handle.events(options)) {
        this.heard.push(this.moment());
        yield event;
      }
    } finally {
      this.followers.delete(reader);
    }
  }

  async *#status(client: RunnerClient): ReturnType<RunnerClient["status"]> {
    for await (const status of client.status()) {
      const isConnected = status.type === "connected" || status.type === "idle";
      this.statuses.push({ ...this.moment(), isConnected });
      yield status;
    }
  }

  #step(
    { steps }: CaseAttempt,
    event: { case: number; phase: string; step: string; label?: string },
  ): StepEvidence {
    const key = this.#keyOf(event);
    let step = steps.get(key);
    if (!step) steps.set(key, step = { attempts: [], logs: [], finished: [] });
    return step;
  }

  /** The final state that the store has for what a wait waited for. */
  #storedState({ observed }: StepFinished): string | undefined {
    if (!observed?.entity) return undefined;
    const { kind, id } = observed.entity;
    const { store } = this.#world;
    const state = (kind === "job" ? store.job(id) : store.run(id))?.state;
    return state !== undefined && isTerminal(state) ? state : undefined;
  }
}
