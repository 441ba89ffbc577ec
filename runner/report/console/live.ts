import type { Clock, TimerHandle } from "../../../runtime/clock.ts";
import { onExit } from "../../../runtime/process.ts";
import type { RunEvent } from "../../engine/event.ts";
import type { Output, Reporter } from "../reporter.ts";
import { makeStyle } from "../style.ts";
import { Board } from "./board.ts";
import { ConsoleReporter } from "./console.ts";

/** The least time between two writes, in milliseconds; the spinner turns with them. */
const INTERVAL = 90;

/** What the screen has when it does not tell. */
const ROWS = 24;

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";
/** To the first column, and everything from there on is gone. */
const ERASE_BELOW = "\r\x1b[J";
const ERASE_REST = "\x1b[K";

/** What a {@linkcode LiveReporter} needs besides its output. */
export interface LiveOptions {
  /** Where time comes from. */
  clock: Clock;
}

/**
 * The plain lines, and below them a board of what goes on, redrawn in place.
 *
 * Between two writes the cursor stands at the board's first line. So nothing has to be known of what
 * a terminal made of the old board when its window was resized: everything from the cursor on is
 * written anew.
 */
export class LiveReporter implements Reporter {
  #output: Output;
  #clock: Clock;
  #board: Board;
  #lines: ConsoleReporter;
  /** What is to be written above the board. */
  #above = "";
  #live = false;
  #timer: TimerHandle | undefined;
  #drawn = -Infinity;
  #columns = 0;
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
      else if (this.#clock.now() - this.#drawn >= INTERVAL) this.#draw();
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
    this.#live = true;
    // Whoever asks a second time for an end gets it at once, and the cursor with it.
    this.#forget = onExit(() => this.#end());
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
    const now = this.#clock.now();
    const board = this.#board.lines({ columns, rows: Math.max(1, rows - 1) }, now);
    // Line by line where it can be: what is erased first flickers.
    const anew = this.#above !== "" || columns !== this.#columns;
    const first = this.#drawn === -Infinity ? HIDE_CURSOR : "";
    const before = anew ? `${ERASE_BELOW}${this.#above}` : "\r";
    const text = board.map((line) => line + ERASE_REST).join("\n");
    const up = board.length > 1 ? `\x1b[${board.length - 1}A` : "";
    this.#above = "";
    this.#drawn = now;
    this.#columns = columns;
    this.#output.write(`${first}${before}${NO_WRAP}${text}\x1b[J${WRAP}\r${up}`);
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.#tick(), INTERVAL);
  }

  /** Takes the board away, writes the rest, and gives the cursor back. */
  #end(): void {
    const erase = this.#drawn === -Infinity ? "" : ERASE_BELOW;
    const show = this.#drawn === -Infinity ? "" : SHOW_CURSOR;
    const text = this.#live ? `${erase}${this.#above}${show}` : this.#above;
    this.#above = "";
    this.#stop();
    if (text !== "") this.#output.write(text);
  }

  #stop(): void {
    this.#live = false;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#forget();
  }
}
