import { TextStore } from "./text_store.ts";
import type { Output } from "./reporter.ts";

/** The file that a reporter writes. */
export interface ReportFile {
  /** What the reporter writes to. */
  output: Output;
  /**
   * Completes the file, once the reporter has written all of it.
   * @throws {FileError} If that is not possible.
   */
  finish(): Promise<void>;
  /** Gives up the file, because the reporter has failed. */
  abandon(): void;
}

/** Returns a file that is written as a whole in the end, so that it is complete or absent. */
export function wholeFile(path: string): ReportFile {
  const text = new TextPieces();
  return {
    output: {
      ...outputTo((piece) => text.add(piece)),
      writePieces: (pieces) => text.addLater(pieces),
    },
    async finish() {
      const { writeTextFile } = await import("../../runtime/write_file.ts");
      await writeTextFile(path, text);
    },
    abandon() {},
  };
}

/**
 * Opens a file that has everything the reporter has written so far, also if the process is killed.
 * @throws {FileError} If it cannot be created.
 */
export async function streamFile(path: string): Promise<ReportFile> {
  const { openGrowingFile } = await import("../../runtime/growing_file.ts");
  const file = await openGrowingFile(path);
  return {
    output: outputTo((piece) => file.append(piece)),
    finish: () => file.close(),
    abandon: () => file.abandon(),
  };
}

function outputTo(write: (text: string) => void): Output {
  return { write, isTerminal: false, color: false, columns: 80 };
}

/**
 * Writes a long text. To a file it is made while it is written, so that it is never in memory.
 * @param pieces Makes the text, each time anew.
 */
export function writePieces(output: Output, pieces: () => Iterable<string>): void {
  if (output.writePieces) {
    output.writePieces({ [Symbol.iterator]: () => pieces()[Symbol.iterator]() });
  } else for (const piece of pieces()) output.write(piece);
}

/** How many characters are joined at a time. */
const JOINED = 1 << 15;

/**
 * A long text that is made of many pieces. A piece by itself takes more memory than its characters,
 * and all of them joined would be there twice.
 */
export class TextPieces implements Iterable<string> {
  readonly #store = new TextStore();
  /** The numbers of texts in the store, and pieces that are made when they are asked for. */
  readonly #parts: (number | Iterable<string>)[] = [];
  #pieces: string[] = [];
  #length = 0;

  /** Adds a piece to the end. */
  add(piece: string): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
    if (this.#length >= JOINED) this.#join();
  }

  /** Adds pieces that are asked for each time the text is read. */
  addLater(pieces: Iterable<string>): void {
    this.#join();
    this.#parts.push(pieces);
  }

  /** Returns the text, in pieces of a good size. */
  *[Symbol.iterator](): Generator<string> {
    this.#join();
    for (const part of this.#parts) {
      if (typeof part === "number") yield this.#store.get(part);
      else yield* part;
    }
  }

  #join(): void {
    if (this.#pieces.length === 0) return;
    this.#parts.push(this.#store.add(this.#pieces.join("")));
    this.#pieces = [];
    this.#length = 0;
  }
}
