import type {
  CaseFinished,
  CaseSkipped,
  CaseStarted,
  EventFailure,
  RunEvent,
  RunFinished,
  StepFinished,
} from "../../events/event.ts";
import { inert } from "../inert.ts";
import type { ReporterContext } from "../registry.ts";
import type { Output, Reporter } from "../reporter.ts";
import { makeStyle, type Style } from "../style.ts";
import {
  caseLine,
  failureLines,
  inShort,
  printed,
  skippedLine,
  stepLines,
  summaryLine,
  UNCHECKED,
  usualLines,
  whySkipped,
} from "./lines.ts";

/** Of more cases that were not begun only the number is told. */
const SKIPPED_SHOWN = 10;

/** Settings of the console reporter. */
export interface ConsoleOptions {
  /**
   * Whether only failures and the summary are printed.
   * @default {false}
   */
  quiet?: boolean;
}

/** A failure that is told in full when the run has ended. */
interface Failed {
  label: string;
  failure: EventFailure;
  soft: boolean;
}

/** A case that goes on. */
interface Running {
  name: string;
  /** The lines of its steps, which are told when it does not pass. */
  steps: string[];
  /** Those among them that say why a step was tried again, which are told when it is flaky too. */
  retries: string[];
  /** Lines that are told in any case. */
  notes: string[];
  failures: Failed[];
}

/**
 * The console's reporter: with a live part below the lines where a person looks on, else plain lines.
 * Frames on standard error would tear a live part apart, and a dumb terminal cannot show one.
 */
export async function openConsole(context: ReporterContext): Promise<Reporter> {
  const { output, quiet, verbose, clock, env } = context;
  if (!output.isTerminal || quiet || verbose || env("TERM") === "dumb") {
    return new ConsoleReporter(output, { quiet });
  }
  const { LiveReporter } = await import("./live.ts");
  return new LiveReporter(output, { clock });
}

/**
 * Lines as things happen: the steps of a single case, or the cases where there are several; then the
 * failures in full, and a summary. It writes no control codes but colours.
 */
export class ConsoleReporter implements Reporter {
  #output: Output;
  #style: Style;
  #quiet: boolean;
  #single = true;
  #cases = new Map<number, Running>();
  #failures: string[][] = [];
  #skipped = 0;
  #begun = false;

  /** Prints to an output. */
  constructor(output: Output, options: ConsoleOptions = {}) {
    this.#output = output;
    this.#style = makeStyle(output.color);
    this.#quiet = options.quiet ?? false;
  }

  /** Takes one event. */
  report(event: RunEvent): void {
    const style = this.#style;
    switch (event.type) {
      case "run.started":
        this.#single = event.cases === 1;
        return;
      case "case.started":
        return this.#caseBegun(event);
      case "step.retried": {
        const why = inShort(event.failure, this.#output.columns - 23);
        const line = `  ${style.warning("↻")} attempt ${event.attempt} failed: ${why}`;
        this.#line(event.case, line, "steps");
        this.#cases.get(event.case)?.retries.push(line);
        return;
      }
      case "step.finished":
        return this.#step(event);
      case "log": {
        const whose = this.#single ? "" : `${this.#cases.get(event.case)?.name ?? ""}: `;
        return this.#print([`  ${style.dim(`│ ${printed(whose)}`)}${printed(event.text)}`]);
      }
      case "warning":
        return this.#line(
          event.case,
          `${style.warning("warning")}: ${printed(event.text)}`,
          "notes",
        );
      case "case.finished":
        return this.#caseEnded(event);
      case "case.skipped":
        return this.#caseSkipped(event);
      case "run.finished":
        return this.#runEnded(event);
    }
  }

  /** Tells the failures of a run that broke off. */
  finish(): void {
    this.#printFailures();
  }

