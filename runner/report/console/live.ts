import type { Clock, TimerHandle } from "../../../runtime/clock.ts";
import { onExit } from "../../../runtime/process.ts";
import type { RunEvent } from "../../events/event.ts";
import { width } from "../../language/render_diagnostic.ts";
import type { Output, Reporter } from "../reporter.ts";
import { makeStyle } from "../style.ts";
import { Board } from "./board.ts";
import { ConsoleReporter } from "./console.ts";

/** The least time between two writes, in milliseconds; the spinner turns with them. */
const INTERVAL = 90;

/** How long a run goes on before anything is drawn; a short one needs nothing. */
const FIRST = 30;

/** What the screen has when it does not tell. */
const ROWS = 24;

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";
const ERASE_REST = "\x1b[K";
const ERASE_BELOW = "\x1b[J";

/** What a {@linkcode LiveReporter} needs besides its output. */
export interface LiveOptions {
  /** Where time comes from. */
  clock: Clock;
}

/**
 * The plain lines, and below them a board of what goes on, redrawn in place.
 *
 * Between two writes the cursor stands in the empty line below the board, as every program leaves
 * it: that is where terminals keep it best when their window is resized.
 */
export class LiveReporter implements Reporter {
  #output: Output;
  #clock: Clock;
  #board: Board;
  #lines: ConsoleReporter;
  /** What is to be written above the board. */
  #above = "";
  /** The widths of the board's lines on the screen; nothing is drawn while there is no list. */
  #drawn: number[] | undefined;
  /** How wide the screen was then. */
  #columns = 0;
  /** When the next write may be. */
  #next = Infinity;
  #timer: TimerHandle | undefined;
  #forget = () => {};
  #broken: { error: unknown } | undefined;

  /** Draws on an output. */
  constructor(output: Output, { clock }: LiveOptions) {
    this.#output = output;
    this.#clock = clock;
    this.#board = new Board(makeStyle(output.color));
    this.#lines = new ConsoleReporter({
      write: (text) => void (this.#above += text),
      isTerminal: output.isTerminal,
      color: output.color,
      get columns() {
        return output.columns;
      },
    });
  }

  /** Takes one event. */
  report(event: RunEvent): void {
    if (this.#broken) throw this.#broken.error;
    try {
      if (event.type === "run.started") this.#begin();
      this.#board.take(event, this.#clock.now());
      this.#lines.report(event);
      if (event.type === "run.finished") this.#end();
      else if (this.#clock.now() >= this.#next) this.#draw();
    } catch (error) {
      this.#stop();
      throw error;
    }
  }

  /** Leaves the terminal as it was. */
  finish(): void {
    if (this.#broken) throw this.#broken.error;
    this.#lines.finish();
    this.#end();
  }

  #begin(): void {
    // Whoever asks a second time for an end gets it at once, and the cursor with it.
    this.#forget = onExit(() => this.#end());
    this.#wait(FIRST);
  }

  #wait(ms: number): void {
    this.#clock.clearTimeout(this.#timer);
    this.#next = this.#clock.now() + ms;
    this.#timer = this.#clock.setTimeout(() => this.#tick(), ms);
  }

  #tick(): void {
    this.#timer = undefined;
    try {
      this.#draw();
    } catch (error) {
      // Thrown from here it would end the process; the next event tells it.
      this.#stop();
      this.#broken = { error };
    }
  }

  /** Writes what is new and the board, in one write. */
  #draw(): void {
    const { columns, rows = ROWS } = this.#output;
    const lines = this.#board.lines({ columns, rows: rows - 1 }, this.#clock.now());
    const hide = this.#drawn ? "" : HIDE_CURSOR;
    // Line by line where it can be: what is erased first flickers.
    const anew = this.#above !== "" || columns !== this.#columns;
    const before = this.#back() + (anew ? ERASE_BELOW : "") + this.#above;
    const board = lines.map((line) => `${line}${ERASE_REST}\n`).join("");
    this.#above = "";
    // deno-lint-ignore no-control-regex
    this.#drawn = lines.map((line) => width(line.replace(/\x1b\[\d*m/g, "")));
    this.#columns = columns;
    this.#output.write(`${hide}${before}${NO_WRAP}${board}${ERASE_BELOW}${WRAP}`);
    this.#wait(INTERVAL);
  }

  /**
   * Moves to the board's first line. A terminal that has become narrow has folded the lines that no
   * longer had room.
   */
  #back(): string {
    const { columns } = this.#output;
    const up = (this.#drawn ?? [])
      .reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    return up > 0 ? `\r\x1b[${up}A` : "\r";
  }

  /** Takes the board away, writes the rest, and gives the cursor back. */
  #end(): void {
    const text = this.#drawn
      ? `${this.#back()}${ERASE_BELOW}${this.#above}${SHOW_CURSOR}`
      : this.#above;
    this.#above = "";
    this.#stop();
    if (text !== "") this.#output.write(text);
  }

  #stop(): void {
    this.#drawn = undefined;
    this.#next = Infinity;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#forget();
  }
}
