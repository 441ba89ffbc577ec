import type { EventShard, RecipeEvent, RecipeRunStarted } from "../events/event.ts";

/** A file with the events of a run. */
export interface StreamFile {
  /** Its file, as reports name it. */
  name: string;
  /** Its first event. */
  started: RecipeRunStarted;
  /** Whether the run has ended; not if its process was killed, or still runs. */
  hasEnded: boolean;
  /** How many bytes it had when it was opened. */
  size: number;
  /**
   * Reads its events, some at a time, and checks them. Those of a process that was killed end early.
   * @throws {StreamError | MergeError | FileError} When it is not the stream of one run, or cannot be read.
   */
  read(): AsyncIterable<Iterable<RecipeEvent>>;
}

/** The code of a {@linkcode MergeError}. */
export type MergeErrorCode =
  /** A stream does not say of which plan it is. */
  | "no_plan"
  /** Streams are of different plans. */
  | "other_plan"
  /** Two parts of a plan ran the same case. */
  | "overlap"
  /** No part of a plan has run one of its cases. */
  | "gap"
  /** A file is not the stream of one run, or was changed by hand. */
  | "bad_stream"
  /** No stream has the first event of a run. */
  | "unbegun";

/** Streams do not belong together. */
export class MergeError extends Error {
  /** Always `"MergeError"`. */
  override name = "MergeError";
  /** What is wrong with them. */
  readonly code: MergeErrorCode;

  /** Creates an error. */
  constructor(message: string, code: MergeErrorCode, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The part of a plan that a stream has: all of it, unless the run was a shard. */
export function partOf({ started: { shard, cases } }: StreamFile): EventShard {
  if (shard) return shard;
  return { index: 1, total: 1, cases: Array.from({ length: cases }, (_, i) => i), planned: cases };
}

/** The number of cases of the plan that a stream is of. */
export function plannedOf({ started: { shard, cases } }: StreamFile): number {
  return shard?.planned ?? cases;
}

/**
 * Checks that streams are of one plan.
 * @throws {MergeError} When they are not, or when one does not say it.
 */
export function checkPlan(streams: readonly StreamFile[]): void {
  const [first] = streams;
  for (const stream of streams) {
    const { plan, runner } = stream.started;
    if (plan === undefined) {
      const why = "its first event names no plan; an older runner wrote it";
      throw new MergeError(`Cannot merge '${stream.name}': ${why}`, "no_plan");
    }
    if (plan === first!.started.plan) {
      const [planned, others] = [plannedOf(stream), plannedOf(first!)];
      if (planned === others) continue;
      throw new MergeError(
        `Cannot merge '${stream.name}' with '${first!.name}': its first event names a plan of ` +
          `${planned} cases, not of ${others}`,
        "bad_stream",
      );
    }
    const other = first!.started.runner;
    const versions = runner === other ? "" : `, and runner ${runner}, not ${other},`;
    throw new MergeError(
      `Cannot merge '${stream.name}' with '${first!.name}': it is of another plan (${plan}, not ` +
        `${first!.started.plan})${versions} so its recipes or its cases are different`,
      "other_plan",
    );
  }
}
