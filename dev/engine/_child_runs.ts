import { encodeBase64 } from "../../protocol/base64.ts";
import { StepError } from "../context.ts";
import { goQuote, goStringify } from "../go/encode.ts";
import type { Checkpoints } from "./_checkpoints.ts";
import type { RunWork } from "./_run_work.ts";
import { runTaskGroup } from "./_task_group.ts";
import { errorText } from "./errors.ts";
import { never, type ServerState } from "./server_state.ts";
import type { RunRow } from "./store_rows.ts";

/** A run that was started. */
export interface StartedRun {
  run: RunRow;
  /** Resolves when the run has ended; never settles if its server closes first. */
  done: Promise<void>;
}

/**
 * Starts a child run; `input` is JSON text, and `signal` ends the child's sleeps and waits.
 * @throws {NotRegisteredError} If there is no workflow of this name.
 */
export type StartChild = (
  name: string,
  input: string | undefined,
  signal: AbortSignal,
) => StartedRun;

/** What {@linkcode ChildRuns} needs of its parent. */
export interface ParentRun {
  server: ServerState;
  run: RunRow;
  checkpoints: Checkpoints;
  signal: AbortSignal;
  startChild: StartChild;
  work: RunWork;
}

/** Starts the child workflows of one run. */
export class ChildRuns {
  readonly #parent: ParentRun;
  /** How many children of each name were started. */
  readonly #started = new Map<string, number>();

  constructor(parent: ParentRun) {
    this.#parent = parent;
  }

  /** Runs a child until it ends; returns its output. */
  async run(name: string, input: unknown): Promise<unknown> {
    const { checkpoints } = this.#parent;
    const key = this.#childKey("child", name);
    const saved = checkpoints.restore(key);
    if (saved) return saved.value;
    const startedMs = checkpoints.now();
    const child = await this.#parent.work.carryOut("child", name, async () => {
      const started = this.#start("child", key, name, input);
      await this.#ended(started);
      return started;
    });
    if (child.run.state === "failed") {
      const message = `child workflow ${goQuote(name)} failed: ${child.run.error}`;
      throw checkpoints.emitFailed(key, new StepError(message));
    }
    const output = child.run.output ?? "null";
    checkpoints.save(key, encodeBase64(output), output);
    checkpoints.emitCompleted(key, startedMs);
    return JSON.parse(output);
  }

  /** Starts a child without waiting for it; returns its id. */
  async spawn(name: string, input: unknown): Promise<string> {
    const { checkpoints } = this.#parent;
    const key = this.#childKey("spawn", name);
    const saved = checkpoints.restore(key);
    if (saved) return saved.value as string;
    const startedMs = checkpoints.now();
    const child = this.#start("spawn", key, name, input);
    checkpoints.save(key, encodeBase64(child.run.id), JSON.stringify(child.run.id));
    checkpoints.emitCompleted(key, startedMs);
    // Handlers may rely on every method of their context being asynchronous.
    return await Promise.resolve(child.run.id);
  }

  /** Runs a child for each input, all at the same time; returns their outputs. */
  async fanOut(name: string, inputs: readonly unknown[]): Promise<unknown> {
    const { server, run, checkpoints, signal } = this.#parent;
    const group = `fanout:${name}`;
    const saved = checkpoints.restore(group);
    if (saved) return saved.value;
    const outputs: string[] = [];
    const options = { signal, timers: server.timers };
    const failure = await runTaskGroup(inputs, options, async (input, index, signal) => {
      const key = `child:${name}:${index}`;
      const child = checkpoints.restore(key);
      outputs[index] = child
        ? JSON.stringify(child.value)
        : await this.#runFannedOut(key, name, input, signal);
    });
    if (server.closed) return never();
    if (failure) {
      const message = `workflow ${run.name} fanout ${goQuote(name)}: `;
      throw new StepError(message + errorText(failure.error), { cause: failure.error });
    }
    const json = `[${outputs.join(",")}]`;
    checkpoints.save(group, encodeBase64(json), json);
    return JSON.parse(json);
  }

  async #runFannedOut(
    key: string,
    name: string,
    input: unknown,
    signal: AbortSignal,
  ): Promise<string> {
    const quoted = goQuote(key.slice("child:".length));
    const child = await this.#parent.work.carryOut(
      "child",
      key.slice("child:".length),
      async () => {
        const started = this.#startFannedOut(quoted, name, input, signal);
        await this.#ended(started);
        return started;
      },
    );
    if (child.run.state === "failed") {
      throw new StepError(`fanout child ${quoted} failed: ${child.run.error}`);
    }
    const output = child.run.output ?? "null";
    this.#parent.checkpoints.save(key, encodeBase64(output), output);
    return output;
  }

  #startFannedOut(quoted: string, name: string, input: unknown, signal: AbortSignal): StartedRun {
    try {
      return this.#parent.startChild(name, goStringify(input ?? null), signal);
    } catch (error) {
      const prefix = `workflow ${this.#parent.run.name} fanout child ${quoted}: `;
      throw new StepError(prefix + errorText(error), { cause: error });
    }
  }

  async #ended(child: StartedRun): Promise<void> {
    const onEnd = this.#parent.work.wait();
    await child.done;
    onEnd();
  }

  /** Starts a child; its step fails if the child cannot be started. */
  #start(kind: "child" | "spawn", key: string, name: string, input: unknown): StartedRun {
    const { run, checkpoints, signal, startChild } = this.#parent;
    try {
      return startChild(name, goStringify(input ?? null), signal);
    } catch (error) {
      throw checkpoints.emitFailed(key, error, `workflow ${run.name} ${kind} ${goQuote(name)}: `);
    }
  }

  /**
   * Returns the name of a child's checkpoint. Without the quirk, the children of a name after the
   * first have a number.
   */
  #childKey(kind: "child" | "spawn", name: string): string {
    const key = `${kind}:${name}`;
    if (this.#parent.server.quirks["children-share-checkpoint"]) return key;
    const count = this.#started.get(key) ?? 0;
    this.#started.set(key, count + 1);
    return count === 0 ? key : `${key}:${count}`;
  }
}
