import type { EventFailure, RunEvent, StepFinished } from "../../engine/event.ts";
import { formatDuration } from "../../recipe/duration.ts";
import { printable, width } from "../../recipe/render_diagnostic.ts";
import type { Output, Reporter } from "../reporter.ts";
import { makeStyle, type Style } from "../style.ts";

/** Settings of the console reporter. */
export interface ConsoleOptions {
  /**
   * Whether only failures and the summary are printed.
   * @default {false}
   */
  quiet?: boolean;
}

/** Steps with their times, failures in full, and a summary line. */
export class ConsoleReporter implements Reporter {
  #output: Output;
  #style: Style;
  #quiet: boolean;
  #live = false;
  #single = true;
  #names = new Map<number, string>();
  #buffers = new Map<number, string[]>();

  /** Prints to an output. */
  constructor(output: Output, options: ConsoleOptions = {}) {
    this.#output = output;
    this.#style = makeStyle(output.color);
    this.#quiet = options.quiet ?? false;
  }

  /** Takes one event. */
  report(event: RunEvent): void {
    switch (event.type) {
      case "run.started":
        this.#single = event.cases === 1;
        return;
      case "case.started":
        this.#names.set(event.case, event.name);
        this.#buffers.set(event.case, []);
        this.#line(
          event.case,
          `${this.#style.strong(printable(event.name))} ${this.#style.dim(event.file)}`,
        );
        return;
      case "step.started":
        return this.#progress(event.label, "");
      case "step.progress":
        return this.#progress("", event.text);
      case "step.retried":
        return this.#line(
          event.case,
          `  ${this.#style.warning("↻")} attempt ${event.attempt} failed: ${
            printable(event.failure.message)
          }`,
        );
      case "step.finished":
        return this.#step(event);
      case "log":
        return this.#line(event.case, `  ${this.#style.dim("│")} ${printable(event.text)}`);
      case "warning":
        return this.#line(
          event.case,
          `${this.#style.warning("warning")}: ${printable(event.text)}`,
        );
      case "case.finished": {
        if (event.status === "unchecked") {
          this.#line(
            event.case,
            `  ${this.#style.warning("?")} nothing was asserted or waited for`,
          );
        }
        const failed = event.status !== "passed";
        // A failure of a step was printed with it.
        if (event.failure && event.failure.step === undefined) {
          for (const line of this.#failure(event.failure)) this.#line(event.case, line);
        }
        const lines = this.#buffers.get(event.case) ?? [];
        this.#buffers.delete(event.case);
        if (!this.#single && (failed || !this.#quiet)) this.#write(lines);
        else if (this.#quiet && failed) this.#write(lines);
        return;
      }
      case "run.finished":
        this.#clear();
        this.#output.write(`${this.#summary(event)}\n`);
        return;
    }
  }

  #step(event: StepFinished): void {
    const { status } = event;
    const mark = {
      passed: this.#style.good("✓"),
      failed: event.soft ? this.#style.warning("✗") : this.#style.error("✗"),
      errored: this.#style.error("✗"),
      skipped: this.#style.dim("-"),
      interrupted: this.#style.warning("■"),
    }[status];
    const time = status === "skipped" ? "" : formatDuration(event.duration_ms);
    const flaky = status === "passed" && event.attempts > 1
      ? this.#style.warning(` flaky, attempt ${event.attempts}`)
      : "";
    const soft = event.soft && status !== "passed" && status !== "skipped" ? " (soft)" : "";
    const always = event.phase === "always" ? "always: " : "";
    const label = printable(`${always}${event.label}${soft}`);
    const detail = event.detail === undefined
      ? ""
      : this.#style.dim(`  ${printable(event.detail)}`);
    const room = Math.max(20, Math.min(60, this.#output.columns - 20));
    const pad = " ".repeat(Math.max(1, room - width(label)));
    const line = status === "skipped"
      ? `  ${mark} ${this.#style.dim(label)}${detail}`
      : `  ${mark} ${label}${pad}${time.padStart(8)}${flaky}${detail}`;
    this.#line(event.case, line);
    if (event.failure) {
      for (const text of this.#failure(event.failure)) this.#line(event.case, text);
    }
  }

  #failure(failure: EventFailure): string[] {
    const { place } = failure;
    const code = failure.code === undefined ? "" : ` [${failure.code}]`;
    const lines = [`    ${this.#style.error(printable(failure.message))}${this.#style.dim(code)}`];
    for (const line of failure.lines) lines.push(`      ${printable(line)}`);
    if (place) {
      const number = String(place.line);
      const gutter = " ".repeat(number.length);
      const before = [...place.text].slice(0, place.column - 1).join("");
      const pad = [...before].map((c) => c === "\t" ? c : " ".repeat(width(c))).join("");
      const mark = "^".repeat(Math.min(place.length, 80));
      lines.push(
        `    ${gutter}${this.#style.dim("-->")} ${place.file}:${place.line}:${place.column}`,
        `    ${this.#style.dim(`${number} |`)} ${printable(place.text, true).slice(0, 120)}`,
        `    ${gutter} ${this.#style.dim("|")} ${pad}${this.#style.error(mark)}`,
      );
    }
    return lines;
  }

  #summary(event: RunEvent & { type: "run.finished" }): string {
    const { counts, interrupted } = event;
    const parts = [
      counts.passed > 0 && this.#style.good(`${counts.passed} passed`),
      counts.flaky > 0 && this.#style.warning(`${counts.flaky} flaky`),
      counts.failed > 0 && this.#style.error(`${counts.failed} failed`),
      counts.errored > 0 && this.#style.error(`${counts.errored} could not be run`),
      counts.unchecked > 0 && this.#style.warning(`${counts.unchecked} checked nothing`),
      counts.skipped > 0 && this.#style.dim(`${counts.skipped} skipped`),
      counts.interrupted > 0 && this.#style.warning(`${counts.interrupted} interrupted`),
      counts.warnings > 0 &&
      this.#style.warning(`${counts.warnings} ${counts.warnings === 1 ? "warning" : "warnings"}`),
    ].filter((part) => part !== false);
    const what = parts.length === 0 ? "nothing ran" : parts.join(", ");
    return `${interrupted ? "Interrupted: " : ""}${what} in ${formatDuration(event.duration_ms)}`;
  }

  /** With one case lines come as they happen; with several, each case's lines stay together. */
  #line(index: number | undefined, line: string): void {
    const buffer = index === undefined ? undefined : this.#buffers.get(index);
    if (this.#single && !this.#quiet) this.#write([line]);
    else if (buffer) buffer.push(line);
    else this.#write([line]);
  }

  #write(lines: string[]): void {
    this.#clear();
    if (lines.length > 0) this.#output.write(`${lines.join("\n")}\n`);
  }

  #progress(label: string, text: string): void {
    if (!this.#output.isTerminal || this.#quiet || !this.#single) return;
    this.#clear();
    const line = `  ${printable(label)}${text === "" ? "" : ` ${printable(text)}`} …`;
    this.#output.write(this.#style.dim(line.slice(0, this.#output.columns - 1)));
    this.#live = true;
  }

  #clear(): void {
    if (!this.#live) return;
    this.#live = false;
    this.#output.write("\r\x1b[2K");
  }
}
