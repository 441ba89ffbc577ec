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

/** A case, as the list shows it. Times are in milliseconds after the run's begin. */
export interface ReportCase {
  /** Its position in the list of all. */
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
  /** Whether it was not begun. */
  notStarted: boolean;
  /** Whether its end is not known. */
  unfinished: boolean;
  tags: string[];
  /** All that a search looks at, in lower case. */
  searched: string;
}

/** A step of a case. Times are in milliseconds after the run's begin. */
export interface ReportStep {
  /** Its position among the steps of its case. */
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
  /** How many steps it stands in. */
  depth: number;
  more: StepMore;
}

/** The cases of a run. */
export function decodeCases({ cases, files, tags }: ReportIndex): ReportCase[] {
  return cases.map((row, position) => {
    const [number, name, file, status, startedAt, endedAt, duration, marks, ownTags, failures] =
      row;
    const named = ownTags.map((tag) => tags[tag]!);
    return {
      position,
      number,
      name,
      file: files[file]!,
      status: CASE_STATUSES[status]!,
      startedAt,
      endedAt,
      duration,
      flaky: (marks & CASE_FLAGS.flaky) !== 0,
      slow: (marks & CASE_FLAGS.slow) !== 0,
      notStarted: (marks & CASE_FLAGS.notStarted) !== 0,
      unfinished: (marks & CASE_FLAGS.unfinished) !== 0,
      tags: named,
      searched: [name, files[file]!, ...named, failures].join("\n").toLowerCase(),
    };
  });
}

/** The steps of a case, in the order in which they startedAt. */
export function decodeSteps({ steps }: CaseDetails, { shapes, files }: ReportIndex): ReportStep[] {
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
      more: more ?? {},
    };
  });
}
