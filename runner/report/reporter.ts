import type { Clock } from "../../runtime/clock.ts";
import type { RecipeEvent } from "../events/event.ts";

/** Reads the events of a run and writes a report about it. */
export interface Reporter {
  /** Receives one event. */
  report(event: RecipeEvent): void;
  /**
   * Returns what to wait for before the next event if that can wait, as when it has been stored: the
   * reporter has much to send. Absent or `undefined` if it has not.
   */
  backlog?(): Promise<void> | undefined;
  /** Called once after the last event, also when the run was interrupted. */
  finish?(): void | Promise<void>;
}

/**
 * What a text may contain besides plain text. Any other control characters and CI commands in it
 * are made harmless.
 *
 * - `styled`: colours, and on a terminal the codes of a live view
 * - `command`: lines that GitHub Actions runs as commands, such as annotations
 */
export type TextKind = "plain" | "styled" | "command";

/** A place that reporters and commands write text to. */
export interface Output {
  /**
   * Writes text.
   *
   * @param kind What the text may contain besides plain text; nothing by default.
   */
  write(text: string, kind?: TextKind): void;
  /**
   * Writes plain text in pieces, which it may ask for later and more than once: a long text need not
   * be in memory. Absent where nothing is gained.
   */
  writePieces?(pieces: Iterable<string>): void;
  /** Whether the text appears on a terminal. */
  readonly isTerminal: boolean;
  /** Whether to write colours. */
  readonly color: boolean;
  /** The width in columns; changes when the user resizes the terminal. */
  readonly columns: number;
  /**
   * The height of the screen in lines.
   * @default {24}
   */
  readonly rows?: number;
  /** Whether nobody reads it any more, as after `| head`. */
  readonly isClosed?: boolean;
}

/** Reads a variable from the environment. */
export type ReadEnv = (name: string) => string | undefined;

/** Everything a reporter gets when it is opened. */
export interface ReporterContext {
  /** Standard output, or the file that the command line names. */
  output: Output;
  /** Whether to write only failures and the summary. */
  quiet: boolean;
  /** Whether frames are written to standard error during the run. */
  verbose: boolean;
  /** The source of time and timers. */
  clock: Clock;
  /** Reads a variable from the environment. */
  env: ReadEnv;
  /** Why no case can run, if the user has already read that on standard error. */
  saidFailure?: string;
}
