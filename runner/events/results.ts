import type { JobRecord, TimelineEntry, WorkflowRun } from "../../protocol/entity.ts";
import { toCel } from "../expression/convert.ts";
import type { Values } from "../expression/expression.ts";

/** A job or run on the server. */
export type Entity = { kind: "job" | "run"; id: string };

/** An event of the server, as results and channel logs hold it. */
export interface LoggedEvent {
  /** The type, such as `job.completed`. */
  type: string;
  /** When it happened, RFC 3339. */
  ts: string;
  /** The topic that the server published it on. */
  topic: string;
  /** Its data. */
  data: unknown;
}

/** The results of the steps of one case, by the ids of the steps. */
export class Results {
  #parent: Results | undefined;
  #raw = new Map<string, unknown>();
  #cel: Values;
  #entities = new Map<string, Entity>();
  #children: Results[] = [];
  #entitiesWithoutId: Entity[] = [];
  #lists = new Map<string, readonly Entity[]>();
  /** Counts the changes inside results. A parent and its children share it. */
  #revision: { count: number };

  /** Creates a scope. Reads fall through to `initial` and to the parent, writes stay local. */
  constructor(initial: Values, parent?: Results) {
    this.#parent = parent;
    this.#cel = Object.create(initial);
    this.#revision = parent ? parent.#revision : { count: 0 };
  }

  /** Creates a child scope: reads fall through to this one, writes stay in the child. */
  child(): Results {
    const child = new Results(this.#cel, this);
    this.#children.push(child);
    return child;
  }

  /** Returns the result of a step in this scope, without looking at the parent. */
  own(id: string): unknown {
    return this.#raw.get(id);
  }

  /** Returns all jobs and runs of this scope and its children. */
  entities(): Entity[] {
    const inner = this.#children.flatMap((child) => child.entities());
    return [...this.#entities.values(), ...this.#entitiesWithoutId, ...inner];
  }

  /** Adds the job or run of a step without an id. */
  add(entity: Entity): void {
    this.#entitiesWithoutId.push(entity);
  }

  /** Sets the result of a step, and the job or run behind it. */
  set(id: string, value: unknown, entity?: Entity): void {
    this.#raw.set(id, value);
    Object.defineProperty(this.#cel, id, lazyCel(id, value, this.#revision));
    if (entity) this.#entities.set(id, entity);
  }

  /**
   * Updates fields of a result in the scope that holds it, and keeps its other fields.
   *
   * @returns The whole result.
   */
  update(id: string, fields: Record<string, unknown>): Record<string, unknown> {
    if (!this.#raw.has(id) && this.#parent) return this.#parent.update(id, fields);
    const value = { ...this.#raw.get(id) as Record<string, unknown> | undefined, ...fields };
    this.set(id, value);
    return value;
  }

  /** Must be called after a change inside a result, so that expressions see it. */
  changed(): void {
    this.#revision.count++;
  }

  /** Returns the result of a step. */
  get(id: string): unknown {
    return this.#raw.has(id) ? this.#raw.get(id) : this.#parent?.get(id);
  }

  /** Returns whether a step has a result. */
  has(id: string): boolean {
    return this.#raw.has(id) || (this.#parent?.has(id) ?? false);
  }

  /** Returns the job or run behind the result of a step. */
  entity(id: string): Entity | undefined {
    return this.#entities.get(id) ?? this.#parent?.entity(id);
  }

  /** Sets the results of a `for_each` step, and the jobs or runs behind them. */
  setList(id: string, values: unknown[], entities: readonly Entity[]): void {
    this.set(id, values);
    this.#lists.set(id, entities);
  }

  /** Returns the jobs or runs behind the results of a `for_each` step. */
  list(id: string): readonly Entity[] | undefined {
    return this.#lists.get(id) ?? this.#parent?.list(id);
  }

  /** Returns all values that expressions see. */
  values(): Values {
    return this.#cel;
  }
}

/** Converts a result for expressions when it is first read, and again after each change. */
function lazyCel(id: string, value: unknown, revision: { count: number }): PropertyDescriptor {
  let cel: unknown;
  let convertedAt: number | undefined;
  return {
    configurable: true,
    enumerable: true,
    get() {
      if (convertedAt !== revision.count) {
        cel = toCel(value);
        convertedAt = revision.count;
      }
      return cel;
    },
    // An inner scope can hide the result with a local name.
    set(this: Values, local: unknown) {
      Object.defineProperty(this, id, {
        value: local,
        configurable: true,
        enumerable: true,
        writable: true,
      });
    },
  };
}

/** Returns a job as the result of a step. */
export function jobResult(job: JobRecord, events: readonly LoggedEvent[]): Record<string, unknown> {
  return {
    job_id: job.id,
    name: job.name,
    queue: job.queue,
    priority: job.priority,
    state: job.state,
    payload: job.payload,
    retry_count: job.retry_count,
    max_retries: job.max_retries,
    last_error: job.last_error || undefined,
    created_at: job.created_at,
    started_at: job.started_at,
    completed_at: job.completed_at,
    duration_ms: elapsed(job.started_at, job.completed_at),
    events,
  };
}

/** Returns a run as the result of a step. */
export function runResult(
  run: WorkflowRun,
  timeline: readonly TimelineEntry[],
  events: readonly LoggedEvent[],
): Record<string, unknown> {
  return {
    run_id: run.id,
    name: run.name,
    state: run.state,
    input: run.input,
    output: run.output,
    error: run.error || undefined,
    started_at: run.started_at,
    completed_at: run.completed_at,
    duration_ms: elapsed(run.started_at, run.completed_at),
    steps: timeline.map(({ step_name, created_at, data }) => ({ step_name, created_at, data })),
    events,
  };
}

function elapsed(from: string | undefined, to: string | undefined): number | undefined {
  if (!from || !to) return undefined;
  const ms = Date.parse(to) - Date.parse(from);
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
