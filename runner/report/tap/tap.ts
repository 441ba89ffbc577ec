import type { EventFailure, RunEvent } from "../../events/event.ts";
import { runLine, shownInLine, verdict } from "../plain_text.ts";
import type { Output, Reporter } from "../reporter.ts";
import type { CaseSummary, StepSummary } from "../run_summary.ts";
import { Summarizer } from "../summarizer.ts";
import { yamlBlock } from "./yaml_block.ts";

/**
 * A run as TAP 14: a test point for each case, in the order they end, with its steps as a subtest.
 */
export class TapReporter implements Reporter {
  #output: Output;
  #run = new Summarizer();
  #points = 0;
  #begun = false;

  /** Prints to an output. */
  constructor(output: Output) {
    this.#output = output;
  }

  /** Takes one event. */
  report(event: RunEvent): void {
    if (event.type === "run.started") {
      this.#begun = true;
      this.#output.write(`${VERSION}1..${event.cases}\n`);
    }
    const ended = this.#run.report(event);
    if (ended) this.#case(ended);
  }

  /** Prints the cases whose end was not told, and bails out where the run was interrupted. */
  finish(): void {
    for (const one of this.#run.close()) this.#case(one);
    const run = this.#run.summary();
    // Without a beginning there is no plan either, and what follows bails out.
    if (!this.#begun) this.#output.write(VERSION);
    for (const text of run.warnings) this.#output.write(comment(`warning: ${text}`));
    this.#output.write(comment(runLine(run)));
    if (run.interrupted) this.#output.write("Bail out! The run was interrupted\n");
  }

  #case(one: CaseSummary): void {
    const { status, steps, logs, warnings } = one;
    const name = escape(one.name);
    const lines: string[] = [];
    if (steps.length > 0) {
      // The name stands in the point that follows too, as the format wants it.
      lines.push(`# Subtest: ${name}\n`);
      for (const [i, step] of steps.entries()) {
        lines.push(...stepPoint(step, i + 1, status === "passed").map((line) => `    ${line}`));
      }
      lines.push(`    1..${steps.length}\n`);
    }
    for (const { step, text } of logs) lines.push(comment(`log ${step}: ${text}`));
    for (const text of warnings) lines.push(comment(`warning: ${text}`));
    const ok = status === "passed" || status === "skipped";
    const skip = status === "skipped" ? directive("SKIP", verdict(one)) : "";
    lines.push(`${ok ? "ok" : "not ok"} ${++this.#points} - ${name}${skip}\n`);
    lines.push(
      ...yamlBlock({
        ...(ok ? {} : { message: verdict(one), ...failureFields(one.failure) }),
        ...(status === "passed" || status === "skipped" ? {} : { status }),
        ...(one.flaky ? { flaky: true } : {}),
        file: one.file,
        ...(status === "skipped" ? {} : { duration_ms: one.duration_ms }),
      }),
    );
    this.#output.write(lines.join(""));
  }
}

const VERSION = "TAP version 14\n";

/** The test point of a step. In a case that passed, what did not pass did not count. */
function stepPoint(step: StepSummary, number: number, passed: boolean): string[] {
  const { status, failure, soft, retries } = step;
  const ok = status === "passed" || status === "skipped";
  const reason = step.detail ?? "";
  const note = status === "skipped"
    ? directive("SKIP", reason)
    : ok || !(soft || passed)
    ? ""
    : directive("TODO", "may fail");
  const label = `${step.phase === "always" ? "always: " : ""}${step.label}`;
  const more = {
    ...(ok || !failure ? {} : { message: failure.message, ...failureFields(failure) }),
    ...(retries.length === 0 ? {} : {
      attempts: step.attempts,
      retried: retries.map(({ attempt, failure }) => `attempt ${attempt}: ${failure.message}`),
    }),
  };
  return [
    `${ok ? "ok" : "not ok"} ${number} - ${escape(label)}${note}\n`,
    ...(Object.keys(more).length === 0
      ? []
      : yamlBlock({ ...more, status, duration_ms: step.duration_ms })),
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

/** A description: a `#` would begin a directive. */
function escape(text: string): string {
  const escaped = shownInLine(text).replace(/[\\#]/g, "\\$&").trim();
  // Some readers take a brace at the end for the beginning of a subtest.
  return escaped.replace(/\{$/, "{\u200b");
}

function directive(name: "SKIP" | "TODO", reason: string): string {
  return ` # ${name} ${escape(reason)}`.trimEnd();
}

function comment(text: string): string {
  return `# ${shownInLine(text)}\n`;
}
