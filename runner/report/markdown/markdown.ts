import type { RunEvent } from "../../engine/event.ts";
import type { Output, Reporter } from "../reporter.ts";
import { Summarizer } from "../summarizer.ts";
import { renderMarkdown } from "./render.ts";

/** GitHub takes no larger summary, and people read none. */
export const MOST_BYTES: number = 1024 * 1024;

/** A run as a page of Markdown, written when it has ended. */
export class MarkdownReporter implements Reporter {
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

  /** Prints the page. */
  finish(): void {
    this.#output.write(renderMarkdown(this.#run.summary(), MOST_BYTES));
  }
}
