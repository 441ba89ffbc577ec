import type { EventFailure } from "../../events/event.ts";
import { isExcused } from "../../events/failure.ts";
import {
  attemptLine,
  caseLines,
  caseVerdict,
  failureLines,
  runVerdict,
  safeLine,
  safeText,
  stepLine,
} from "../plain_text.ts";
import type { Reporter, ReporterContext } from "../reporter.ts";
import type { CaseAttempt, CaseSummary, RunSummary, StepSummary } from "../run_summary.ts";
import { itemText, writeDocument } from "../json/document.ts";
import { summaryReporter } from "../summarizer.ts";
import { TextStore } from "../text_store.ts";

/** The version of the format. */
const SPEC_VERSION = "0.0.0";

/** The five words that the format has for outcomes. */
type Status = "passed" | "failed" | "skipped" | "pending" | "other";

/** What could not run, and what checked nothing, is no pass; `rawStatus` tells them apart. */
const STATUSES: Readonly<Record<CaseSummary["status"], Status>> = {
  passed: "passed",
  failed: "failed",
  errored: "failed",
  unchecked: "failed",
  interrupted: "other",
  skipped: "skipped",
};

/** What the document needs of a case. */
interface Test {
  status: Status;
  file: string;
  /** The number of its text. */
  json: number;
}

/** Where the tests are. */
const LIST = { key: "tests", depth: 2 };

/** Opens the `ctrf` reporter, which writes one document when the run has ended. */
export function openReporter({ output }: ReporterContext): Reporter {
  const store = new TextStore();
  return summaryReporter(
    (summary): Test => {
      const test = testOf(summary);
      return { status: test.status, file: summary.file, json: store.add(itemText(test, LIST)) };
    },
    (run, tests) => {
      const items = store.texts(tests.map(({ json }) => json));
      writeDocument(output, documentOf(run, tests), { ...LIST, items });
    },
  );
}

/** Returns the document without its tests. */
function documentOf(run: RunSummary, tests: readonly Test[]): Record<string, unknown> {
  const count = (status: Status) => tests.filter((test) => test.status === status).length;
  const { server, interrupted, exit_code, counts, warnings, clock } = run;
  return {
    reportFormat: "CTRF",
    specVersion: SPEC_VERSION,
    timestamp: run.finished_at,
    generatedBy: "dispatch",
    results: {
      tool: { name: "dispatch" },
      summary: {
        tests: tests.length,
        passed: count("passed"),
        failed: count("failed"),
        skipped: count("skipped"),
        pending: 0,
        other: count("other"),
        flaky: counts.flaky,
        suites: new Set(tests.map(({ file }) => file)).size,
        start: Date.parse(run.started_at),
        stop: Date.parse(run.finished_at),
        duration: Math.round(run.duration_ms),
        extra: {
          verdict: runVerdict(run),
          ...(interrupted ? { interrupted } : {}),
          ...(exit_code === undefined ? {} : { exit_code }),
          ...(clock === undefined ? {} : { clock }),
          ...(warnings.length === 0 ? {} : { warnings: warnings.map((text) => safeText(text)) }),
        },
      },
      tests: [],
      environment: { testEnvironment: safeLine(server) },
    },
  };
}

function testOf(summary: CaseSummary): Record<string, unknown> & { status: Status } {
  const { name, file, status, tags, matrix, flaky, failure, steps, warnings, retries } = summary;
  const start = summary.started_at === undefined ? undefined : Date.parse(summary.started_at);
  const duration = Math.max(0, Math.round(summary.duration_ms));
  const out = caseLines(summary);
  return {
    // The format allows no empty name.
    name: name === "" ? file : safeText(name),
    // The format has no word for a failure that does not count.
    status: isExcused(summary) ? "other" : STATUSES[status],
    rawStatus: status,
    duration,
    ...(start === undefined ? {} : { start, stop: start + duration }),
    suite: [safeLine(file)],
    filePath: file,
    ...(status === "passed" ? {} : { message: caseVerdict(summary) }),
    ...(failure ? failureFields(failure) : {}),
    ...(tags.length === 0 ? {} : { tags }),
    ...(matrix === undefined ? {} : { parameters: matrix }),
    ...(flaky ? { flaky } : {}),
    ...(summary.quarantine ? { extra: { quarantine: summary.quarantine } } : {}),
    ...(retries === undefined
      ? {}
      : { retries: retries.length, retryAttempts: retries.map(attemptOf) }),
    ...(steps.length === 0 ? {} : { steps: steps.map(stepOf) }),
    ...(out.length === 0 ? {} : { stdout: out }),
    ...(warnings.length === 0 ? {} : { stderr: warnings.map((text) => safeText(text)) }),
  };
}

function attemptOf(attempt: CaseAttempt): Record<string, unknown> {
  const { status, started_at, duration_ms, failure, warnings } = attempt;
  const start = Date.parse(started_at);
  const duration = Math.max(0, Math.round(duration_ms));
  return {
    attempt: attempt.attempt,
    status: STATUSES[status],
    ...{ duration, start, stop: start + duration },
    ...(failure ? { message: safeText(failure.message), ...failureFields(failure) } : {}),
    stdout: [attemptLine(attempt), ...attempt.steps.map(stepLine)],
    ...(warnings.length === 0 ? {} : { stderr: warnings.map((text) => safeText(text)) }),
    extra: { rawStatus: status },
  };
}

function failureFields(failure: EventFailure): Record<string, unknown> {
  const { place } = failure;
  return {
    trace: failureLines(failure).join("\n"),
    ...(place === undefined || place.line < 1
      ? {}
      : { line: place.line, snippet: safeLine(place.text) }),
  };
}

function stepOf(step: StepSummary): Record<string, unknown> {
  const { label, status, phase, kind, attempts, soft, duration_ms, failure } = step;
  return {
    name: safeLine(label),
    status: STATUSES[status],
    extra: {
      ...{ step: step.step, phase, kind, duration_ms, attempts },
      ...(status === STATUSES[status] ? {} : { rawStatus: status }),
      ...(soft ? { soft } : {}),
      ...(failure === undefined ? {} : { message: safeText(failure.message) }),
    },
  };
}
