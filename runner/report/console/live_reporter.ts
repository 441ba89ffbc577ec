import { type Clock, monotonicNow, type TimerHandle } from "../../../runtime/clock.ts";
import { onExit } from "../../../runtime/process.ts";
import type { RecipeEvent } from "../../events/event.ts";
import { width } from "../../language/render_diagnostic.ts";
import type { Output, Reporter } from "../reporter.ts";
import { makeStyle } from "../terminal.ts";
import { Board } from "./board.ts";
import { ConsoleReporter } from "./console_reporter.ts";

/** The shortest time between two redraws, in milliseconds. */
const REDRAW_INTERVAL = 90;

/** How long a run takes before the board appears, in milliseconds: short runs need none. */
const FIRST_DRAW = 30;

/** The height of a screen that does not report its own. */
const DEFAULT_ROWS = 24;

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";
const ERASE_REST = "\x1b[K";
const ERASE_BELOW = "\x1b[J";

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
 *
 * Between two writes the cursor is in the empty line below the board, where other programs leave it
 * too: terminals handle a resize best there.
 */
export class LiveReporter implements Reporter {
  #output: Output;
  #clock: Clock;
  #board: Board;
  #lines: ConsoleReporter;
  /** Lines to write above the board with the next redraw. */
  #pending = "";
  /** The widths of the board's lines on the screen; undefined before the board has been drawn. */
  #drawn: number[] | undefined;
  /** The width of the screen at the last redraw. */
  #columns = 0;
  /** The earliest time of the next redraw. */
  #nextDraw = Infinity;
  #timer: TimerHandle | undefined;
  #removeExitListener = () => {};
  #failed: { error: unknown } | undefined;

  /** Draws on an output. */
  constructor(output: Output, { clock, saidFailure }: LiveOptions) {
    this.#output = output;
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
    const { columns, rows = DEFAULT_ROWS } = this.#output;
    const lines = this.#board.lines({ columns, rows: rows - 1 }, monotonicNow(this.#clock));
    const hide = this.#drawn ? "" : HIDE_CURSOR;
    // Erasing the whole board flickers, so lines are overwritten one by one where possible.
    const eraseAll = this.#pending !== "" || columns !== this.#columns;
    const above = this.#moveToTop() + (eraseAll ? ERASE_BELOW : "") + this.#pending;
    const board = lines.map((line) => `${line}${ERASE_REST}\n`).join("");
    this.#pending = "";
    // deno-lint-ignore no-control-regex -- Colours have no width.
    this.#drawn = lines.map((line) => width(line.replace(/\x1b\[\d*m/g, "")));
    this.#columns = columns;
    this.#output.write(`${hide}${above}${NO_WRAP}${board}${ERASE_BELOW}${WRAP}`, "styled");
    this.#scheduleDraw(REDRAW_INTERVAL);
  }

  /**
   * Moves the cursor to the first line of the board. A terminal that has become narrower has
   * wrapped the lines that no longer fit.
   */
  #moveToTop(): string {
    const { columns } = this.#output;
    const up = (this.#drawn ?? [])
      .reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    return up > 0 ? `\r\x1b[${up}A` : "\r";
  }

  /** Erases the board, writes the pending lines, and shows the cursor again. */
  #removeBoard(): void {
    const text = this.#drawn
      ? `${this.#moveToTop()}${ERASE_BELOW}${this.#pending}${SHOW_CURSOR}`
      : this.#pending;
    this.#pending = "";
    this.#stop();
    if (text !== "") this.#output.write(text, "styled");
  }

  #stop(): void {
    this.#drawn = undefined;
    this.#nextDraw = Infinity;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#removeExitListener();
  }
}
