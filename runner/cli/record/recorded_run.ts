import type { Dispatch } from "../../../client/dispatch.ts";
import { decodeBase64 } from "../../../protocol/base64.ts";
import {
  decodeRun,
  decodeTimeline,
  type TimelineEntry,
  type WorkflowRun,
} from "../../../protocol/entity.ts";

/** A run that has ended, as its server tells it. */
export interface RecordedRun {
  run: WorkflowRun;
  /** Whether its input and its output are JSON. */
  isJson: { input: boolean; output: boolean };
  checkpoints: Checkpoint[];
  /** The runs that it spawned, by their ids; those that the server does not have are missing. */
  spawned: Map<string, RecordedRun>;
}

/** A checkpoint of a run. */
export interface Checkpoint {
  name: string;
  /** Its decoded data, if it has any. */
  data: unknown;
  /** Whether the data is something other than JSON, such as a result in the encoding of Go. */
  isOpaque: boolean;
  /** When it was saved, in milliseconds since 1970. */
  at: number;
}

/** An event that a run took. */
export interface TakenEvent {
  id: string;
  name: string;
  payload?: unknown;
  /** When it was published. */
  created_at?: string;
}

type Limits = () => { signal: AbortSignal; timeout: number };

/** Reads a run, its checkpoints, and the runs that it spawned. */
export async function readRun(client: Dispatch, id: string, limits: Limits): Promise<RecordedRun> {
  const one = await readOne(client, id, limits);
  for (const checkpoint of one.checkpoints) {
    const child = spawnedId(checkpoint);
    if (child === undefined) continue;
    try {
      one.spawned.set(child, await readOne(client, child, limits));
    } catch (error) {
      // The recipe says that this run is missing.
      if ((error as { code?: unknown }).code !== 404) throw error;
    }
  }
  return one;
}

async function readOne(client: Dispatch, id: string, limits: Limits): Promise<RecordedRun> {
  // Raw, to tell a text from bytes that are not JSON: the decoded values of both are text.
  const raw = await client.call("workflow.get", { run_id: id }, limits());
  const run = decodeRun(raw);
  const { input, output } = raw as { input?: unknown; output?: unknown };
  const entries = await client.call("workflow.timeline", { run_id: id }, limits());
  const decoded = decodeTimeline(entries);
  return {
    run,
    isJson: { input: isDecoded(input, run.input), output: isDecoded(output, run.output) },
    checkpoints: decoded.map((entry, i) => {
      const checkpoint = toCheckpoint(entry, (entries as TimelineEntry[])[i]!);
      // Without a time, it took none.
      return Number.isNaN(checkpoint.at) ? { ...checkpoint, at: startOf(run) } : checkpoint;
    }),
    spawned: new Map(),
  };
}

function isDecoded(raw: unknown, value: unknown): boolean {
  return typeof raw !== "string" || raw !== value;
}

function toCheckpoint({ step_name, data, created_at }: TimelineEntry, raw: TimelineEntry) {
  return {
    name: step_name,
    data: data === "" ? undefined : data,
    isOpaque: data !== "" && !isDecoded(raw.data, data),
    at: Date.parse(created_at),
  };
}

/** The id of the run that a checkpoint says was spawned. */
export function spawnedId({ name, data, isOpaque }: Checkpoint): string | undefined {
  if (!name.startsWith("spawn:") || typeof data !== "string") return undefined;
  try {
    const id = isOpaque ? decodeBase64(data) : data;
    return /^wfrun_\w+$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a checkpoint is of a wait for events. */
export function isEventWait({ name }: Checkpoint): boolean {
  return /^wait(?:all|any|match)?:/.test(name);
}

/** The events that a wait took; none if its time ran out. */
export function takenEvents(checkpoint: Checkpoint): TakenEvent[] {
  if (!isEventWait(checkpoint)) return [];
  return [checkpoint.data].flat().filter((event): event is TakenEvent =>
    typeof (event as TakenEvent | undefined)?.name === "string"
  );
}

/** When a run started, in milliseconds since 1970. */
export function startOf({ started_at }: WorkflowRun): number {
  return Date.parse(started_at) || 0;
}

/** When a run ended, in milliseconds since 1970. */
export function endOf(run: WorkflowRun): number {
  return Date.parse(run.completed_at ?? run.updated_at) || startOf(run);
}
