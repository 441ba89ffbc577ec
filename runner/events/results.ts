import type { JobRecord, TimelineEntry, WorkflowRun } from "../../protocol/entity.ts";
import { toCel } from "../expression/convert.ts";
import type { Values } from "../expression/expression.ts";

/** What stands behind an id that can be waited for. */
export type Entity = { kind: "job" | "run"; id: string };

/** An event of the server, as results and channel logs hold it. */
export interface LoggedEvent {
  /** The type, such as `job.completed`. */
  type: string;
  /** When it happened, RFC 3339. */
  ts: string;
  /** The topic the server published it on. */
  topic: string;
  /** Its data. */
  data: unknown;
}

/** What the steps of one case left, by id. */
export class Results {
  #parent: Results | undefined;
  #raw = new Map<string, unknown>();
  #cel: Values;
  #entities = new Map<string, Entity>();
  #children: Results[] = [];
  #nameless: Entity[] = [];
  #lists = new Map<string, readonly Entity[]>();
  /** Counts the changes inside of results, for all that see each other. */
  #revision: { count: number };

  /** With a parent, what it holds is seen too, and new results stay here. */
  constructor(roots: Values, parent?: Results) {
    this.#parent = parent;
    this.#cel = Object.create(roots);
    this.#revision = parent ? parent.#revision : { count: 0 };
  }

  /** Results that see these and are not seen by them. */
  child(): Results {
    const child = new Results(this.#cel, this);
    this.#children.push(child);
    return child;
  }

  /** What a step left here, not further out. */
  own(id: string): unknown {
    return this.#raw.get(id);
  }

  /** All jobs and runs that steps have made or read. */
  entities(): Entity[] {
    const inner = this.#children.flatMap((child) => child.entities());
    return [...this.#entities.values(), ...this.#nameless, ...inner];
  }

  /** Remembers a job or run that no id stands for. */
  add(entity: Entity): void {
    this.#nameless.push(entity);
  }

  /** Keeps what a step left. */
  set(id: string, value: unknown, entity?: Entity): void {
    this.#raw.set(id, value);
    Object.defineProperty(this.#cel, id, asRead(id, value, this.#revision));
    if (entity) this.#entities.set(id, entity);
  }

  /**
   * Brings the job or run under an id up to date where it was first kept; fields that its step added
   * stay.
   * @returns All of it.
   */
  update(id: string, fields: Record<string, unknown>): Record<string, unknown> {
    if (!this.#raw.has(id) && this.#parent) return this.#parent.update(id, fields);
    const value = { ...this.#raw.get(id) as Record<string, unknown> | undefined, ...fields };
    this.set(id, value);
    return value;
  }

  /** Says that something inside of a result has changed. */
  changed(): void {
    this.#revision.count++;
  }

  /** What a step left. */
  get(id: string): unknown {
    return this.#raw.has(id) ? this.#raw.get(id) : this.#parent?.get(id);
  }

  /** Whether a step has left anything. */
  has(id: string): boolean {
    return this.#raw.has(id) || (this.#parent?.has(id) ?? false);
  }

  /** The job or run behind an id. */
  entity(id: string): Entity | undefined {
    return this.#entities.get(id) ?? this.#parent?.entity(id);
  }

  /** Keeps what a step left for each item of its `for_each`, and the jobs or runs behind them. */
  setList(id: string, values: unknown[], entities: readonly Entity[]): void {
    this.set(id, values);
    this.#lists.set(id, entities);
  }

  /** The jobs or runs behind an id, where a `for_each` left them. */
  list(id: string): readonly Entity[] | undefined {
    return this.#lists.get(id) ?? this.#parent?.list(id);
  }

  /** Everything as expressions see it. */
  values(): Values {
    return this.#cel;
  }
}

/** A result as expressions see it: converted when one reads it, and anew when it has changed. */
function asRead(id: string, value: unknown, revision: { count: number }): PropertyDescriptor {
  let cel: unknown;
  let at: number | undefined;
  return {
    configurable: true,
    enumerable: true,
    get() {
      if (at !== revision.count) {
        at = revision.count;
        cel = toCel(value);
      }
      return cel;
    },
    // A name of an inner scope hides it there.
    set(this: Values, hiding: unknown) {
      Object.defineProperty(this, id, {
        value: hiding,
        configurable: true,
        enumerable: true,
        writable: true,
      });
    },
  };
}

/** A job as it stands under an id. */
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

/** A run as it stands under an id. */
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
