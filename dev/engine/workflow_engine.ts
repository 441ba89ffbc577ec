import { type Core, emitRun, NEVER } from "./server_state.ts";
import { goQuote } from "../go/scan.ts";
import { decodeInput, errorText } from "./handler_input.ts";
import { versionOf } from "./registry.ts";
import type { RunRow, Tenant } from "./store_rows.ts";
import { RunContext } from "./_run_context.ts";
import type { WorkflowDefinition } from "../define.ts";

/** A run that was begun. */
export interface Started {
  run: RunRow;
  /** Resolves when it has ended; never, when its server is closed first. */
  done: Promise<void>;
}

/** Thrown when no workflow of a name is registered. */
export class NotRegisteredError extends Error {
  /** Always `"not_registered"`. */
  readonly code = "not_registered";

  constructor(name: string) {
    super(`no workflow registered for ${goQuote(name)}`);
    this.name = "NotRegisteredError";
  }
}

/** Runs workflows. */
export class WorkflowEngine {
  readonly #core: Core;
  /** What cancels a run; only kept where runs can be cancelled. */
  readonly #cancels = new Map<RunRow, AbortController>();

  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * Begins a run.
   * @param signal Ends the run's sleeps and waits when it is aborted.
   * @throws {NotRegisteredError} When the name is not known.
   */
  start(
    tenant: Tenant,
    name: string,
    input: string | undefined,
    signal: AbortSignal,
    parent?: string,
  ): Started {
    const core = this.#core;
    const definition = core.registry.workflow(name);
    if (!definition) throw new NotRegisteredError(name);
    const at = core.stamps.now();
    const run: RunRow = {
      id: core.ids.next("wfrun"),
      name,
      state: "running",
      input,
      error: "",
      app: tenant.app,
      org: tenant.org,
      startedAt: at,
      version: versionOf(definition),
      parent,
      createdAt: at,
      updatedAt: at,
      checkpoints: new Map(),
      owner: this,
    };
    core.store.runRows.set(run.id, run);
    emitRun(core, "workflow.started", run);
    // Behind what its starter does next: a spawned child's steps come after its parent's.
    const done = Promise.resolve().then(() => this.#execute(run, definition, signal));
    return { run, done };
  }

  /** Takes up the runs that a closed server of the same store has left. */
  resumeAll(signal: AbortSignal): void {
    for (const run of this.#core.store.runRows.values()) {
      if (run.state !== "running" || run.owner) continue;
      const definition = this.#core.registry.workflow(run.name, run.version);
      if (!definition) continue;
      run.owner = this;
      void this.#execute(run, definition, signal);
    }
  }

  /** Asks a run to stop. Gives whether it runs here. */
  cancel(run: RunRow, reason: unknown): boolean {
    const controller = this.#cancels.get(run);
    controller?.abort(reason);
    return controller !== undefined;
  }

  /** Runs an ended run anew, behind a step that is not to be done again. */
  replay(run: RunRow, fromStep: string, signal: AbortSignal): void {
    const definition = this.#core.registry.workflow(run.name, run.version);
    if (!definition) throw new NotRegisteredError(run.name);
    const steps = [...run.checkpoints.keys()];
    for (const step of steps.slice(steps.indexOf(fromStep) + 1)) run.checkpoints.delete(step);
    run.state = "running";
    run.error = "";
    run.completedAt = undefined;
    run.owner = this;
    emitRun(this.#core, "workflow.started", run);
    void this.#execute(run, definition, signal);
  }

  /** Stops. Runs that have not ended are left to the next server of the store. */
  close(): void {
    for (const run of this.#core.store.runRows.values()) {
      if (run.owner === this) run.owner = undefined;
    }
  }

  async #execute(run: RunRow, definition: WorkflowDefinition, signal: AbortSignal): Promise<void> {
    const core = this.#core;
    const began = core.timers.clock.now();
    const context = new RunContext(core, this, run, this.#cancelable(run, signal));
    let failure: { error: unknown } | undefined;
    let output: unknown;
    try {
      const input = await this.#inputOf(run, definition);
      output = await definition.handler(context as never, input as never);
      if (!core.closed) this.#keepOutput(run, output);
    } catch (error) {
      failure = { error };
    }
    if (core.closed) return NEVER;
    const elapsed_ms = Math.floor(core.timers.clock.now() - began);
    const completedAt = core.stamps.now();
    if (failure) await context.undo();
    if (core.closed) return NEVER;
    run.owner = undefined;
    this.#cancels.delete(run);
    run.completedAt = completedAt;
    run.updatedAt = core.stamps.now();
    if (failure) {
      run.state = "failed";
      run.error = errorText(failure.error);
      emitRun(core, "workflow.failed", run, { error: run.error });
    } else {
      run.state = "completed";
      emitRun(core, "workflow.completed", run, { elapsed_ms });
    }
  }

  #cancelable(run: RunRow, signal: AbortSignal): AbortSignal {
    if (this.#core.quirks["methods-missing"]) return signal;
    const controller = new AbortController();
    this.#cancels.set(run, controller);
    return AbortSignal.any([signal, controller.signal]);
  }

  async #inputOf(run: RunRow, definition: WorkflowDefinition): Promise<unknown> {
    try {
      return await decodeInput(run.input, definition.options.input);
    } catch (cause) {
      const message = `unmarshal input for workflow ${goQuote(run.name)}: ${errorText(cause)}`;
      throw new Error(message, { cause });
    }
  }

  #keepOutput(run: RunRow, output: unknown): void {
    if (this.#core.quirks["outputs-lost"] || output === undefined) return;
    run.output = JSON.stringify(output);
  }
}
