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
import { isTerminal } from "../protocol/mod.ts";
import { MockTransport } from "./mock_transport.ts";

/** Settings of {@linkcode createTestDispatch}: the server's, and how its client reaches it. */
export interface TestDispatchOptions extends Omit<DevServerOptions, "listen"> {
  /**
   * Where time comes from. The default skips a workflow's sleeps, and uses up a timeout only when
   * {@linkcode TestDispatch.advance} is called.
   * @default {"virtual"}
   */
  clock?: DevServerOptions["clock"];
  /**
   * The client's token.
   * @default {the server's first one}
   */
  token?: string;
  /**
   * `socket` is a real one, on a free port; `memory` none at all.
   * @default {"socket"}
   */
  transport?: "socket" | "memory";
  /** More settings of the client. */
  client?: Partial<DispatchOptions>;
}

/** Something with a run's or a job's id, or the id itself. */
export type Followed = string | { readonly run_id: string } | { readonly job_id: string };

/** What following something gives in the end. */
export type RecordOf<F extends Followed> = F extends { readonly run_id: string } ? WorkflowRun
  : F extends { readonly job_id: string } ? JobRecord
  : WorkflowRun | JobRecord;

/** Thrown when a run or job ended in another way than a test expected. */
export class ExpectationError extends Error {
  /** Always `"unexpected_end"`. */
  readonly code = "unexpected_end";
  /** The run or job as it is. */
  readonly record: WorkflowRun | JobRecord;

  /** Says what was expected and what came. */
  constructor(message: string, record: WorkflowRun | JobRecord) {
    super(message);
    this.name = "ExpectationError";
    this.record = record;
  }
}

/** A server, its client, and what a test asks of them. */
export interface TestDispatch extends AsyncDisposable {
  /** A client that is connected. */
  readonly client: Dispatch;
  /** The server. */
  readonly server: DevServer;
  /** Every event so far, seen in the server itself: none is lost, whoever subscribes. */
  readonly events: readonly DispatchEvent[];
  /** What has passed between client and server; only with `transport: "memory"`. */
  readonly transport?: MockTransport;
  /**
   * Waits until a run or job has completed; gives it.
   * @throws {ExpectationError} When it fails, or is cancelled.
   */
  completed<F extends Followed>(followed: F): Promise<RecordOf<F>>;
  /**
   * Waits until a run or job has failed; gives it.
   * @throws {ExpectationError} When it completes, or is cancelled.
   */
  failed<F extends Followed>(followed: F): Promise<RecordOf<F>>;
  /** Waits for an event of a type, one that came before included; `match` picks among them. */
  event<Type extends DispatchEvent["type"]>(
    type: Type,
    match?: (event: Extract<DispatchEvent, { type: Type }>) => boolean,
  ): Promise<Extract<DispatchEvent, { type: Type }>>;
  /** Waits until an event of this name was published for workflows, before or later; gives it. */
  published<Payload = unknown>(name: string): Promise<WorkflowEvent<Payload>>;
  /** Moves the virtual clock on. */
  advance(duration: Duration): Promise<void>;
  /** Closes the client, then the server. */
  close(): Promise<void>;
}

/**
 * Starts a server and connects a client to it, for one test.
 *
 * @example
 * ```ts
 * import { defineWorkflow } from "@dispatch/sdk/dev";
 * import { createTestDispatch } from "@dispatch/sdk/testing";
 * import { test } from "node:test";
 * import assert from "node:assert/strict";
 *
 * const reminder = defineWorkflow("reminder", async (wf) => {
 *   await wf.sleep("a day", "24h");
 *   await wf.step("remind", () => {});
 * });
 *
 * test("reminds a day later", async () => {
 *   await using env = await createTestDispatch({ workflows: [reminder] });
 *   const run = await env.client.startWorkflow("reminder", {});
 *   await env.completed(run);
 *   assert.ok(env.events.some((event) => event.type === "workflow.step_completed"));
 * });
 * ```
 */
export async function createTestDispatch(
  options: TestDispatchOptions = {},
): Promise<TestDispatch> {
  const { token, transport = "socket", client = {}, clock = "virtual", ...rest } = options;
  const server = await createDevServer({ ...rest, clock, listen: transport === "socket" });
  const memory = transport === "memory" ? new MockTransport(server) : undefined;
  try {
    const connected = await Dispatch.connect({
      url: server.url,
      token: token ?? Object.keys(options.tokens ?? {})[0] ?? "demo-token",
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
  readonly #looks = new Set<() => void>();
  readonly #forget: () => void;

  constructor(server: DevServer, client: Dispatch, transport?: MockTransport) {
    this.server = server;
    this.client = client;
    this.transport = transport;
    this.#forget = server.observe({
      event: (event) => this.#note(this.events, event),
      published: (event) => this.#note(this.#published, event),
      cancelled: () => this.#lookAgain(),
    });
  }

  completed<F extends Followed>(followed: F): Promise<RecordOf<F>> {
    return this.#ended(followed, "completed");
  }

  failed<F extends Followed>(followed: F): Promise<RecordOf<F>> {
    return this.#ended(followed, "failed");
  }

  event<Type extends DispatchEvent["type"]>(
    type: Type,
    match: (event: Extract<DispatchEvent, { type: Type }>) => boolean = () => true,
  ): Promise<Extract<DispatchEvent, { type: Type }>> {
    type Wanted = Extract<DispatchEvent, { type: Type }>;
    return this.#until(() =>
      this.events.find((event) => event.type === type && match(event as Wanted)) as
        | Wanted
        | undefined
    );
  }

  published<Payload = unknown>(name: string): Promise<WorkflowEvent<Payload>> {
    return this.#until(() =>
      this.#published.find((event) => event.name === name) as WorkflowEvent<Payload> | undefined
    );
  }

  advance(duration: Duration): Promise<void> {
    return this.server.advance(duration);
  }

  async close(): Promise<void> {
    this.#forget();
    await this.client.close();
    await this.server.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #ended<F extends Followed>(
    followed: F,
    state: "completed" | "failed",
  ): Promise<RecordOf<F>> {
    const id = idOf(followed);
    const record = await this.#until(() => {
      const found = this.#record(id);
      return found && isTerminal(found.state) ? found : undefined;
    });
    if (record.state === state) return record as RecordOf<F>;
    const why = "error" in record ? record.error : (record as JobRecord).last_error;
    const said = why === undefined ? "" : `: ${why}`;
    throw new ExpectationError(
      `Expected ${record.name} '${id}' to be ${state}, but it is ${record.state}${said}`,
      record,
    );
  }

  #record(id: string): WorkflowRun | JobRecord | undefined {
    const { store } = this.server;
    return id.startsWith("job_") ? store.job(id) : store.run(id);
  }

  #note<T>(list: T[], item: T): void {
    list.push(item);
    this.#lookAgain();
  }

  #lookAgain(): void {
    for (const look of this.#looks) look();
  }

  /** Looks now, and whenever something happens, until there is something. */
  #until<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        try {
          const found = find();
          if (found === undefined) return;
          this.#looks.delete(look);
          resolve(found);
        } catch (error) {
          this.#looks.delete(look);
          reject(error);
        }
      };
      this.#looks.add(look);
      look();
    });
  }
}

function idOf(followed: Followed): string {
  if (typeof followed === "string") return followed;
  return "run_id" in followed ? followed.run_id : followed.job_id;
}
