import type { RunEvent } from "../../engine/event.ts";
import type { Output, Reporter } from "../reporter.ts";
import { Summarizer } from "../summarizer.ts";

/** A run as one JSON document, written when it has ended. */
export class JsonReporter implements Reporter {
  #output: Output;
  #run = new Summarizer();

  /** Prints to an output. */
  constructor(output: Output) {
    this.#output = output;
  }

  /** Takes one event. */
  report(event: RunEvent): void {
    this.#run.report(event);
  }

  /** Prints the document. */
  finish(): void {
    this.#output.write(`${JSON.stringify(this.#run.summary(), undefined, 2)}\n`);
  }
}
