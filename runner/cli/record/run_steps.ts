import { formatDuration } from "../../language/duration.ts";
import { ChangingValues } from "./changing_values.ts";
import { expectedEnd } from "./expected_end.ts";
import type { RecordedStep } from "./recipe_document.ts";
import type { RecipeValues } from "./recipe_values.ts";
import {
  type Checkpoint,
  endOf,
  isEventWait,
  type RecordedRun,
  spawnedId,
  startOf,
  type TakenEvent,
  takenEvents,
} from "./recorded_run.ts";

/** How long a replay may take where the recorded run took no time, in milliseconds. */
const SLACK = 30_000;

/** The steps that repeat a run, and what they leave out. */
export interface RunSteps {
  steps: RecordedStep[];
  /** What could not be recorded. */
  remarks: string[];
  /** How long the steps may take together, in milliseconds. */
  limit: number;
}

/**
 * Writes the steps that start a workflow, publish the events that its run took, and expect the same
 * end.
 *
 * @param id The name of the run in the recipe.
 */
export function runSteps(recorded: RecordedRun, id: string, values: RecipeValues): RunSteps {
  return new Recording(recorded, id, values).finish();
}

class Recording {
  readonly #recorded: RecordedRun;
  readonly #id: string;
  readonly #values: RecipeValues;
  readonly #steps: RecordedStep[] = [];
  readonly #remarks: string[] = [];
  readonly #published = new Set<string>();
  #limit = 0;
  /** When the recorded run was where the recipe is. */
  #at: number;
  /** The newest checkpoint that the recipe has not waited for. */
  #pending: Checkpoint | undefined;

  constructor(recorded: RecordedRun, id: string, values: RecipeValues) {
    this.#recorded = recorded;
    this.#id = id;
    this.#values = values;
    this.#at = startOf(recorded.run);
  }

  finish(): RunSteps {
    const { run, checkpoints } = this.#recorded;
    const events = checkpoints.flatMap(takenEvents);
    const publishUntil = (time: number) =>
      this.#publish(events.filter(({ created_at = "" }) => Date.parse(created_at) < time));
    // An event may have been there before the run asked for it, and the run may not wait long.
    publishUntil(startOf(run));
    this.#start();
    for (const checkpoint of checkpoints) {
      publishUntil(checkpoint.at);
      this.#add(checkpoint);
    }
    this.#end();
    this.#spawned();
    return { steps: this.#steps, remarks: this.#remarks, limit: this.#limit };
  }

  #start(): void {
    const { run, isJson } = this.#recorded;
    const step: Record<string, unknown> = { id: this.#id, start: this.#values.text(run.name) };
    const comments: string[] = [];
    const input = run.input ?? null;
    if (!isJson.input) {
      comments.push(this.#remark("The input is not JSON, so it is not recorded."));
    } else if (/^unmarshal input\b/.test(run.error ?? "")) {
      comments.push("The workflow refuses the input. A check would, too, without an expression.");
      step.input = this.#values.unchecked(input);
    } else {
      step.input = this.#values.value(input);
    }
    this.#steps.push({ step, comments });
  }

  #add(checkpoint: Checkpoint): void {
    const { name, at } = checkpoint;
    const took = formatDuration(Math.max(0, at - this.#at));
    if (isEventWait(checkpoint)) {
      const events = takenEvents(checkpoint);
      this.#publish(events);
      if (events.length === 0) this.#waitFor(checkpoint, [`No event came within ${took}.`]);
      // A replay publishes at once, however long the recorded run waited. It needs as long as that
      // one to get there.
      else this.#waitFor({ ...checkpoint, at: this.#pending?.at ?? this.#at });
      this.#at = at;
    } else if (name.startsWith("sleep:")) {
      this.#waitFor(checkpoint, [`The run slept, and was here after ${took}.`]);
    } else {
      this.#pending = checkpoint;
      const child = spawnedId(checkpoint);
      const spawned = child === undefined ? undefined : this.#recorded.spawned.get(child);
      if (spawned) this.#publish(spawned.checkpoints.flatMap(takenEvents));
    }
  }

  /** Publishes events, once the run is where it was when they came. */
  #publish(events: readonly TakenEvent[]): void {
    for (const { id, name, payload } of events) {
      if (this.#published.has(id)) continue;
      this.#published.add(id);
      if (this.#pending) this.#waitFor(this.#pending);
      const step: Record<string, unknown> = { publish: this.#values.text(name) };
      if (payload !== undefined && payload !== null) step.payload = this.#values.value(payload);
      this.#steps.push({ step });
    }
  }

  #waitFor({ name, at }: Checkpoint, comments: string[] = []): void {
    const within = this.#within(at);
    const step = { wait: this.#id, until_step: this.#values.text(name), within };
    this.#steps.push({ step, comments });
    this.#pending = undefined;
  }

  /** The limit of a wait until a moment of the recorded run. */
  #within(at: number): string {
    const limit = 2 * Math.max(0, at - this.#at) + SLACK;
    this.#at = Math.max(at, this.#at);
    this.#limit += limit;
    return durationText(limit);
  }

  #end(): void {
    const { run, checkpoints } = this.#recorded;
    this.#steps.push({
      step: { wait: this.#id, until: run.state, within: this.#within(endOf(run)) },
    });
    const given = [run.input, checkpoints.flatMap(takenEvents).map(({ payload }) => payload)];
    const changing = new ChangingValues(given, startOf(run), endOf(run));
    const { expect, remarks } = expectedEnd(this.#recorded, this.#id, this.#values, changing);
    this.#steps.push({
      step: { expect },
      comments: remarks.map((remark) => this.#remark(remark)),
    });
  }

  /** Waits for the end of the runs that this one spawned. Their ids are others in each run. */
  #spawned(): void {
    const counts = new Map<string, { name: string; state: string; count: number }>();
    for (const checkpoint of this.#recorded.checkpoints) {
      const child = spawnedId(checkpoint);
      if (child === undefined) continue;
      const spawned = this.#recorded.spawned.get(child);
      const { name = checkpoint.name, state = "unknown" } = spawned?.run ?? {};
      if (state !== "completed" && state !== "failed") {
        const why = spawned ? "had not ended" : "is unknown to the server";
        this.#remark(`The spawned run ${child} ${why}, so its end is not recorded.`);
        continue;
      }
      const key = `${state} ${name}`;
      const known = counts.get(key) ?? { name, state, count: 0 };
      counts.set(key, { ...known, count: known.count + 1 });
    }
    const ends = [...this.#recorded.spawned.values()].map(({ run }) => endOf(run));
    for (const { name, state, count } of counts.values()) {
      const where = `event.type == "workflow.${state}" && event.data.name == ${
        this.#values.quoted(name)
      }`;
      const step = {
        wait: { channel: "workflows", where, ...(count > 1 ? { count } : {}) },
        within: this.#within(Math.max(...ends)),
      };
      this.#steps.push({ step, comments: ["The end of what the run spawned."] });
    }
  }

  #remark(text: string): string {
    const remark = this.#values.comment(text);
    this.#remarks.push(remark);
    return remark;
  }
}

/** Writes a rounded duration for a recipe: `30s`, `5m`, `48h`. */
export function durationText(ms: number): string {
  if (ms <= 120_000) return `${Math.round(ms / 1000)}s`;
  if (ms <= 7_200_000) return `${Math.ceil(ms / 60_000)}m`;
  return `${Math.ceil(ms / 3_600_000)}h`;
}
