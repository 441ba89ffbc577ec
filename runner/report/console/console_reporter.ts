import type {
  CaseFinished,
  CaseRetried,
  CaseSkipped,
  CaseStarted,
  RecipeEvent,
  RecipeRunFinished,
  StepFinished,
} from "../../events/event.ts";
import { isExcused } from "../../events/failure.ts";
import type { Output, Reporter } from "../reporter.ts";
import {
  dropFailuresInside,
  failuresInside,
  type FailureToPrint,
  newCase,
  type RunningCase,
} from "./running_case.ts";
import { defuseCiCommands } from "../safe_text.ts";
import { makeStyle, type Style, terminalText } from "../terminal.ts";
import {
  caseLine,
  failureLines,
  openedLine,
  quarantineNote,
  shortMessage,
  skippedLine,
  skipReason,
  stepLines,
  summaryLine,
  UNCHECKED,
  usualLines,
} from "./lines.ts";

/** How many cases that did not start are listed. */
const MAX_SKIPPED = 10;

/** Settings of the console reporter. */
export interface ConsoleOptions {
  /**
   * Whether to print only failures and the summary.
   * @default {false}
   */
  quiet?: boolean;
  /**
   * The reason why no case can run, if it has been printed already. It is not repeated.
   * @default {nothing has been printed}
   */
  saidFailure?: string | undefined;
}

/**
 * Prints a run line by line: the steps of a single case, or one line per case if there are several;
 * then every failure in full, and a summary. Its only control codes are colours.
 *
 * @example
 * ```ts
 * import { ConsoleReporter } from "@dispatch/sdk/runner";
 *
 * let printed = "";
 * const reporter = new ConsoleReporter({
 *   write: (text) => void (printed += text),
 *   isTerminal: false,
 *   color: false,
 *   columns: 80,
 * });
 * const ts = new Date().toISOString();
 * reporter.report({ type: "warning", ts, text: "the history is not writable" });
 * reporter.finish();
 * if (printed !== "warning: the history is not writable\n") throw new Error(printed);
 * ```
 */
export class ConsoleReporter implements Reporter {
  #output: Output;
  #style: Style;
  #quiet: boolean;
  #saidFailure: string | undefined;
  #isSingleCase = true;
  #cases = new Map<number, RunningCase>();
  #failures: string[][] = [];
  #skipped = 0;
  #hasPrinted = false;

  /** Prints to an output. */
  constructor(output: Output, options: ConsoleOptions = {}) {
    this.#output = output;
    this.#style = makeStyle(output.color);
    this.#quiet = options.quiet ?? false;
    this.#saidFailure = options.saidFailure;
  }

