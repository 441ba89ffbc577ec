import type { Broker } from "../wire/broker.ts";
import { goStringify, omitEmpty } from "../go/encode.ts";
import type { Stamps } from "../go/time.ts";
import type { Ids } from "./ids.ts";
import type { MemoryStore } from "./memory_store.ts";
import type { Registry } from "./registry.ts";
import type { JobRow, RunRow } from "./store_rows.ts";
import type { Observer } from "../options.ts";
import { toEvent } from "../../protocol/event.ts";
import type { Timers } from "./timers.ts";
import type { QuirkName } from "../quirks.ts";

/** What all parts of one server share. */
export interface Core {
  readonly store: MemoryStore;
  readonly registry: Registry;
  readonly broker: Broker;
  readonly timers: Timers;
  readonly stamps: Stamps;
  readonly ids: Ids;
  readonly quirks: Readonly<Record<QuirkName, boolean>>;
  readonly random: () => number;
  readonly log: (line: string) => void;
  /** Who is told of everything. */
  readonly observers: ReadonlySet<Observer>;
  /** Whether the server was closed: whatever still runs must leave no trace. */
  closed: boolean;
}

/** What a closed server's handlers wait for. */
export const NEVER: Promise<never> = new Promise(() => {});

/** The reason of a signal whose owner is gone. */
export class CanceledError extends Error {
  /** Always `"canceled"`. */
  readonly code = "canceled";

  constructor() {
    super("context canceled");
    this.name = "CanceledError";
  }
}

/** Publishes an event about a job. */
export function emitJob(
  core: Core,
  type: string,
  job: JobRow,
  extra: {
    elapsed_ms?: number;
    error?: string;
    attempt?: number;
    next_run_at?: string;
  } = {},
): void {
  publish(core, type, `job:${job.id}`, job, {
    job_id: job.id,
    job_name: job.name,
    queue: job.queue,
    scope_app_id: omitEmpty(job.app),
    scope_org_id: omitEmpty(job.org),
    elapsed_ms: extra.elapsed_ms || undefined,
    error: omitEmpty(extra.error),
    attempt: extra.attempt,
    next_run_at: extra.next_run_at,
  }, job.queue);
}

/** Publishes an event about a run. */
export function emitRun(
  core: Core,
  type: string,
  run: RunRow,
  extra: { step_name?: string; elapsed_ms?: number; error?: string } = {},
): void {
  publish(core, type, `workflow:${run.id}`, run, {
    run_id: run.id,
    name: run.name,
    step_name: omitEmpty(extra.step_name),
    scope_app_id: omitEmpty(run.app),
    scope_org_id: omitEmpty(run.org),
    elapsed_ms: extra.elapsed_ms || undefined,
    error: omitEmpty(extra.error),
  });
}

/** Publishes that a cron entry fired. It has no topic of its own. */
export function emitCron(core: Core, entry: string, job: JobRow): void {
  publish(core, "cron.fired", "", job, { entry_name: entry, job_id: job.id });
}

function publish(
  core: Core,
  type: string,
  topic: string,
  tenant: { app: string; org: string },
  data: Record<string, unknown>,
  queue?: string,
): void {
  const json = goStringify({ type, ts: core.stamps.now(), topic, data });
  core.broker.publish({ type, topic, json, tenant, queue });
  for (const { event } of core.observers) event?.(toEvent(JSON.parse(json))!);
}
