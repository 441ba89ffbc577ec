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
  const text: string[] = [];
  return {
    output: outputTo((piece) => void text.push(piece)),
    async finish() {
      const { writeTextFile } = await import("../../runtime/write_file.ts");
      await writeTextFile(path, text.join(""));
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