  /** Receives one event. */
  report(event: RecipeEvent): void {
    switch (event.type) {
      case "run.started":
        this.#isSingleCase = event.cases === 1;
        return;
      case "case.started":
        return this.#onCaseStarted(event);
      case "step.started": {
        const key = `${event.phase} ${event.step}`;
        const running = this.#cases.get(event.case);
        running?.labels.set(key, event.label);
        running?.failuresBefore.set(key, running.failures.length);
        return;
      }
      case "step.retried": {
        const why = shortMessage(event.failure, this.#output.columns - 23);
        const line = `  ${this.#style.warning("↻")} attempt ${event.attempt} failed: ${why}`;
        this.#caseLine(event.case, line, "steps");
        const running = this.#cases.get(event.case);
        running?.retries.push(line);
        if (running) dropFailuresInside(event, running);
        return;
      }
      case "step.finished":
        return this.#onStepFinished(event);
      case "log": {
        const name = this.#isSingleCase ? "" : `${this.#cases.get(event.case)?.name ?? ""}: `;
        const prefix = this.#style.dim(`│ ${terminalText(name)}`);
        return this.#print([`  ${prefix}${terminalText(event.text)}`]);
      }
      case "warning": {
        const line = `${this.#style.warning("warning")}: ${terminalText(event.text)}`;
        return this.#caseLine(event.case, line, "notes");
      }
      case "case.retried":
        return this.#onCaseRetried(event);
      case "case.finished":
        return this.#onCaseFinished(event);
      case "case.skipped":
        return this.#onCaseSkipped(event);
      case "run.finished":
        return this.#onRunFinished(event);
    }
  }

  /** Prints the remaining failures if the events stopped before the run finished. */
  finish(): void {
    this.#printFailures();
  }

  #onCaseStarted({ case: index, name, file, attempt }: CaseStarted): void {
    if (attempt !== undefined && this.#cases.has(index)) return;
    this.#cases.set(index, newCase(name));
    if (!this.#isSingleCase) return;
    const { strong, dim } = this.#style;
    this.#print([`${strong(terminalText(name))}  ${dim(terminalText(file))}`]);
  }

  /** Shows that an attempt failed. Its failures are not printed in full: another one follows. */
  #onCaseRetried({ case: index, attempt, failure }: CaseRetried): void {
    const running = this.#cases.get(index);
    if (!running) return;
    const why = failure ? `: ${shortMessage(failure, this.#output.columns - 32)}` : "";
    const line = `  ${this.#style.warning("↻")} attempt ${attempt} of the case failed${why}`;
    this.#caseLine(index, line, "steps");
    running.retries.push(line);
    running.failures = [];
    running.labels.clear();
    running.opened.clear();
  }

  #onStepFinished(event: StepFinished): void {
    const { failure, step, label, soft, status } = event;
    const running = this.#cases.get(event.case);
    for (const line of this.#outerLines(event, running)) {
      this.#caseLine(event.case, line, "steps");
    }
    // Most cases pass, and then nobody sees the lines of their steps.
    if (running && !this.#isSingleCase) running.steps.push(event);
    else this.#print(this.#ownLines(event));
    running?.labels.delete(`${event.phase} ${step}`);
    running?.opened.delete(`${event.phase} ${step}`);
    if (!failure || !running || status === "interrupted") return;
    // A step that contains others mostly fails because of one of them, whose failure is printed already.
    const isPrinted = failuresInside(event, running)
      .some((one) => failure.message.includes(one.failure.message));
    if (!isPrinted) running.failures.push({ label, failure, soft });
  }

  /** The lines of a step; none for a `log` step, whose text is printed when it runs. */
  #ownLines(event: StepFinished): string[] {
    const { kind, label, status } = event;
    if (kind === "log" && status === "passed" && label.startsWith("log ")) return [];
    return stepLines(event, this.#style, this.#output.columns);
  }

  #stepLines({ steps }: RunningCase): string[] {
    return steps.flatMap((step) => typeof step === "string" ? [step] : this.#ownLines(step));
  }

  /** The lines of the steps around a step, unless they are printed already. */
  #outerLines({ step }: StepFinished, running: RunningCase | undefined): string[] {
    if (!running) return [];
    const lines: string[] = [];
    for (let dot = step.indexOf("."); dot !== -1; dot = step.indexOf(".", dot + 1)) {
      const outer = step.slice(0, dot);
      // A used recipe has phases of its own.
      const key = [`steps ${outer}`, `always ${outer}`].find((key) => running.labels.has(key));
      if (key === undefined || running.opened.has(key)) continue;
      running.opened.add(key);
      const always = key.startsWith("always") ? "always: " : "";
      lines.push(openedLine(always + running.labels.get(key), outer, this.#style));
    }
    return lines;
  }

  #onCaseFinished(event: CaseFinished): void {
    const running = this.#cases.get(event.case);
    this.#cases.delete(event.case);
    if (!running) return;
    const { status, failure, flaky, name } = event;
    const style = this.#style;
    const { columns } = this.#output;
    // A failure of the case itself, which no line of a step shows.
    const own = failure && failure.step === undefined && failure.message !== this.#saidFailure
      ? failure
      : undefined;
    const ownLine = own ? [`  ${style.error(shortMessage(own, columns - 2))}`] : [];
    const line = caseLine(event, style, columns);
    const unchecked = status === "unchecked" ? [`  ${style.warning(`? ${UNCHECKED}`)}`] : [];
    const lines: string[] = [];
    if (this.#isSingleCase) {
      const { quarantine } = event;
      const note = quarantine ? [`  ${style.warning(quarantineNote(quarantine))}`] : [];
      lines.push(...unchecked, ...ownLine, ...note);
    } else {
      lines.push(line, ...unchecked);
      if (status !== "passed" && status !== "unchecked") {
        lines.push(...this.#stepLines(running), ...ownLine);
      } else if (flaky) lines.push(...running.retries);
      lines.push(...running.notes.map((note) => `  ${note}`));
    }
    lines.push(...usualLines(event).map((line) => `  ${style.warning(line)}`));
    if (!this.#quiet) this.#print(lines);
    else if (status === "unchecked") this.#write([line, ...unchecked]);
    // The line of the case may already show the whole failure.
    const isShownInFull = own && !this.#quiet && own.lines.length === 0 &&
      own.place === undefined && shortMessage(own, columns - 2) === terminalText(own.message);
    const failures = own && !isShownInFull && status !== "interrupted"
      ? [...running.failures, { label: "", failure: own, soft: false }]
      : running.failures;
    for (const failed of failures) {
      if (failed.isRetried) continue;
      // A failure in quarantine looks like a soft one: it does not count.
      const soft = failed.soft || isExcused(event);
      this.#failures.push(this.#inFull(name, { ...failed, soft }));
    }
  }

  #inFull(name: string, { label, failure, soft }: FailureToPrint): string[] {
    const lines = failureLines(failure, this.#style, soft);
    if (this.#isSingleCase && !this.#quiet) return lines;
    const step = label === "" ? "" : this.#style.dim(` › ${terminalText(label)}`);
    return [`${this.#style.strong(terminalText(name))}${step}`, ...lines];
  }

  #onCaseSkipped(event: CaseSkipped): void {
    this.#skipped++;
    if (this.#skipped <= MAX_SKIPPED) {
      this.#print([skippedLine(event, this.#style, this.#output.columns)]);
    } else if (this.#skipped === MAX_SKIPPED + 1) {
      this.#print([this.#style.dim(`- and others  ${skipReason(event)}`)]);
    }
  }

  #onRunFinished(event: RecipeRunFinished): void {
    this.#printFailures();
    if (this.#hasPrinted) this.#write([""]);
    this.#write([summaryLine(event, this.#style)]);
  }

  #printFailures(): void {
    for (const lines of this.#failures.splice(0)) {
      this.#write(this.#hasPrinted ? ["", ...lines] : lines);
    }
  }

  /**
   * Prints a line of a single case at once. With several cases it keeps the line, so that the lines
   * of each case stay together.
   */
  #caseLine(index: number | undefined, line: string, kind: "steps" | "notes"): void {
    const running = index === undefined ? undefined : this.#cases.get(index);
    if (this.#isSingleCase || !running) this.#print([line]);
    else running[kind].push(line);
  }

  /** Writes lines unless the reporter is quiet. */
  #print(lines: string[]): void {
    if (!this.#quiet) this.#write(lines);
  }

  #write(lines: string[]): void {
    if (lines.length === 0) return;
    this.#hasPrinted = true;
    this.#output.write(`${lines.map(defuseCiCommands).join("\n")}\n`, "styled");
  }
}
