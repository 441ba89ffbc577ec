import type { RunEvent } from "../../events/event.ts";
import type { Output, Reporter } from "../reporter.ts";

/** The stream of run events itself, one JSON text a line. */
export class JsonLinesReporter implements Reporter {
  #output: Output;

  /** Prints to an output. */
  constructor(output: Output) {
    this.#output = output;
  }

  /** Takes one event. */
  report(event: RunEvent): void {
    this.#output.write(`${JSON.stringify(event)}\n`);
  }
}
