import { type Core, emitRun, NEVER } from "./_core.ts";
import { goStringify } from "./_go_encode.ts";
import { goQuote } from "./_go_scan.ts";
import { gobBase64 } from "./_gob.ts";
import { errorText } from "./_input.ts";
import { Group } from "./_group.ts";
import { EventWaits } from "./_event_waits.ts";
import type { RunRow } from "./_rows.ts";
import type { Started, WorkflowEngine } from "./_workflow_engine.ts";
import type { HandlerContext } from "./define.ts";
import { type Duration, parseDuration } from "./duration.ts";
import {
  StepError,
  type StepFunction,
  type StepOptions,
  type Workflow,
  type WorkflowEvent,
} from "./workflow.ts";
import { encodeBase64 } from "../protocol/mod.ts";

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
  readonly #engine: WorkflowEngine;
  readonly #run: RunRow;
  readonly #waits: EventWaits;
  readonly #compensations: Compensation[] = [];
  readonly #children = new Map<string, number>();

  constructor(core: Core, engine: WorkflowEngine, run: RunRow, signal: AbortSignal) {
    this.#core = core;
    this.#engine = engine;
    this.#run = run;
    this.#waits = new EventWaits(core, run);
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
    const done = this.#run.checkpoints.get(name);
    if (done) result = restored(done.value) as Result;
    else {
      const began = this.#now();
      try {
        result = await this.#call(run, this.signal);
      } catch (error) {
        throw this.#failed(name, error, `workflow ${this.name} step ${goQuote(name)}: `);
      }
      if (this.#core.closed) return NEVER;
      const json = this.#encoded(name, result);
      this.#save(name, json === undefined ? "" : this.#resultData(result, json), json);
      this.#completed(name, began);
    }
    const { compensate } = options;
    if (compensate) this.compensate(name, (context) => compensate(result, context));
    return result;
  }

  async parallel(name: string, steps: readonly StepFunction[]): Promise<void> {
    const group = `parallel:${name}`;
    if (this.#run.checkpoints.has(group)) return;
    const running = new Group(this.signal);
    await running.each(steps, async (step, index, signal) => {
      const key = `${group}:${index}`;
      if (this.#run.checkpoints.has(key)) return;
      const began = this.#now();
      try {
        await this.#call(step, signal);
      } catch (error) {
        this.#failed(key, error, "");
        throw error;
      }
      if (this.#core.closed) return NEVER;
      this.#save(key);
      this.#completed(key, began);
    }, () => this.#core.timers.breathe());
    const failure = await running.wait();
    if (this.#core.closed) return NEVER;
    if (failure) {
      const message = `workflow ${this.name} parallel ${goQuote(name)}: `;
      throw new StepError(message + errorText(failure.error), { cause: failure.error });
    }
    this.#save(group);
  }

  compensate(name: string, undo: (context: HandlerContext) => unknown): void {
    this.#compensations.push({ name, undo });
  }

  /** Runs what undoes the work, the last first. One that fails does not keep the others. */
  async undo(): Promise<void> {
    for (const { name, undo } of this.#compensations.toReversed()) {
      const key = `compensate:${name}`;
      if (this.#run.checkpoints.has(key)) continue;
      const began = this.#now();
      try {
        await this.#call(undo, this.signal);
      } catch (error) {
        this.#failed(key, error, "");
        continue;
      }
      if (this.#core.closed) return NEVER;
      this.#save(key);
      this.#completed(key, began);
    }
  }

  async sleep(name: string, duration: Duration): Promise<void> {
    const key = `sleep:${name}`;
    if (this.#run.checkpoints.has(key)) return;
    await this.#core.timers.sleep(parseDuration(duration), this.signal);
    this.#save(key);
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

  async runChild<Output = unknown>(name: string, input?: unknown): Promise<Output> {
    const key = this.#childKey("child", name);
    const done = this.#run.checkpoints.get(key);
    if (done) return restored(done.value) as Output;
    const began = this.#now();
    let child: Started;
    try {
      child = this.#startChild(name, input, this.signal);
    } catch (error) {
      throw this.#failed(key, error, `workflow ${this.name} child ${goQuote(name)}: `);
    }
    await child.done;
    if (child.run.state === "failed") {
      const message = `child workflow ${goQuote(name)} failed: ${child.run.error}`;
      throw this.#failed(key, new StepError(message), "");
    }
    const output = child.run.output ?? "null";
    this.#save(key, encodeBase64(output), output);
    this.#completed(key, began);
    return JSON.parse(output);
  }

  async spawnChild(name: string, input?: unknown): Promise<string> {
    const key = this.#childKey("spawn", name);
    const done = this.#run.checkpoints.get(key);
    if (done) return restored(done.value) as string;
    const began = this.#now();
    let child: Started;
    try {
      child = this.#startChild(name, input, this.signal);
    } catch (error) {
      throw this.#failed(key, error, `workflow ${this.name} spawn ${goQuote(name)}: `);
    }
    this.#save(key, encodeBase64(child.run.id), JSON.stringify(child.run.id));
    this.#completed(key, began);
    // A handler may count on being asynchronous here, as it is wherever else it awaits.
    return await Promise.resolve(child.run.id);
  }

  async fanOut<Output = unknown>(name: string, inputs: readonly unknown[]): Promise<Output[]> {
    const group = `fanout:${name}`;
    const done = this.#run.checkpoints.get(group);
    if (done) return restored(done.value) as Output[];
    const outputs: string[] = [];
    const running = new Group(this.signal);
    await running.each(inputs, async (input, index, signal) => {
      const key = `child:${name}:${index}`;
      const child = this.#run.checkpoints.get(key);
      outputs[index] = child
        ? JSON.stringify(restored(child.value))
        : await this.#fanned(key, name, input, signal);
    }, () => this.#core.timers.breathe());
    const failure = await running.wait();
    if (this.#core.closed) return NEVER;
    if (failure) {
      const message = `workflow ${this.name} fanout ${goQuote(name)}: `;
      throw new StepError(message + errorText(failure.error), { cause: failure.error });
    }
    const json = `[${outputs.join(",")}]`;
    this.#save(group, encodeBase64(json), json);
    return JSON.parse(json);
  }

  async #fanned(key: string, name: string, input: unknown, signal: AbortSignal): Promise<string> {
    const shown = goQuote(key.slice("child:".length));
    let child: Started;
    try {
      child = this.#startChild(name, input, signal);
    } catch (error) {
      const message = `workflow ${this.name} fanout child ${shown}: ${errorText(error)}`;
      throw new StepError(message, { cause: error });
    }
    await child.done;
    if (child.run.state === "failed") {
      throw new StepError(`fanout child ${shown} failed: ${child.run.error}`);
    }
    const output = child.run.output ?? "null";
    this.#save(key, encodeBase64(output), output);
    return output;
  }

  #startChild(name: string, input: unknown, signal: AbortSignal): Started {
    return this.#engine.start(this.#run, name, goStringify(input ?? null), signal, this.run_id);
  }

  /** Servers of today know one child of a name; others are told apart by their number. */
  #childKey(kind: "child" | "spawn", name: string): string {
    const key = `${kind}:${name}`;
    if (this.#core.quirks["children-share-checkpoint"]) return key;
    const before = this.#children.get(key) ?? 0;
    this.#children.set(key, before + 1);
    return before === 0 ? key : `${key}:${before}`;
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

  #save(step: string, data = "", json?: string): void {
    this.#run.checkpoints.set(step, {
      step,
      data,
      value: json,
      createdAt: this.#core.stamps.now(),
    });
  }

  #completed(step_name: string, began: number): void {
    const elapsed_ms = Math.floor(this.#now() - began);
    emitRun(this.#core, "workflow.step_completed", this.#run, { step_name, elapsed_ms });
  }

  /** Says that a step failed; gives what its caller is to throw. */
  #failed(step_name: string, error: unknown, prefix: string): StepError {
    const text = errorText(error);
    if (!this.#core.closed) {
      emitRun(this.#core, "workflow.step_failed", this.#run, { step_name, error: text });
    }
    return new StepError(prefix + text, { cause: error });
  }

  #now(): number {
    return this.#core.timers.clock.now();
  }
}

/** What a checkpoint gives back: JSON text is parsed anew, so that no two runs share an object. */
function restored(value: unknown): unknown {
  return typeof value === "string" ? JSON.parse(value) : undefined;
}
