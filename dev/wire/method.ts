import { GoJsonError } from "../go/scan.ts";
import { goStringify } from "../go/encode.ts";
import { errorText } from "../engine/errors.ts";
import { type IdPrefix, idProblem } from "../engine/ids.ts";
import type { JobEngine } from "../engine/job_engine.ts";
import type { ServerState } from "../engine/server_state.ts";
import { type JobRow, type RunRow, sameTenant, type Tenant } from "../engine/store_rows.ts";
import type { WorkflowEngine } from "../engine/workflow_engine.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { ClientFrame, MethodResult } from "./_frames.ts";
import type { Broker } from "./broker.ts";

/** The parts of a server that connections and methods use. */
export interface ServerParts {
  readonly state: ServerState;
  readonly broker: Broker;
  readonly jobs: JobEngine;
  readonly workflows: WorkflowEngine;
  /** When the server started, by its clock. */
  readonly startMs: number;
  /** Real time, for waiting until a socket has sent its data. */
  readonly socketClock: Clock;
  /** The number of open WebSocket connections. */
  readonly connections: number;
  /** Aborted when the server closes. */
  readonly signal: AbortSignal;
}

/** The connection or HTTP request that calls a method. */
export interface Caller {
  readonly tenant: Tenant;
  /** The session id of the connection. Absent over RPC. */
  readonly sessionId?: string;
  /** Aborted when the connection or request ends. */
  readonly signal: AbortSignal;
  /** Subscribes the connection to a channel. Absent over RPC. */
  subscribe?(channel: string, credits: number): void;
  /** Unsubscribes the connection. Absent over RPC. */
  unsubscribe?(channel: string): void;
}

/** Handles the requests for one method. */
export type Method = (
  server: ServerParts,
  frame: ClientFrame,
  caller: Caller,
) => MethodResult | Promise<MethodResult>;

/** The handlers of methods by their names. */
export type Methods = ReadonlyMap<string, Method>;

/** Thrown by a method to answer with an error. */
export class MethodError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Converts an error that a method threw to its result. */
export function toErrorResult(error: unknown): MethodResult {
  if (error instanceof MethodError) return { code: error.code, message: error.message };
  if (error instanceof GoJsonError) {
    return { code: 400, message: `invalid request: ${error.message}` };
  }
  return { code: 500, message: `internal error: ${errorText(error)}` };
}

/** Creates a successful result. */
export function ok(value: unknown): MethodResult {
  return { data: goStringify(value) };
}

/** Whether a caller may see something of a tenant. */
export function isVisible({ state }: ServerParts, owner: Tenant, caller: Caller): boolean {
  return state.quirks["tenants-open"] || sameTenant(owner, caller.tenant);
}

/**
 * Finds a job.
 * @throws {MethodError} With 400 if the id is not valid, with 404 and `notFound` if there is no
 * job.
 */
export function findJob(
  server: ServerParts,
  id: string,
  caller: Caller,
  notFound: string,
): JobRow {
  checkId(id, "job", "job");
  const job = server.state.store.jobRows.get(id);
  if (!job || !isVisible(server, job, caller)) throw new MethodError(404, notFound);
  return job;
}

/**
 * Finds a run.
 * @throws {MethodError} With 400 if the id is not valid.
 */
export function findRun(server: ServerParts, id: string, caller: Caller): RunRow | undefined {
  checkId(id, "wfrun", "run");
  const run = server.state.store.runRows.get(id);
  return run && isVisible(server, run, caller) ? run : undefined;
}

/**
 * Validates an id.
 * @throws {MethodError} With 400 if it is not valid.
 */
export function checkId(id: string, prefix: IdPrefix, kind: string): void {
  const problem = idProblem(id, prefix);
  if (problem !== undefined) throw new MethodError(400, `invalid ${kind} ID: ${problem}`);
}
