import xterm, { type ITerminalAddon } from "@xterm/headless";
import type { Output } from "../../runner/mod.ts";

/** Settings of a {@linkcode Screen}. */
export interface ScreenOptions {
  columns?: number;
  rows?: number;
  color?: boolean;
  /**
   * Whether it draws an emoji of several characters as one, and supports switching line wrap off. An
   * old terminal draws the characters side by side.
   */
  modern?: boolean;
  /**
   * Makes the addon that draws an emoji of several characters as one. Only tests of such texts load it:
   * its module now and then fails to decode its table when code comes from a compile cache.
   */
  graphemes?: () => ITerminalAddon;
}

/** Text of one style in a line of a {@linkcode Screen}. */
export interface ScreenSpan {
  text: string;
  /** The column it starts at, from 0. */
  column: number;
  /** The number of columns it takes. */
  columns: number;
  /** The index of its colour in the palette; absent for the default colour. */
  color?: number;
  bold: boolean;
  dim: boolean;
}

/** An output that writes to a terminal emulator in memory. */
export class Screen implements Output {
  #terminal: InstanceType<typeof xterm.Terminal>;
  #written = Promise.resolve();
  readonly isTerminal = true;
  readonly color: boolean;
  /** The text of each write. */
  readonly writes: string[] = [];
  /** Whether the cursor is visible. */
  cursor = true;
  /** Whether the terminal wraps long lines. */
  wraps = true;

  constructor(
    { columns = 80, rows = 24, color = false, modern = true, graphemes }: ScreenOptions = {},
  ) {
    this.color = color;
    this.#terminal = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback: 50_000,
      convertEol: true,
      allowProposedApi: true,
    });
    if (modern && graphemes) this.#terminal.loadAddon(graphemes());
    for (const final of ["h", "l"] as const) {
      this.#terminal.parser.registerCsiHandler({ prefix: "?", final }, (params) => {
        if (params.includes(25)) this.cursor = final === "h";
        if (params.includes(7)) this.wraps = final === "h";
        return !modern && params.includes(7);
      });
    }
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  get rows(): number {
    return this.#terminal.rows;
  }

  write(text: string): void {
    this.writes.push(text);
    this.#written = new Promise((resolve) => this.#terminal.write(text, resolve));
  }

  /** Resizes the terminal. */
  async resize(columns: number, rows = this.rows): Promise<void> {
    await this.#written;
    this.#terminal.resize(columns, rows);
  }

  /** The lines of the scrollback and the screen, without empty lines at the end. */
  async all(): Promise<string[]> {
    await this.#written;
    return this.#read(0);
  }

  /** The lines of the screen, without empty lines at the end. */
  async shown(): Promise<string[]> {
    await this.#written;
    return this.#read(this.#terminal.buffer.active.baseY);
  }

  /** The lines of the screen as spans, without spaces between and empty lines at the end. */
  async cells(): Promise<ScreenSpan[][]> {
    const { length } = await this.shown();
    const { active } = this.#terminal.buffer;
    return Array.from({ length }, (_, row) => spansOf(active.getLine(active.baseY + row)!));
  }

  /** The lines that continue a wrapped line. */
  async wrapped(): Promise<string[]> {
    await this.#written;
    const { active } = this.#terminal.buffer;
    const lines = Array.from({ length: active.length }, (_, i) => active.getLine(i)!);
    return lines.filter((line) => line.isWrapped).map((line) => line.translateToString(true));
  }

  #read(from: number): string[] {
    const { active } = this.#terminal.buffer;
    const lines: string[] = [];
    for (let i = from; i < active.length; i++) {
      lines.push(active.getLine(i)!.translateToString(true));
    }
    while (lines.at(-1) === "") lines.pop();
    return lines;
  }
}

function spansOf(line: xterm.IBufferLine): ScreenSpan[] {
  const spans: ScreenSpan[] = [];
  for (let column = 0; column < line.length; column++) {
    const cell = line.getCell(column)!;
    const text = cell.getChars();
    if (text === "") continue;
    const style = {
      ...(cell.isFgPalette() ? { color: cell.getFgColor() } : {}),
      bold: cell.isBold() !== 0,
      dim: cell.isDim() !== 0,
    };
    const last = spans.at(-1);
    const isSameStyle = last && last.column + last.columns === column &&
      last.color === style.color && last.bold === style.bold && last.dim === style.dim;
    if (isSameStyle) {
      last.text += text;
      last.columns += cell.getWidth();
    } else spans.push({ text, column, columns: cell.getWidth(), ...style });
  }
  // Spaces at the end of a span have no colour to show.
  return spans.map((span) => {
    const trimmed = span.text.trimEnd();
    return { ...span, text: trimmed, columns: span.columns - (span.text.length - trimmed.length) };
  }).filter(({ text }) => text !== "");
}
