import type { RunEvent } from "../../events/event.ts";
import type { Output, Reporter } from "../reporter.ts";
import { RunCollector } from "./collect.ts";
import { makeDocument } from "./document.ts";

/** A page to look at a run: its cases, what failed, and when each step ran. One file. */
export class HtmlReporter implements Reporter {
  #output: Output;
  #run = new RunCollector();

  /** Writes to an output, when the run is over. */
  constructor(output: Output) {
    this.#output = output;
  }

  /** Takes one event. */
  report(event: RunEvent): void {
    this.#run.take(event);
  }

  /** Writes the page; that of a run without an end too. */
  finish(): void {
    for (const piece of makeDocument(this.#run.finish())) this.#output.write(piece);
  }
}
