import type { Output } from "../report/reporter.ts";
import type { OptionSpecs, ParsedArgs } from "./args.ts";

/** What the process exits with when it was interrupted. */
export const INTERRUPTED = 130;

/** What a command has at hand. */
export interface CommandContext {
  /** Where results go. */
  out: Output;
  /** Where complaints go. */
  err: Output;
  /** Reads the environment. */
  env(name: string): string | undefined;
  /** Aborted when the user asks the process to end. */
  signal: AbortSignal;
  /** Told that something was given up, which may keep the process alive. */
  onStuck?: () => void;
}

/** One command of the CLI. One file each. */
export interface Command {
  /** What it is called with, in one line: `check [file | directory]…`. */
  usage: string;
  /** What it does, in one line. */
  description: string;
  /** More lines of help. */
  details?: string;
  /** Its options. */
  options: OptionSpecs;
  /** Does it, and gives the exit code. */
  run(args: ParsedArgs, context: CommandContext): Promise<number>;
}
