import type { Named, NameOf, Schema } from "../../client/schema.ts";
import type { DispatchEvent } from "../../protocol/event.ts";
import type { JobState, RunState, Stats } from "../../protocol/entity.ts";
import type { Case } from "../engine/case.ts";
import type { Deadline } from "../engine/deadline.ts";
import { StepFailure } from "../engine/failure.ts";
import { StepRunner } from "../engine/step.ts";
import { fromCel } from "../expression/convert.ts";
import { literal } from "../expression/template.ts";
import type { Step } from "../recipe/model.ts";
import type { Phase } from "../recipe/scope.ts";
import type { Span } from "../recipe/source.ts";
import { STEP_KINDS } from "../steps/step_kinds.ts";
import type { RunnerClient, StepKind } from "../steps/kind.ts";
import type { EnqueueSettings, EventsSettings, Script, StepSettings, WaitSettings } from "./api.ts";
import { callSite } from "./call_site.ts";
import { waitFields, waitLabel } from "./wait_fields.ts";
import { FunctionExpression, NOWHERE } from "./function_expression.ts";
import { type JobHandle, makeHandle, type RunHandle } from "./handle.ts";
import { Expectations, type NotMet } from "./matchers.ts";

/** A recipe in TypeScript that runs. */
export class RunningScript<S extends Schema = Schema> implements Script<S> {
  readonly #case: Case;
  #deadline: Deadline;
  #phase: Phase = "steps";
  #steps = 0;
  readonly #cleanups: (() => Promise<void> | void)[] = [];
  readonly #pending = new Map<Promise<unknown>, Step>();

  /** Runs steps in a case. */
  constructor(owner: Case, deadline: Deadline) {
    this.#case = owner;
    this.#deadline = deadline;
  }

  /** What is called from now on belongs to the clean-up, which has a time of its own. */
  enterAlways(deadline: Deadline): void {
    this.#deadline = deadline;
    this.#phase = "always";
  }

  /** The recipe's variables. */
  get vars(): Readonly<Record<string, unknown>> {
    return this.#root("vars");
  }

  /** The environment variables it declares. */
  get env(): Readonly<Record<string, string>> {
    return this.#root("env") as Record<string, string>;
  }

  /** The secrets it declares; they are masked in every output. */
  get secrets(): Readonly<Record<string, string>> {
    return this.#root("secrets") as Record<string, string>;
  }

  /** The values of this case. */
  get matrix(): Readonly<Record<string, unknown>> {
    return this.#root("matrix");
  }

  /** Aborted when the recipe's time is over or the run is interrupted. */
  get signal(): AbortSignal {
    return this.#deadline.signal;
  }

  /** The client, for what no step does. */
  get client(): RunnerClient {
    return this.#case.options.client;
  }

