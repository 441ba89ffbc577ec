import { type Clock, monotonicNow } from "../../../runtime/clock.ts";
import { onExit } from "../../../runtime/process.ts";
import { progressBar } from "../../report/console/board.ts";
import { LiveRegion, REDRAW_INTERVAL } from "../../report/console/live_region.ts";
import { truncateLine } from "../../report/console/truncate.ts";
import type { Output } from "../../report/reporter.ts";
import { makeStyle, terminalText } from "../../report/terminal.ts";

/** A line that shows how much is done, redrawn in place; nothing if the output is no terminal. */
export class ProgressLine implements Disposable {
  readonly #output: Output;
  readonly #region: LiveRegion;
  readonly #clock: Clock;
  readonly #removeExitListener: () => void;
  #nextDraw = 0;

  /** Draws on an output, which may be no terminal. */
  constructor(output: Output, clock: Clock) {
    this.#output = output;
    this.#region = new LiveRegion(output);
    this.#clock = clock;
    // A second Ctrl-C ends the process at once, and must give the cursor back too.
    this.#removeExitListener = onExit(() => this.#remove());
  }

  /** Shows a count, unless the last one was drawn a moment ago. */
  show(done: number, total: number, note: string): void {
    const now = monotonicNow(this.#clock);
    if (!this.#output.isTerminal || now < this.#nextDraw) return;
    this.#nextDraw = now + REDRAW_INTERVAL;
    const { columns } = this.#region.size;
    const bar = progressBar(done, total, columns, makeStyle(this.#output.color));
    this.#region.draw([truncateLine([...bar, [`  ${terminalText(note)}`]], columns - 1)]);
  }

  /** Removes the line. */
  [Symbol.dispose](): void {
    this.#removeExitListener();
    this.#remove();
  }

  #remove(): void {
    if (this.#output.isTerminal) this.#region.remove();
  }
}
