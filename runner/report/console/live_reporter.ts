import { type Clock, monotonicNow, type TimerHandle } from "../../../runtime/clock.ts";
import { onExit } from "../../../runtime/process.ts";
import type { RecipeEvent } from "../../events/event.ts";
import type { Output, Reporter } from "../reporter.ts";
import { makeStyle } from "../terminal.ts";
import { Board } from "./board.ts";
import { ConsoleReporter } from "./console_reporter.ts";
import { LiveRegion, REDRAW_INTERVAL } from "./live_region.ts";

/** How long a run takes before the board appears, in milliseconds: short runs need none. */
const FIRST_DRAW = 30;

/** What a {@linkcode LiveReporter} needs besides its output. */
export interface LiveOptions {
  /** The source of time and timers. */
  clock: Clock;
  /** The reason why no case can run, if it has been printed already. */
  saidFailure?: string | undefined;
}

/**
 * Prints the lines of the {@linkcode ConsoleReporter}, and below them a board of what is running,
 * redrawn in place.
 */
export class LiveReporter implements Reporter {
  #region: LiveRegion;
  #clock: Clock;
  #board: Board;
  #lines: ConsoleReporter;
  /** Lines to write above the board with the next redraw. */
  #pending = "";
  /** The earliest time of the next redraw. */
  #nextDraw = Infinity;
  #timer: TimerHandle | undefined;
  #removeExitListener = () => {};
  #failed: { error: unknown } | undefined;

  /** Draws on an output. */
  constructor(output: Output, { clock, saidFailure }: LiveOptions) {
    this.#region = new LiveRegion(output);
    this.#clock = clock;
    this.#board = new Board(makeStyle(output.color));
    this.#lines = new ConsoleReporter({
      write: (text) => void (this.#pending += text),
      isTerminal: output.isTerminal,
      color: output.color,
      get columns() {
        return output.columns;
      },
    }, { saidFailure });
  }

  /** Receives one event. */
  report(event: RecipeEvent): void {
    if (this.#failed) throw this.#failed.error;
    try {
      if (event.type === "run.started") this.#start();
      this.#board.report(event, monotonicNow(this.#clock));
      this.#lines.report(event);
      if (event.type === "run.finished") this.#removeBoard();
      else if (monotonicNow(this.#clock) >= this.#nextDraw) this.#draw();
    } catch (error) {
      this.#stop();
      throw error;
    }
  }

  /** Removes the board and leaves the terminal as it was. */
  finish(): void {
    if (this.#failed) throw this.#failed.error;
    this.#lines.finish();
    this.#removeBoard();
  }

  #start(): void {
    // A second Ctrl-C ends the process at once, and must give the cursor back too.
    this.#removeExitListener = onExit(() => this.#removeBoard());
    this.#scheduleDraw(FIRST_DRAW);
  }

  #scheduleDraw(ms: number): void {
    this.#clock.clearTimeout(this.#timer);
    this.#nextDraw = monotonicNow(this.#clock) + ms;
    this.#timer = this.#clock.setTimeout(() => this.#onTimer(), ms);
  }

  #onTimer(): void {
    this.#timer = undefined;
    try {
      this.#draw();
    } catch (error) {
      // Thrown from a timer it would end the process; the next call throws it.
      this.#stop();
      this.#failed = { error };
    }
  }

  /** Writes the pending lines and the board, in one write. */
  #draw(): void {
    const lines = this.#board.lines(this.#region.size, monotonicNow(this.#clock));
    this.#region.draw(lines, this.#pending);
    this.#pending = "";
    this.#scheduleDraw(REDRAW_INTERVAL);
  }

  /** Erases the board, writes the pending lines, and shows the cursor again. */
  #removeBoard(): void {
    const text = this.#pending;
    this.#pending = "";
    try {
      this.#region.remove(text);
    } finally {
      this.#stop();
    }
  }

  #stop(): void {
    this.#region.forget();
    this.#nextDraw = Infinity;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#removeExitListener();
  }
}
