import { ChildRuns } from "./_child_runs.ts";
import { type Core, NEVER } from "./server_state.ts";
import { goStringify } from "../go/encode.ts";
import { goQuote } from "../go/scan.ts";
import { gobBase64 } from "../go/gob.ts";
import { errorText } from "./handler_input.ts";
import { Group } from "./_task_group.ts";
import { EventWaits } from "./_event_waits.ts";
import { Progress } from "./_checkpoints.ts";
import type { RunRow } from "./store_rows.ts";
import type { WorkflowEngine } from "./workflow_engine.ts";
import type { HandlerContext } from "../define.ts";
import { type Duration, parseDuration } from "../duration.ts";
import {
  StepError,
  type StepFunction,
  type StepOptions,
  type Workflow,
  type WorkflowEvent,
} from "../context.ts";
import { encodeBase64 } from "../../protocol/base64.ts";

interface Compensation {
  name: string;
  undo: (context: HandlerContext) => unknown;
}

/** A run, as its handler sees it. The order of its checkpoints and events is the wire's. */
export class RunContext implements Workflow {
  readonly run_id: string;
  readonly name: string;
  readonly signal: AbortSignal;
  readonly #core: Core;
  readonly #waits: EventWaits;
  readonly #compensations: Compensation[] = [];
  readonly #children: ChildRuns;
  readonly #progress: Progress;

  constructor(core: Core, engine: WorkflowEngine, run: RunRow, signal: AbortSignal) {
    this.#core = core;
    this.#waits = new EventWaits(core, run);
    this.#progress = new Progress(core, run);
    this.#children = new ChildRuns({ core, engine, run, progress: this.#progress, signal });
    this.run_id = run.id;
    this.name = run.name;
    this.signal = signal;
  }

  log(message: string): void {
    this.#core.log(`${this.name} ${this.run_id}: ${message}`);
  }

  async step<Result>(
    name: string,
    run: StepFunction<Result>,
    options: StepOptions<Result> = {},
  ): Promise<Result> {
    let result: Result;
    const done = this.#progress.restore(name);
    if (done) result = done.value as Result;
    else {
      const began = this.#progress.now();
      try {
        result = await this.#call(run, this.signal);
      } catch (error) {
        throw this.#progress.failed(name, error, `workflow ${this.name} step ${goQuote(name)}: `);
      }
      if (this.#core.closed) return NEVER;
      const json = this.#encoded(name, result);
      this.#progress.save(name, json === undefined ? "" : this.#resultData(result, json), json);
      this.#progress.completed(name, began);
    }
    const { compensate } = options;
    if (compensate) this.compensate(name, (context) => compensate(result, context));
    return result;
  }

  async parallel(name: string, steps: readonly StepFunction[]): Promise<void> {
    const group = `parallel:${name}`;
    if (this.#progress.has(group)) return;
    const running = new Group(this.signal);
    await running.each(steps, async (step, index, signal) => {
      const key = `${group}:${index}`;
      if (this.#progress.has(key)) return;
      const began = this.#progress.now();
      try {
        await this.#call(step, signal);
      } catch (error) {
        this.#progress.failed(key, error);
        throw error;
      }
      if (this.#core.closed) return NEVER;
      this.#progress.save(key);
      this.#progress.completed(key, began);
    }, () => this.#core.timers.breathe());
    const failure = await running.wait();
    if (this.#core.closed) return NEVER;
    if (failure) {
      const message = `workflow ${this.name} parallel ${goQuote(name)}: `;
      throw new StepError(message + errorText(failure.error), { cause: failure.error });
    }
    this.#progress.save(group);
  }

  compensate(name: string, undo: (context: HandlerContext) => unknown): void {
    this.#compensations.push({ name, undo });
  }

  /** Runs what undoes the work, the last first. One that fails does not keep the others. */
  async undo(): Promise<void> {
    for (const { name, undo } of this.#compensations.toReversed()) {
      const key = `compensate:${name}`;
      if (this.#progress.has(key)) continue;
      const began = this.#progress.now();
      try {
        await this.#call(undo, this.signal);
      } catch (error) {
        this.#progress.failed(key, error);
        continue;
      }
      if (this.#core.closed) return NEVER;
      this.#progress.save(key);
      this.#progress.completed(key, began);
    }
  }

  async sleep(name: string, duration: Duration): Promise<void> {
    const key = `sleep:${name}`;
    if (this.#progress.has(key)) return;
    await this.#core.timers.sleep(parseDuration(duration), this.signal);
    this.#progress.save(key);
  }

  async waitForEvent<Payload = unknown>(
    name: string,
    timeout: Duration,
  ): Promise<WorkflowEvent<Payload> | undefined> {
    return await this.#waits.one(
      `wait:${name}`,
      [name],
      timeout,
      this.signal,
      `workflow ${this.name} wait ${goQuote(name)}: `,
    ) as WorkflowEvent<Payload> | undefined;
  }

  async waitForAll(names: readonly string[], timeout: Duration): Promise<WorkflowEvent[]> {
    return await this.#waits.all(names, timeout, this.signal);
  }

  async waitForAny(
    names: readonly string[],
    timeout: Duration,
  ): Promise<WorkflowEvent | undefined> {
    const key = `waitany:${names.join(",")}`;
    const failed = `workflow ${this.name} waitany: `;
    return await this.#waits.one(key, names, timeout, this.signal, failed);
  }

  async waitForMatch<Payload = unknown>(
    name: string,
    timeout: Duration,
    match: (event: WorkflowEvent<Payload>) => boolean,
  ): Promise<WorkflowEvent<Payload> | undefined> {
    return await this.#waits.one(
      `waitmatch:${name}`,
      [name],
      timeout,
      this.signal,
      `workflow ${this.name} waitmatch ${goQuote(name)}: `,
      match as (event: WorkflowEvent) => boolean,
    ) as WorkflowEvent<Payload> | undefined;
  }

  runChild<Output = unknown>(name: string, input?: unknown): Promise<Output> {
    return this.#children.run(name, input) as Promise<Output>;
  }

  spawnChild(name: string, input?: unknown): Promise<string> {
    return this.#children.spawn(name, input);
  }

  fanOut<Output = unknown>(name: string, inputs: readonly unknown[]): Promise<Output[]> {
    return this.#children.fanOut(name, inputs) as Promise<Output[]>;
  }

  /** Runs a step's function, and tells the clock when it is at work and when it waits. */
  async #call<T>(
    work: (context: HandlerContext) => T,
    signal: AbortSignal,
  ): Promise<Awaited<T>> {
    const { timers } = this.#core;
    let release = timers.hold();
    let over = false;
    const sleep: HandlerContext["sleep"] = async (duration, options = {}) => {
      release();
      try {
        await timers.sleep(
          parseDuration(duration),
          options.signal === undefined ? signal : options.signal,
        );
      } finally {
        if (!over) release = timers.hold();
      }
    };
    try {
      return await work({ signal, sleep, log: (message) => this.log(message) });
    } finally {
      over = true;
      release();
    }
  }

  #encoded(step: string, result: unknown): string | undefined {
    if (result === undefined) return undefined;
    let reason = "a value that JSON cannot hold";
    let cause: unknown;
    try {
      const json = goStringify(result);
      if (json !== undefined) return json;
    } catch (error) {
      cause = error;
      reason = errorText(error);
    }
    const message = `workflow ${this.name}: encode checkpoint ${goQuote(step)}: ${reason}`;
    throw new StepError(message, { cause });
  }

  #resultData(result: unknown, json: string): string {
    return this.#core.quirks["gob-results"] ? gobBase64(result, json) : encodeBase64(json);
  }
}
