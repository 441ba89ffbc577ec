import {
  CASE_FLAGS,
  CASE_STATUSES,
  type CaseDetails,
  type ReportIndex,
  type ReportStatus,
  STEP_STATUSES,
  type StepMore,
} from "../report_data.ts";
import type { StepStatus } from "../../../events/event.ts";

/** A case in the list. Times are in milliseconds after the start of the run. */
export interface ReportCase {
  /** Its index in the list of all cases. */
  position: number;
  /** Its number in the run. */
  number: number;
  name: string;
  file: string;
  status: ReportStatus;
  startedAt: number;
  endedAt: number;
  duration: number;
  flaky: boolean;
  slow: boolean;
  /** Whether it did not start. */
  notStarted: boolean;
  /** Whether the events stopped before it ended. */
  unfinished: boolean;
  /** Whether it is in quarantine. */
  quarantined: boolean;
  tags: string[];
  /** The text that the search looks at, in lower case. */
  searched: string;
}

/** A step of a case. Times are in milliseconds after the start of the run. */
export interface ReportStep {
  /** Its index in the list of steps of its case. */
  position: number;
  /** Its number in the recipe: `3`, `3.1`. */
  number: string;
  always: boolean;
  kind: string;
  label: string;
  id: string;
  file: string;
  line: number;
  column: number;
  length: number;
  text: string;
  status: StepStatus;
  startedAt: number;
  endedAt: number;
  duration: number;
  /** The number of steps that contain it. */
  depth: number;
  /** Whether it contains steps. */
  isGroup: boolean;
  more: StepMore;
}

/** Decodes the cases of a run. */
export function decodeCases({ cases, files, tags }: ReportIndex): ReportCase[] {
  return cases.map((row, position) => {
    const [number, name, file, status, startedAt, endedAt, duration, flags, ownTags, failures] =
      row;
    const tagNames = ownTags.map((tag) => tags[tag]!);
    return {
      position,
      number,
      name,
      file: files[file]!,
      status: CASE_STATUSES[status]!,
      startedAt,
      endedAt,
      duration,
      flaky: (flags & CASE_FLAGS.flaky) !== 0,
      slow: (flags & CASE_FLAGS.slow) !== 0,
      notStarted: (flags & CASE_FLAGS.notStarted) !== 0,
      unfinished: (flags & CASE_FLAGS.unfinished) !== 0,
      quarantined: (flags & CASE_FLAGS.quarantined) !== 0,
      tags: tagNames,
      searched: [name, files[file]!, ...tagNames, failures].join("\n").toLowerCase(),
    };
  });
}

/** Decodes the steps of a case, in the order they started. */
export function decodeSteps({ steps }: CaseDetails, { shapes, files }: ReportIndex): ReportStep[] {
  const groups = new Set(
    steps.map(([shape]) => shapes[shape]![0]).map((number) =>
      number.slice(0, Math.max(0, number.lastIndexOf(".")))
    ),
  );
  return steps.map(([shape, status, startedAt, endedAt, duration, more], position) => {
    const [number, phase, kind, label, id, file, line, column, length, text] = shapes[shape]!;
    return {
      position,
      number,
      always: phase === 1,
      kind,
      label,
      id,
      file: files[file]!,
      line,
      column,
      length,
      text,
      status: STEP_STATUSES[status]!,
      startedAt,
      endedAt,
      duration,
      depth: number.split(".").length - 1,
      isGroup: groups.has(number),
      more: more ?? {},
    };
  });
}
