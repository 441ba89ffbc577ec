import { Dispatch } from "../client/dispatch.ts";
import type { DispatchOptions } from "../client/options.ts";
import {
  createDevServer,
  type DevServer,
  type DevServerOptions,
  type DispatchEvent,
  type Duration,
  type JobRecord,
  type WorkflowEvent,
  type WorkflowRun,
} from "../dev/mod.ts";
import { checkArgument, checkOptions, OptionsError } from "../dev/options_error.ts";
import { EVENT_TYPES, isTerminal } from "../protocol/mod.ts";
import { aFunction, shown, someText } from "../runtime/check_options.ts";
import { realClock } from "../runtime/real_timers.ts";
import { suggest } from "../runtime/suggest.ts";
import { TEST_DISPATCH_RULES } from "./_option_rules.ts";
import { MockTransport } from "./mock_transport.ts";

/** Settings of {@linkcode createTestDispatch}: those of the server, and of its client. */
export interface TestDispatchOptions extends Omit<DevServerOptions, "listen"> {
  /**
   * The clock. A virtual clock skips the time that workflows sleep. Only
   * {@linkcode TestDispatch.advance} makes a wait for an event time out.
   * @default {"virtual"}
   */
  clock?: NonNullable<DevServerOptions["clock"]>;
  /**
   * The client's token.
   * @default {the server's first token}
   */
  token?: string;
  /**
   * How the client connects: with a `socket` on a free port, or in `memory` without one.
   * @default {"socket"}
   */
  transport?: "socket" | "memory";
  /** Further settings of the client. */
  client?: Partial<DispatchOptions>;
}

/** A run or job: an object with its id, or the id. */
export type RunOrJob = string | { readonly run_id: string } | { readonly job_id: string };

/** The record of a {@linkcode RunOrJob}. */
export type RecordOf<T extends RunOrJob> = T extends { readonly run_id: string } ? WorkflowRun
  : T extends { readonly job_id: string } ? JobRecord
  : WorkflowRun | JobRecord;

/**
 * Thrown when a run or job does not end in the state that a test expects.
 *
 * @example
 * ```ts
 * import { referenceWorkload } from "@dispatch/sdk/dev";
 * import { createTestDispatch, ExpectationError } from "@dispatch/sdk/testing";
 * import assert from "node:assert/strict";
 *
 * await using env = await createTestDispatch(referenceWorkload());
 * const job = await env.client.enqueue("noop", {});
 * await assert.rejects(env.failed(job), ExpectationError);
 * ```
 */
export class ExpectationError extends Error {
  /** Always `"unexpected_end"`. */
  readonly code = "unexpected_end";
  /** The run or job. */
  readonly record: WorkflowRun | JobRecord;

  /** Creates an error with the record of the run or job. */
  constructor(message: string, record: WorkflowRun | JobRecord) {
    super(message);
    this.name = "ExpectationError";
    this.record = record;
  }
}

/** A server and a connected client for one test, with methods to wait for what happens. */
export interface TestDispatch extends AsyncDisposable {
  /** The connected client. */
  readonly client: Dispatch;
  /** The server. */
  readonly server: DevServer;
  /** Every event that the server has published so far, even if nobody subscribed to it. */
  readonly events: readonly DispatchEvent[];
  /** The transport that records every frame; only with `transport: "memory"`. */
  readonly transport?: MockTransport;
  /**
   * Waits until a run or job has completed; returns its record.
   * @throws {ExpectationError} If it fails or is cancelled.
   */
  completed<T extends RunOrJob>(runOrJob: T): Promise<RecordOf<T>>;
  /**
   * Waits until a run or job has failed; returns its record.
   * @throws {ExpectationError} If it completes or is cancelled.
   */
  failed<T extends RunOrJob>(runOrJob: T): Promise<RecordOf<T>>;
  /** Waits for an event of a type that `match` accepts. An event published earlier counts too. */
  event<Type extends DispatchEvent["type"]>(
    type: Type,
    match?: (event: Extract<DispatchEvent, { type: Type }>) => boolean,
  ): Promise<Extract<DispatchEvent, { type: Type }>>;
  /**
   * Waits until a client has published an event of this name for workflows. An event published
   * earlier counts too.
   */
  published<Payload = unknown>(name: string): Promise<WorkflowEvent<Payload>>;
  /** Advances the virtual clock. */
  advance(duration: Duration): Promise<void>;
  /** Closes the client, then the server. */
  close(): Promise<void>;
}

/**
 * Starts a server and connects a client to it for one test.
 *
 * @example
 * ```ts
 * import { defineWorkflow } from "@dispatch/sdk/dev";
 * import { createTestDispatch } from "@dispatch/sdk/testing";
 * import assert from "node:assert/strict";
 *
 * const reminder = defineWorkflow("reminder", async (wf) => {
 *   await wf.sleep("a day", "24h");
 *   await wf.step("remind", () => {});
 * });
 *
 * await using env = await createTestDispatch({ workflows: [reminder] });
 * const run = await env.client.startWorkflow("reminder", {});
 * await env.completed(run);
 * assert.ok(env.events.some((event) => event.type === "workflow.step_completed"));
 * ```
 *
 * @throws {OptionsError} If an option is not valid.
 */
