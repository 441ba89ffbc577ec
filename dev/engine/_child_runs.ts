import { type Core, NEVER } from "./server_state.ts";
import { goStringify } from "../go/encode.ts";
import { goQuote } from "../go/scan.ts";
import { Group } from "./_task_group.ts";
import { errorText } from "./handler_input.ts";
import type { Progress } from "./_checkpoints.ts";
import type { RunRow } from "./store_rows.ts";
import type { Started, WorkflowEngine } from "./workflow_engine.ts";
import { StepError } from "../context.ts";
import { encodeBase64 } from "../../protocol/base64.ts";

/** The workflows that a run starts. */
export class ChildRuns {
  readonly #core: Core;
  readonly #engine: WorkflowEngine;
  readonly #run: RunRow;
  readonly #progress: Progress;
  readonly #signal: AbortSignal;
  /** How many of each name were begun. */
  readonly #begun = new Map<string, number>();

  constructor(
    { core, engine, run, progress, signal }: {
      core: Core;
      engine: WorkflowEngine;
      run: RunRow;
      progress: Progress;
      signal: AbortSignal;
    },
  ) {
    this.#core = core;
    this.#engine = engine;
    this.#run = run;
    this.#progress = progress;
    this.#signal = signal;
  }

  /** Runs a child to its end; gives its output. */
  async run(name: string, input: unknown): Promise<unknown> {
    const key = this.#childKey("child", name);
    const done = this.#progress.restore(key);
    if (done) return done.value;
    const began = this.#progress.now();
    const child = this.#begin("child", key, name, input);
    await child.done;
    if (child.run.state === "failed") {
      const message = `child workflow ${goQuote(name)} failed: ${child.run.error}`;
      throw this.#progress.failed(key, new StepError(message));
    }
    const output = child.run.output ?? "null";
    this.#progress.save(key, encodeBase64(output), output);
    this.#progress.completed(key, began);
    return JSON.parse(output);
  }

  /** Begins a child; gives its id. */
  async spawn(name: string, input: unknown): Promise<string> {
    const key = this.#childKey("spawn", name);
    const done = this.#progress.restore(key);
    if (done) return done.value as string;
    const began = this.#progress.now();
    const child = this.#begin("spawn", key, name, input);
    this.#progress.save(key, encodeBase64(child.run.id), JSON.stringify(child.run.id));
    this.#progress.completed(key, began);
    // A handler may count on being asynchronous here, as it is wherever else it awaits.
    return await Promise.resolve(child.run.id);
  }

  /** Runs a child for each input; gives their outputs. */
  async fanOut(name: string, inputs: readonly unknown[]): Promise<unknown> {
    const group = `fanout:${name}`;
    const done = this.#progress.restore(group);
    if (done) return done.value;
    const outputs: string[] = [];
    const running = new Group(this.#signal);
    await running.each(inputs, async (input, index, signal) => {
      const key = `child:${name}:${index}`;
      const child = this.#progress.restore(key);
      outputs[index] = child
        ? JSON.stringify(child.value)
        : await this.#fanned(key, name, input, signal);
    }, () => this.#core.timers.breathe());
    const failure = await running.wait();
    if (this.#core.closed) return NEVER;
    if (failure) {
      const message = `workflow ${this.#run.name} fanout ${goQuote(name)}: `;
      throw new StepError(message + errorText(failure.error), { cause: failure.error });
    }
    const json = `[${outputs.join(",")}]`;
    this.#progress.save(group, encodeBase64(json), json);
    return JSON.parse(json);
  }

  async #fanned(key: string, name: string, input: unknown, signal: AbortSignal): Promise<string> {
    const shown = goQuote(key.slice("child:".length));
    let child: Started;
    try {
      child = this.#startChild(name, input, signal);
    } catch (error) {
      const message = `workflow ${this.#run.name} fanout child ${shown}: ${errorText(error)}`;
      throw new StepError(message, { cause: error });
    }
    await child.done;
    if (child.run.state === "failed") {
      throw new StepError(`fanout child ${shown} failed: ${child.run.error}`);
    }
    const output = child.run.output ?? "null";
    this.#progress.save(key, encodeBase64(output), output);
    return output;
  }

  /** Starts a child; one that cannot be started fails its step. */
  #begin(kind: "child" | "spawn", key: string, name: string, input: unknown): Started {
    try {
      return this.#startChild(name, input, this.#signal);
    } catch (error) {
      const before = `workflow ${this.#run.name} ${kind} ${goQuote(name)}: `;
      throw this.#progress.failed(key, error, before);
    }
  }

  #startChild(name: string, input: unknown, signal: AbortSignal): Started {
    return this.#engine.start(this.#run, name, goStringify(input ?? null), signal, this.#run.id);
  }

  /** Servers of today know one child of a name; others are told apart by their number. */
  #childKey(kind: "child" | "spawn", name: string): string {
    const key = `${kind}:${name}`;
    if (this.#core.quirks["children-share-checkpoint"]) return key;
    const before = this.#begun.get(key) ?? 0;
    this.#begun.set(key, before + 1);
    return before === 0 ? key : `${key}:${before}`;
  }
}
