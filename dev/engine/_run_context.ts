import { encodeBase64 } from "../../protocol/base64.ts";
import {
  aFunction,
  listOf,
  optional,
  type OptionRules,
  someText,
} from "../../runtime/check_options.ts";
import { ClockHold } from "../../runtime/clock_hold.ts";
import {
  type HandlerContext,
  StepError,
  type StepFunction,
  type StepOptions,
  type Workflow,
  type WorkflowEvent,
} from "../context.ts";
import { type Duration, parseDuration } from "../duration.ts";
import { aDuration } from "../option_rules.ts";
import { checkArgument, checkOptions } from "../options_error.ts";
import { goQuote, goStringify } from "../go/encode.ts";
import { gobBase64 } from "../go/gob.ts";
import { Checkpoints } from "./_checkpoints.ts";
import { ChildRuns, type StartChild } from "./_child_runs.ts";
import { EventWaits } from "./_event_waits.ts";
import { RunWork } from "./_run_work.ts";
import { runTaskGroup } from "./_task_group.ts";
import { errorText } from "./errors.ts";
import { never, type ServerState } from "./server_state.ts";
import type { RunRow } from "./store_rows.ts";

/** Undoes a step if the run fails. */
interface Compensation {
  name: string;
  undo: (context: HandlerContext) => unknown;
}

const STEP_RULES: OptionRules = { compensate: optional(aFunction) };

function checkWait(names: readonly string[], timeout: Duration): void {
  checkArgument("wait for events", "names", names, listOf("names", someText));
  checkArgument(`wait for event '${names.join("', '")}'`, "timeout", timeout, aDuration);
}

/**
 * The context that a workflow's handler receives. The names and the order of the checkpoints and
 * events are those of a Go server.
 */
export class RunContext implements Workflow {
  readonly run_id: string;
  readonly name: string;
  readonly signal: AbortSignal;
  readonly #server: ServerState;
  readonly #checkpoints: Checkpoints;
  readonly #eventWaits: EventWaits;
  readonly #children: ChildRuns;
  readonly #compensations: Compensation[] = [];
  readonly work: RunWork;