  #step(event: StepFinished): void {
    for (const line of stepLines(event, this.#style, this.#output.columns)) {
      this.#line(event.case, line, "steps");
    }
    const { failure, step, label, soft, status } = event;
    const running = this.#cases.get(event.case);
    if (!failure || !running || status === "interrupted") return;
    // A step that contains others fails because of them; what they told is not told twice.
    const within = ({ failure }: Failed) => failure.step?.startsWith(`${step}.`);
    if (!running.failures.some(within)) running.failures.push({ label, failure, soft });
  }

  #caseBegun({ case: index, name, file }: CaseStarted): void {
    this.#cases.set(index, { name, steps: [], retries: [], notes: [], failures: [] });
    if (!this.#single) return;
    this.#print([`${this.#style.strong(printed(name))}  ${this.#style.dim(printed(file))}`]);
  }

  #caseEnded(event: CaseFinished): void {
    const running = this.#cases.get(event.case);
    this.#cases.delete(event.case);
    if (!running) return;
    const { status, failure, flaky, name } = event;
    const style = this.#style;
    // Where no step failed, no step's line says why.
    const own = failure && failure.step === undefined ? failure : undefined;
    const why = own ? [`  ${style.error(inShort(own, this.#output.columns - 2))}`] : [];
    const line = caseLine(event, style, this.#output.columns);
    const unchecked = status === "unchecked" ? [`  ${style.warning(`? ${UNCHECKED}`)}`] : [];
    const lines: string[] = [];
    if (this.#single) {
      lines.push(...unchecked, ...why);
    } else {
      lines.push(line, ...unchecked);
      if (status !== "passed" && status !== "unchecked") lines.push(...running.steps, ...why);
      else if (flaky) lines.push(...running.retries);
      lines.push(...running.notes.map((note) => `  ${note}`));
    }
    lines.push(...usualLines(event).map((line) => `  ${style.warning(line)}`));
    if (!this.#quiet) this.#print(lines);
    else if (status === "unchecked") this.#write([line, ...unchecked]);
    // What the case's own line has said whole is not said again.
    const told = own && !this.#quiet && own.lines.length === 0 && own.place === undefined &&
      inShort(own, this.#output.columns - 2) === printed(own.message);
    const failures = own && !told && status !== "interrupted"
      ? [...running.failures, { label: "", failure: own, soft: false }]
      : running.failures;
    for (const failed of failures) this.#failures.push(this.#inFull(name, failed));
  }

  #inFull(name: string, { label, failure, soft }: Failed): string[] {
    const lines = failureLines(failure, this.#style, soft);
    if (this.#single && !this.#quiet) return lines;
    const step = label === "" ? "" : this.#style.dim(` › ${printed(label)}`);
    return [`${this.#style.strong(printed(name))}${step}`, ...lines];
  }

  #caseSkipped(event: CaseSkipped): void {
    this.#skipped++;
    if (this.#skipped <= SKIPPED_SHOWN) {
      this.#print([skippedLine(event, this.#style, this.#output.columns)]);
    } else if (this.#skipped === SKIPPED_SHOWN + 1) {
      this.#print([this.#style.dim(`- and others  ${whySkipped(event)}`)]);
    }
  }

  #runEnded(event: RunFinished): void {
    this.#printFailures();
    if (this.#begun) this.#write([""]);
    this.#write([summaryLine(event, this.#style)]);
  }

  #printFailures(): void {
    for (const lines of this.#failures.splice(0)) {
      this.#write(this.#begun ? ["", ...lines] : lines);
    }
  }

  /** A single case's lines come as they happen; with several, each case's lines stay together. */
  #line(index: number | undefined, line: string, where: "steps" | "notes"): void {
    const running = index === undefined ? undefined : this.#cases.get(index);
    if (this.#single || !running) this.#print([line]);
    else running[where].push(line);
  }

  /** Writes lines that are not wanted when it is to be quiet. */
  #print(lines: string[]): void {
    if (!this.#quiet) this.#write(lines);
  }

  #write(lines: string[]): void {
    if (lines.length === 0) return;
    this.#begun = true;
    this.#output.write(`${lines.map(inert).join("\n")}\n`);
  }
}