  /** Enqueues a job. */
  enqueue<N extends NameOf<S, "jobs">>(
    name: N,
    payload?: Named<S, "jobs">[N],
    settings: EnqueueSettings = {},
  ): Promise<JobHandle> {
    return this.#step(async () => {
      const { queue, priority, ...rest } = settings;
      const step = await this.#run("enqueue", {
        enqueue: literal(name),
        payload: literal(payload ?? null),
        ...(queue === undefined ? {} : { queue: literal(queue) }),
        ...(priority === undefined ? {} : { priority: literal(priority) }),
      }, rest);
      this.#left(step);
      return makeHandle(this.#case, step.id!) as JobHandle;
    });
  }

  /** Starts a workflow; its run goes on. */
  start<N extends NameOf<S, "workflows">>(
    name: N,
    input?: Named<S, "workflows">[N],
    settings: StepSettings = {},
  ): Promise<RunHandle> {
    return this.#step(async () => {
      const fields = { start: literal(name), input: literal(input ?? null) };
      const step = await this.#run("start", fields, settings);
      this.#left(step);
      return makeHandle(this.#case, step.id!) as RunHandle;
    });
  }

  /** Publishes an event. */
  publish<N extends NameOf<S, "events">>(
    name: N,
    payload?: Named<S, "events">[N],
    settings: StepSettings = {},
  ): Promise<{ event_id: string; name: string }> {
    return this.#step(async () => {
      const fields = { publish: literal(name), payload: literal(payload ?? null) };
      const step = await this.#run("publish", fields, settings);
      return this.#left(step) as { event_id: string; name: string };
    });
  }

  /** Waits for a job. */
  wait(job: JobHandle, settings?: WaitSettings<JobState, JobHandle>): Promise<void>;
  /** Waits for a run. */
  wait(run: RunHandle, settings?: WaitSettings<RunState, RunHandle>): Promise<void>;
  wait(
    handle: JobHandle | RunHandle,
    settings: WaitSettings<string, never> = {},
  ): Promise<void> {
    return this.#step(async () => {
      const { until: _, untilStep: __, failOn: ___, ...rest } = settings;
      const name = waitLabel(handle, settings);
      await this.#run("wait", waitFields(handle, settings), { name, ...rest });
    });
  }

  /** Waits for events of a channel, and gives those that count. */
  events(channel: string, settings: EventsSettings = {}): Promise<DispatchEvent[]> {
    return this.#step(async () => {
      const { where, count = 1, ...rest } = settings;
      const condition = where &&
        new FunctionExpression(where as (event: never) => boolean, "event");
      const step = await this.#run("wait", {
        wait: {
          channel: literal(channel),
          count: literal(count),
          ...(condition ? { where: condition } : {}),
        },
      }, rest);
      return (this.#left(step) as { events: DispatchEvent[] }).events;
    });
  }

  /** Cancels a job. */
  cancel(job: JobHandle, settings: StepSettings = {}): Promise<void> {
    return this.#step(async () => {
      await this.#run("cancel", { cancel: { job: literal(job.job_id), span: NOWHERE } }, settings);
    });
  }

  /** Reads the server's statistics. */
  stats(settings: StepSettings = {}): Promise<Stats> {
    return this.#step(async () => {
      const step = await this.#run("stats", { stats: true }, settings);
      return this.#left(step) as Stats;
    });
  }

  /** Calls any method of the wire protocol. */
  call(method: string, data: unknown = {}, settings: StepSettings = {}): Promise<unknown> {
    return this.#step(async () => {
      const step = await this.#run("call", { call: method, data: literal(data) }, settings);
      return this.#left(step);
    });
  }

  /** Does nothing for a while, such as `250ms`. */
  sleep(duration: string, settings: StepSettings = {}): Promise<void> {
    return this.#step(async () => {
      await this.#run("sleep", { sleep: literal(duration) }, settings);
    });
  }

  /** Prints a line. */
  log(text: string): void {
    const { emit, index } = this.#case.options;
    emit({ type: "log", case: index, step: String(this.#steps), phase: this.#phase, text });
  }

  /** Asserts that something is true. */
  assert(condition: unknown, message = "the assertion"): void {
    this.#instant(
      `assert ${message}`,
      () => condition ? undefined : { message: `${message} does not hold`, lines: [] },
    );
  }

  /** Expects something of a value. */
  expect<T>(value: T): Expectations<T> {
    return new Expectations(
      value,
      (label, check) => this.#instant(label, check),
      this.#case.hide,
    );
  }

  /** Runs in any case when the recipe has ended, the last one given first. */
  always(cleanup: () => Promise<void> | void): void {
    this.#cleanups.push(cleanup);
  }

  /** Waits for steps that nobody awaited, so that none runs on when the recipe has ended. */
  async settle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled([...this.#pending.keys()]);
  }

  /** The steps that are not done. */
  get pending(): readonly Step[] {
    return [...this.#pending.values()];
  }

  /** The functions given to {@linkcode Script.always}, in the order they run. */
  get cleanups(): readonly (() => Promise<void> | void)[] {
    return this.#cleanups.toReversed();
  }

  /** What a step left; a soft one that failed has left nothing to go on with. */
  #left({ id, number, span }: Step): unknown {
    if (this.#case.results.has(id!)) return this.#case.results.get(id!);
    throw new StepFailure("evaluation", `Step ${number} failed and left nothing`, { span });
  }

  /**
   * What a method does, begun at once. A step that nobody awaits must not end the process when it
   * fails: its failure is the recipe's already.
   */
  #step<T>(begin: () => Promise<T>): Promise<T> {
    const promise = begin();
    promise.catch(() => {});
    return promise;
  }

  #root(name: string): Record<string, unknown> {
    return fromCel(this.#case.results.values()[name]) as Record<string, unknown>;
  }

  #run(kind: string, fields: unknown, settings: StepSettings): Promise<Step> {
    const step = this.#make(STEP_KINDS[kind]!, fields, settings);
    const runner = new StepRunner(this.#case, this.#deadline, this.#case.results);
    const running = runner.run(step).then((failure) => {
      if (!failure) return step;
      // A failure that the recipe catches is a failure all the same.
      this.#case.fail(failure);
      throw new StepFailure(failure.kind, failure.message, { lines: failure.lines });
    });
    this.#pending.set(running, step);
    running.catch(() => {}).finally(() => this.#pending.delete(running));
    return running;
  }

  /** A step that is done when it is called. */
  #instant(label: string, check: () => NotMet | undefined): void {
    const step = this.#make(INSTANT, {}, { name: label });
    this.#case.checks++;
    const runner = new StepRunner(this.#case, this.#deadline, this.#case.results);
    const notMet = check();
    const failure = runner.instant(
      step,
      notMet && new StepFailure("assertion", notMet.message, { lines: notMet.lines }),
    );
    if (!failure) return;
    this.#case.fail(failure);
    throw new StepFailure(failure.kind, failure.message, { lines: failure.lines });
  }

  #make(kind: StepKind, fields: unknown, settings: StepSettings): Step {
    const number = String(++this.#steps);
    const { name, within, soft = false } = settings;
    return {
      kind,
      fields,
      number,
      phase: this.#phase,
      span: this.#span(),
      id: `$${this.#phase === "always" ? "always" : ""}${number}`,
      soft,
      ...(name === undefined ? {} : { name: literal(name) }),
      ...(within === undefined ? {} : { within: literal(within) }),
    };
  }

  #span(): Span {
    const { source, module } = this.#case.recipe;
    const site = callSite(module);
    if (!site) return NOWHERE;
    const start = source.offset(site.line, site.column);
    const name = /^[\w.$]+/.exec(source.text.slice(start))?.[0] ?? "";
    return { start, end: start + Math.max(1, name.length) };
  }
}

const INSTANT: StepKind = {
  name: "assert",
  title: "an assertion",
  description: "Asserts.",
  fields: {},
  checks: true,
  label: () => "assert",
  run: () => Promise.resolve({}),
};