  constructor(server: ServerState, run: RunRow, signal: AbortSignal, startChild: StartChild) {
    this.#server = server;
    this.#checkpoints = new Checkpoints(server, run);
    this.work = new RunWork(server, run, signal);
    this.#eventWaits = new EventWaits(server, run, this.work);
    this.#children = new ChildRuns({
      server,
      run,
      checkpoints: this.#checkpoints,
      signal,
      startChild,
      work: this.work,
    });
    this.run_id = run.id;
    this.name = run.name;
    this.signal = signal;
  }

  log(message: string): void {
    this.#server.log(`${this.name} ${this.run_id}: ${message}`);
  }

  async step<Result>(
    name: string,
    run: StepFunction<Result>,
    options: StepOptions<Result> = {},
  ): Promise<Result> {
    checkArgument("run step", "name", name, someText);
    checkArgument(`run step '${name}'`, "function", run, aFunction);
    checkOptions(`run step '${name}'`, options, STEP_RULES);
    const saved = this.#checkpoints.restore(name);
    const result = saved ? saved.value as Result : await this.#runStep(name, run);
    const { compensate } = options;
    if (compensate) this.compensate(name, (context) => compensate(result, context));
    return result;
  }

  async parallel(name: string, steps: readonly StepFunction[]): Promise<void> {
    checkArgument("run steps", "group", name, someText);
    checkArgument(`run steps of '${name}'`, "steps", steps, listOf("functions", aFunction));
    const group = `parallel:${name}`;
    if (this.#checkpoints.has(group)) return;
    const options = { signal: this.signal, timers: this.#server.timers };
    const failure = await runTaskGroup(steps, options, async (step, index, signal) => {
      const key = `${group}:${index}`;
      if (this.#checkpoints.has(key)) return;
      const startedMs = this.#checkpoints.now();
      try {
        await this.work.carryOut("parallel", key, () => this.#call(step, signal));
      } catch (error) {
        this.#checkpoints.emitFailed(key, error);
        throw error;
      }
      if (this.#server.closed) return never();
      this.#checkpoints.save(key);
      this.#checkpoints.emitCompleted(key, startedMs);
    });
    if (this.#server.closed) return never();
    if (failure) {
      const message = `workflow ${this.name} parallel ${goQuote(name)}: `;
      throw new StepError(message + errorText(failure.error), { cause: failure.error });
    }
    this.#checkpoints.save(group);
  }

  compensate(name: string, undo: (context: HandlerContext) => unknown): void {
    checkArgument("register compensation", "name", name, someText);
    checkArgument(`register compensation '${name}'`, "function", undo, aFunction);
    this.#compensations.push({ name, undo });
  }

  /** Runs the compensations, the last registered first. If one fails, the others still run. */
  async runCompensations(): Promise<void> {
    for (const { name, undo } of this.#compensations.toReversed()) {
      const key = `compensate:${name}`;
      if (this.#checkpoints.has(key)) continue;
      const startedMs = this.#checkpoints.now();
      try {
        await this.work.carryOut("compensate", name, () => this.#call(undo, this.signal));
      } catch (error) {
        this.#checkpoints.emitFailed(key, error);
        continue;
      }
      if (this.#server.closed) return never();
      this.#checkpoints.save(key);
      this.#checkpoints.emitCompleted(key, startedMs);
    }
  }

  async sleep(name: string, duration: Duration): Promise<void> {
    checkArgument("sleep", "name", name, someText);
    checkArgument(`sleep '${name}'`, "duration", duration, aDuration);
    const key = `sleep:${name}`;
    if (this.#checkpoints.has(key)) return;
    const ms = parseDuration(duration);
    const sleep = () => this.#server.timers.sleep(ms, this.signal);
    await this.work.carryOut("sleep", name, () => this.work.during(sleep()), { ms });
    this.#checkpoints.save(key);
  }

  async waitForEvent<Payload = unknown>(
    name: string,
    timeout: Duration,
  ): Promise<WorkflowEvent<Payload> | undefined> {
    checkWait([name], timeout);
    return await this.#eventWaits.waitForOne({
      key: `wait:${name}`,
      names: [name],
      timeout,
      errorPrefix: `workflow ${this.name} wait ${goQuote(name)}: `,
    }) as WorkflowEvent<Payload> | undefined;
  }

  async waitForAll(names: readonly string[], timeout: Duration): Promise<WorkflowEvent[]> {
    checkWait(names, timeout);
    return await this.#eventWaits.waitForAll(names, timeout);
  }

  async waitForAny(
    names: readonly string[],
    timeout: Duration,
  ): Promise<WorkflowEvent | undefined> {
    checkWait(names, timeout);
    return await this.#eventWaits.waitForOne({
      key: `waitany:${names.join(",")}`,
      names,
      timeout,
      errorPrefix: `workflow ${this.name} waitany: `,
    });
  }

  async waitForMatch<Payload = unknown>(
    name: string,
    timeout: Duration,
    match: (event: WorkflowEvent<Payload>) => boolean,
  ): Promise<WorkflowEvent<Payload> | undefined> {
    checkWait([name], timeout);
    checkArgument(`wait for event '${name}'`, "condition", match, aFunction);
    return await this.#eventWaits.waitForOne({
      key: `waitmatch:${name}`,
      names: [name],
      timeout,
      errorPrefix: `workflow ${this.name} waitmatch ${goQuote(name)}: `,
      match: match as (event: WorkflowEvent) => boolean,
    }) as WorkflowEvent<Payload> | undefined;
  }

  async runChild<Output = unknown>(name: string, input?: unknown): Promise<Output> {
    checkArgument("start child", "name", name, someText);
    return await this.#children.run(name, input) as Output;
  }

  async spawnChild(name: string, input?: unknown): Promise<string> {
    checkArgument("start child", "name", name, someText);
    return await this.#children.spawn(name, input);
  }

  async fanOut<Output = unknown>(name: string, inputs: readonly unknown[]): Promise<Output[]> {
    checkArgument("start children", "name", name, someText);
    checkArgument(`start children '${name}'`, "inputs", inputs, listOf("inputs", () => undefined));
    return await this.#children.fanOut(name, inputs) as Output[];
  }

  async #runStep<Result>(name: string, run: StepFunction<Result>): Promise<Result> {
    const startedMs = this.#checkpoints.now();
    let result: Result;
    try {
      result = await this.work.carryOut("step", name, () => this.#call(run, this.signal));
    } catch (error) {
      const prefix = `workflow ${this.name} step ${goQuote(name)}: `;
      throw this.#checkpoints.emitFailed(name, error, prefix);
    }
    if (this.#server.closed) return never();
    const json = this.#stringify(name, result);
    const data = json === undefined ? "" : this.#timelineData(result, json);
    this.#checkpoints.save(name, data, json);
    this.#checkpoints.emitCompleted(name, startedMs);
    return result;
  }

  /** Calls a step's function. While it works, and does not sleep, a virtual clock does not skip. */
  async #call<T>(
    work: (context: HandlerContext) => T,
    signal: AbortSignal,
  ): Promise<Awaited<T>> {
    const { timers } = this.#server;
    const hold = new ClockHold(timers);
    // The step holds the clock itself, and may sleep.
    const done = this.work.wait();
    // A step whose process has died does not return.
    const offDeath = this.work.onDeath(() => hold.end());
    const sleep: HandlerContext["sleep"] = async (duration, options = {}) => {
      const until = options.signal === undefined ? signal : options.signal;
      await hold.during(timers.sleep(parseDuration(duration), until));
      if (!this.work.isDead) return;
      hold.end();
      return never();
    };
    try {
      return await work({ signal, sleep, log: (message) => this.log(message) });
    } finally {
      done();
      offDeath();
      hold.end();
    }
  }

  #stringify(step: string, result: unknown): string | undefined {
    if (result === undefined) return undefined;
    let reason = "the result is not JSON-serializable";
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

  #timelineData(result: unknown, json: string): string {
    return this.#server.quirks["gob-results"] ? gobBase64(result, json) : encodeBase64(json);
  }
}