export async function createTestDispatch(
  options: TestDispatchOptions = {},
): Promise<TestDispatch> {
  checkOptions("create test environment", options, TEST_DISPATCH_RULES);
  const { token, transport = "socket", client = {}, clock = "virtual", ...rest } = options;
  const server = await createDevServer({ ...rest, clock, listen: transport === "socket" });
  const memory = transport === "memory" ? new MockTransport(server) : undefined;
  try {
    const connected = await Dispatch.connect({
      url: server.url,
      token: token ?? Object.keys(options.tokens ?? {})[0] ?? "demo-token",
      clock: realClock,
      ...(memory ? { webSocket: memory.webSocket } : {}),
      ...client,
    });
    return new TestEnvironment(server, connected, memory);
  } catch (error) {
    await server.close();
    throw error;
  }
}

class TestEnvironment implements TestDispatch {
  readonly client: Dispatch;
  readonly server: DevServer;
  readonly transport?: MockTransport;
  readonly events: DispatchEvent[] = [];
  readonly #published: WorkflowEvent[] = [];
  readonly #checks = new Set<() => void>();
  readonly #removeObserver: () => void;

  constructor(server: DevServer, client: Dispatch, transport?: MockTransport) {
    this.server = server;
    this.client = client;
    this.transport = transport;
    this.#removeObserver = server.observe({
      event: (event) => this.#record(this.events, event),
      published: (event) => this.#record(this.#published, event),
      cancelled: () => this.#runChecks(),
    });
  }

  completed<T extends RunOrJob>(runOrJob: T): Promise<RecordOf<T>> {
    return this.#waitForEnd(runOrJob, "completed");
  }

  failed<T extends RunOrJob>(runOrJob: T): Promise<RecordOf<T>> {
    return this.#waitForEnd(runOrJob, "failed");
  }

  async event<Type extends DispatchEvent["type"]>(
    type: Type,
    match: (event: Extract<DispatchEvent, { type: Type }>) => boolean = () => true,
  ): Promise<Extract<DispatchEvent, { type: Type }>> {
    const action = `wait for event '${type}'`;
    checkArgument(action, "type", type, anEventType);
    checkArgument(action, "second argument", match, aFunction);
    type Wanted = Extract<DispatchEvent, { type: Type }>;
    return await this.#until(() =>
      this.events.find((event) => event.type === type && match(event as Wanted)) as
        | Wanted
        | undefined
    );
  }

  async published<Payload = unknown>(name: string): Promise<WorkflowEvent<Payload>> {
    checkArgument("wait for a published event", "name", name, someText);
    return await this.#until(() =>
      this.#published.find((event) => event.name === name) as WorkflowEvent<Payload> | undefined
    );
  }

  advance(duration: Duration): Promise<void> {
    return this.server.advance(duration);
  }

  async close(): Promise<void> {
    this.#removeObserver();
    await this.client.close();
    await this.server.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #waitForEnd<T extends RunOrJob>(
    runOrJob: T,
    state: "completed" | "failed",
  ): Promise<RecordOf<T>> {
    const id = idOf(runOrJob, state);
    const record = await this.#until(() => {
      const current = this.#find(id);
      return current && isTerminal(current.state) ? current : undefined;
    });
    if (record.state === state) return record as RecordOf<T>;
    const reason = "error" in record ? record.error : (record as JobRecord).last_error;
    const suffix = reason === undefined ? "" : `: ${reason}`;
    throw new ExpectationError(
      `Expected ${record.name} '${id}' to be ${state}, but it is ${record.state}${suffix}`,
      record,
    );
  }

  #find(id: string): WorkflowRun | JobRecord | undefined {
    const { store } = this.server;
    return id.startsWith("job_") ? store.job(id) : store.run(id);
  }

  #record<T>(list: T[], item: T): void {
    list.push(item);
    this.#runChecks();
  }

  #runChecks(): void {
    for (const check of this.#checks) check();
  }

  /** Calls `find` now, and again whenever something happens, until it returns a value. */
  #until<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = () => {
        try {
          const found = find();
          if (found === undefined) return;
          this.#checks.delete(check);
          resolve(found);
        } catch (error) {
          this.#checks.delete(check);
          reject(error);
        }
      };
      this.#checks.add(check);
      check();
    });
  }
}

function idOf(runOrJob: RunOrJob, state: string): string {
  const { run_id, job_id } = Object(runOrJob);
  const id = typeof runOrJob === "string" ? runOrJob : run_id ?? job_id;
  if (typeof id === "string" && /^(?:wfrun|job)_/.test(id)) return id;
  throw new OptionsError(
    `wait until a run or job is ${state}`,
    `${shown(runOrJob)} is not a run, a job or the id of one`,
  );
}

function anEventType(value: unknown): string | undefined {
  if (EVENT_TYPES.includes(value as DispatchEvent["type"])) return undefined;
  const nearest = typeof value === "string" ? suggest(value, EVENT_TYPES) : undefined;
  return nearest === undefined
    ? `one of ${EVENT_TYPES.join(", ")}`
    : `'${nearest}' or another type`;
}
