import type { RunEvent } from "../events/event.ts";
import type { Output, Reporter } from "./reporter.ts";
import type { RunSummary } from "./run_summary.ts";
import { Summarizer } from "./summarizer.ts";

/** A reporter that writes a document when the run has ended, also when that broke off. */
export abstract class SummaryReporter implements Reporter {
  /** Where it writes. */
  protected readonly output: Output;
  #run = new Summarizer();

  /** Prints to an output. */
  constructor(output: Output) {
    this.output = output;
  }

  /** Takes one event. */
  report(event: RunEvent): void {
    this.#run.report(event);
  }

  /** Prints the document. */
  finish(): void | Promise<void> {
    return this.write(this.#run.summary());
  }

  /** Prints a run. */
  protected abstract write(run: RunSummary): void | Promise<void>;
}
