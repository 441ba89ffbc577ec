import graphemes from "@xterm/addon-unicode-graphemes";
import xterm from "@xterm/headless";
import type { Output } from "../../runner/mod.ts";

/** What a {@linkcode Screen} begins with. */
export interface ScreenOptions {
  columns?: number;
  rows?: number;
  color?: boolean;
  /**
   * Whether it knows emoji of several characters, and can be told not to wrap; an old terminal shows
   * their parts side by side.
   */
  modern?: boolean;
}

/** A terminal in memory, and the output that writes to it. */
export class Screen implements Output {
  #terminal: InstanceType<typeof xterm.Terminal>;
  #written = Promise.resolve();
  readonly isTerminal = true;
  readonly color: boolean;
  /** Each write, as it came. */
  readonly writes: string[] = [];
  /** Whether the cursor can be seen. */
  cursor = true;
  /** Whether a line that is too long goes on in the next one. */
  wraps = true;

  constructor({ columns = 80, rows = 24, color = false, modern = true }: ScreenOptions = {}) {
    this.color = color;
    this.#terminal = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback: 50_000,
      convertEol: true,
      allowProposedApi: true,
    });
    if (modern) this.#terminal.loadAddon(new graphemes.UnicodeGraphemesAddon());
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

  /** Changes its size, as a person does. */
  async resize(columns: number, rows = this.rows): Promise<void> {
    await this.#written;
    this.#terminal.resize(columns, rows);
  }

  /** What it shows, with what has been scrolled away; without the empty lines at the end. */
  async all(): Promise<string[]> {
    await this.#written;
    return this.#read(0);
  }

  /** What it shows. */
  async shown(): Promise<string[]> {
    await this.#written;
    return this.#read(this.#terminal.buffer.active.baseY);
  }

  /** Whether a line is the rest of the one above it. */
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
