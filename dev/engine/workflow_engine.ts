import type { WorkflowDefinition } from "../define.ts";
import { goQuote } from "../go/encode.ts";
import type { StartedRun } from "./_child_runs.ts";
import { emitRun } from "./_emit.ts";
import { RunContext } from "./_run_context.ts";
import { CanceledError, errorText, NotRegisteredError } from "./errors.ts";
import { decodeInput } from "./handler_input.ts";
import { versionOf } from "./registry.ts";
import { never, type ServerState } from "./server_state.ts";
import type { RunRow, Tenant } from "./store_rows.ts";

/** Starts, resumes, cancels and replays workflow runs. */
export class WorkflowEngine {
  readonly #server: ServerState;
  /** The controllers that cancel runs; empty unless the server has `workflow.cancel`. */
  readonly #controllers = new Map<RunRow, AbortController>();

  constructor(server: ServerState) {
    this.#server = server;
  }

  /**
   * Starts a run.
   * @param signal Ends the run's sleeps and waits.
   * @param parent The id of the run that starts this one.
   * @throws {NotRegisteredError} If there is no workflow of this name.
   */
  start(
    tenant: Tenant,
    name: string,
    input: string | undefined,
    signal: AbortSignal,
    parent?: string,
  ): StartedRun {
    const server = this.#server;
    const definition = server.registry.workflow(name);
    if (!definition) throw new NotRegisteredError(name);
    const now = server.timestamps.now();
    const run: RunRow = {
      id: server.ids.next("wfrun"),
      name,
      state: "running",
      input,
      error: "",
      app: tenant.app,
      org: tenant.org,
      startedAt: now,
      version: versionOf(definition),
      parent,
      createdAt: now,
      updatedAt: now,
      checkpoints: new Map(),
      owner: this,
    };
    server.store.runRows.set(run.id, run);
    emitRun(server, "workflow.started", run);
    // Deferred, so that the step of a parent that spawned this run completes before the run's
    // first.
    const done = Promise.resolve().then(() => this.#execute(run, definition, signal));
    return { run, done };
  }

  /** Resumes the runs that a closed server of the same store left behind. */
  resumeAll(signal: AbortSignal): void {
    for (const run of this.#server.store.runRows.values()) {
      if (run.state !== "running" || run.owner) continue;
      const definition = this.#server.registry.workflow(run.name, run.version);
      if (!definition) continue;
      run.owner = this;
      void this.#execute(run, definition, signal);
    }
  }

  /** Asks a run to stop; returns whether this server is executing it. */
  cancel(run: RunRow): boolean {
    const controller = this.#controllers.get(run);
    controller?.abort(new CanceledError());
    return controller !== undefined;
  }

  /** Runs an ended run again. Steps up to and including `fromStep` keep their checkpoints. */
  replay(run: RunRow, fromStep: string, signal: AbortSignal): void {
    const definition = this.#server.registry.workflow(run.name, run.version);
    if (!definition) throw new NotRegisteredError(run.name);
    const steps = [...run.checkpoints.keys()];
    for (const step of steps.slice(steps.indexOf(fromStep) + 1)) run.checkpoints.delete(step);
    run.state = "running";
    run.error = "";
    run.completedAt = undefined;
    run.owner = this;
    emitRun(this.#server, "workflow.started", run);
    void this.#execute(run, definition, signal);
  }

  /**
   * Releases the unfinished runs, so that the next server with this store can resume them.
   */
  close(): void {
    for (const run of this.#server.store.runRows.values()) {
      if (run.owner === this) run.owner = undefined;
    }
  }

  async #execute(run: RunRow, definition: WorkflowDefinition, signal: AbortSignal): Promise<void> {
    const newContext = () =>
      new RunContext(
        this.#server,
        run,
        this.#cancelable(run, signal),
        (name, input, signal) => this.start(run, name, input, signal, run.id),
      );
    if (!this.#server.aroundWork) return await this.#executeIn(newContext(), run, definition);
    for (;;) {
      const context = newContext();
      const execution = this.#executeIn(context, run, definition).then(() => undefined);
      const crash = await Promise.race([execution, context.work.crashed]);
      if (!crash) return;
      // As on another server of the store, which resumes the run.
      await this.#server.timers.sleep(crash.ms);
    }
  }

  async #executeIn(
    context: RunContext,
    run: RunRow,
    definition: WorkflowDefinition,
  ): Promise<void> {
    const server = this.#server;
    const startedMs = server.timers.now();
    let failure: { error: unknown } | undefined;
    try {
      const input = await this.#decodeInput(run, definition);
      const output = await definition.handler(context as never, input as never);
      if (!server.closed) this.#saveOutput(run, output);
    } catch (error) {
      failure = { error };
    }
    context.work.end();
    if (server.closed) return never();
    const elapsed_ms = Math.floor(server.timers.now() - startedMs);
    const completedAt = server.timestamps.now();
    if (failure) await context.runCompensations();
    if (server.closed) return never();
    run.owner = undefined;
    this.#controllers.delete(run);
    run.completedAt = completedAt;
    run.updatedAt = server.timestamps.now();
    if (failure) {
      run.state = "failed";
      run.error = errorText(failure.error);
      emitRun(server, "workflow.failed", run, { error: run.error });
    } else {
      run.state = "completed";
      emitRun(server, "workflow.completed", run, { elapsed_ms });
    }
  }

  /** Combines a run's signal with the one that `cancel` aborts, if runs can be cancelled. */
  #cancelable(run: RunRow, signal: AbortSignal): AbortSignal {
    if (this.#server.quirks["methods-missing"]) return signal;
    const controller = new AbortController();
    this.#controllers.set(run, controller);
    return AbortSignal.any([signal, controller.signal]);
  }

  async #decodeInput(run: RunRow, definition: WorkflowDefinition): Promise<unknown> {
    try {
      return await decodeInput(run.input, definition.options.input);
    } catch (cause) {
      const message = `unmarshal input for workflow ${goQuote(run.name)}: ${errorText(cause)}`;
      throw new Error(message, { cause });
    }
  }

  #saveOutput(run: RunRow, output: unknown): void {
    if (this.#server.quirks["outputs-lost"] || output === undefined) return;
    run.output = JSON.stringify(output);
  }
}
