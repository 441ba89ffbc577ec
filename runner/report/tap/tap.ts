import type { EventFailure, RecipeEvent } from "../../events/event.ts";
import { isExcused } from "../../events/failure.ts";
import {
  attemptLine,
  caseVerdict,
  quarantineText,
  runVerdict,
  safeLine,
  UniqueNames,
} from "../plain_text.ts";
import type { Output, Reporter, ReporterContext } from "../reporter.ts";
import type { CaseSummary, StepSummary } from "../run_summary.ts";
import { defuseCiCommands } from "../safe_text.ts";
import { Summarizer } from "../summarizer.ts";
import { yamlBlock } from "./yaml_block.ts";

/** Opens the `tap` reporter. */
export function openReporter({ output }: ReporterContext): Reporter {
  return new TapReporter(output);
}

/** Writes TAP 14: a test point for each case when it ends, with its steps as a subtest. */
class TapReporter implements Reporter {
  #output: Output;
  #run = new Summarizer();
  #points = 0;
  #names = new UniqueNames();
  #hasStarted = false;

  constructor(output: Output) {
    this.#output = output;
  }

  report(event: RecipeEvent): void {
    if (event.type === "run.started") {
      this.#hasStarted = true;
      this.#output.write(`${VERSION}1..${event.cases}\n`);
    }
    const ended = this.#run.report(event);
    if (ended) this.#writeCase(ended);
  }

  /** Writes the cases that never ended, and bails out if the run was interrupted. */
  finish(): void {
    for (const summary of this.#run.close()) this.#writeCase(summary);
    const run = this.#run.summary();
    // Without the event there is no plan; the `Bail out!` below makes the report valid.
    if (!this.#hasStarted) this.#output.write(VERSION);
    for (const text of run.warnings) this.#output.write(comment(`warning: ${text}`));
    this.#output.write(comment(runVerdict(run)));
    if (run.interrupted) this.#output.write("Bail out! The run was interrupted\n");
  }

  #writeCase(summary: CaseSummary): void {
    const { status, steps, logs, failure, flaky, file, duration_ms } = summary;
    const { retries = [], quarantine } = summary;
    const warnings = [...retries, summary].flatMap(({ warnings }) => warnings);
    const name = this.#names.next(escape(summary.name), "", escape(file));
    const lines: string[] = [];
    const excused = quarantine && isExcused(summary) ? quarantine : undefined;
    if (steps.length > 0) {
      // TAP 14 requires the same name here and in the test point below.
      lines.push(`# Subtest: ${name}\n`);
      for (const [i, step] of steps.entries()) {
        const mayFail = status === "passed" || excused !== undefined;
        lines.push(...stepPoint(step, i + 1, mayFail).map((line) => `    ${line}`));
      }
      lines.push(`    1..${steps.length}\n`);
    }
    const allLogs = [...retries.flatMap(({ logs }) => logs), ...logs];
    for (const { step, text } of allLogs) lines.push(comment(`log ${step}: ${text}`));
    for (const text of warnings) lines.push(comment(`warning: ${text}`));
    const ok = status === "passed" || status === "skipped";
    const skip = status === "skipped"
      ? directive("SKIP", caseVerdict(summary))
      : excused
      ? directive("TODO", quarantineText(excused))
      : "";
    lines.push(`${ok ? "ok" : "not ok"} ${++this.#points} - ${name}${skip}\n`);
    lines.push(
      ...yamlBlock({
        ...(ok ? {} : { message: caseVerdict(summary), ...failureFields(failure) }),
        ...(ok ? {} : { status }),
        ...(flaky ? { flaky: true } : {}),
        ...(quarantine ? { quarantine: quarantineText(quarantine) } : {}),
        ...(retries.length === 0 ? {} : { retried: retries.map(attemptLine) }),
        file,
        ...(status === "skipped" ? {} : { duration_ms }),
      }),
    );
    this.#output.write(lines.join(""));
  }
}

const VERSION = "TAP version 14\n";

/**
 * The test point of a step. A step that failed in a case that fails nothing is marked as TODO: for
 * readers a subtest that failed fails the run, whatever its own test point says.
 */
function stepPoint(step: StepSummary, number: number, mayFail: boolean): string[] {
  const { status, failure, soft, retries } = step;
  const ok = status === "passed" || status === "skipped";
  const note = status === "skipped"
    ? directive("SKIP", step.detail ?? "")
    : ok || !(soft || mayFail)
    ? ""
    : directive("TODO", "may fail");
  const label = `${step.phase === "always" ? "always: " : ""}${step.label}`;
  const details = {
    ...(ok || !failure ? {} : { message: failure.message, ...failureFields(failure) }),
    ...(retries.length === 0 ? {} : {
      attempts: step.attempts,
      retried: retries.map(({ attempt, failure }) => `attempt ${attempt}: ${failure.message}`),
    }),
  };
  return [
    `${ok ? "ok" : "not ok"} ${number} - ${escape(label)}${note}\n`,
    ...(Object.keys(details).length === 0
      ? []
      : yamlBlock({ ...details, status, duration_ms: step.duration_ms })),
  ];
}

function failureFields(failure: EventFailure | undefined): Record<string, unknown> {
  if (!failure) return {};
  const { kind, code, lines, place } = failure;
  return {
    kind,
    ...(code === undefined ? {} : { code }),
    ...(lines.length === 0 ? {} : { lines }),
    ...(place === undefined ? {} : {
      at: { file: place.file, line: place.line, column: place.column },
      source: place.text,
    }),
  };
}

/** Escapes a description, in which a `#` would start a directive. */
function escape(text: string): string {
  const escaped = safeLine(text).replace(/[\\#]/g, "\\$&").trim();
  // For some parsers a brace at the end starts a subtest.
  return escaped.replace(/\{$/, "❴");
}

function directive(name: "SKIP" | "TODO", reason: string): string {
  return ` # ${name} ${escape(reason)}`.trimEnd();
}

function comment(text: string): string {
  return `# ${defuseCiCommands(safeLine(text))}\n`;
}
