import type { Clock } from "../../runtime/clock.ts";
import type { Mask } from "../engine/mask.ts";
import type { Output } from "../report/reporter.ts";
import type { OptionSpecs, ParsedArgs } from "./args.ts";
import type { ScriptGuard } from "./script_guard.ts";

/**
 * The name of the program. What tells the user to call a command names it by
 * {@linkcode CommandContext.program} instead.
 */
export const PROGRAM = "dispatch";

/** The version of the package; `deno task update version` takes it from `deno.json`. */
export const VERSION = "0.1.0";

/** The exit code of a command whose recipes, files or command line are invalid. */
export const INVALID = 2;

/** The exit code of a command that could not do its work. */
export const COULD_NOT_RUN = 3;

/** The exit code of a command that has found nothing to do. */
export const NOTHING_TO_DO = 4;

/** The exit code of an interrupted command. */
export const INTERRUPTED = 130;

/** The environment that a command runs in. Tests replace all of it. */
export interface CommandContext {
  /** Standard output, for results. */
  out: Output;
  /** Standard error, for errors and warnings. */
  err: Output;
  /** Reads an environment variable. */
  env(name: string): string | undefined;
  /** The clock that runs, waits and schedules use. */
  clock: Clock;
  /** Returns random numbers from 0 up to, not including, 1. */
  random: () => number;
  /** Aborted when the user interrupts the process. */
  signal: AbortSignal;
  /** Reads standard input, which has at most so many bytes; absent where there is none. */
  readInput?(maximum: number): Promise<string>;
  /** Returns how this program was called, such as `deno run -A runner.ts`, for hints and examples. */
  program(): Promise<string>;
  /** Called when unfinished work was abandoned, which can keep the process alive. */
  onStuck?: () => void;
  /** Masks secrets, in `err` too. `runCli` adds it, and the command adds the secrets. */
  mask: Mask;
  /** Watches the code of recipes. `runCli` adds it. */
  guard?: ScriptGuard;
}

/** What the process gives to a command. */
export type ProcessContext = Omit<CommandContext, "mask" | "guard">;

/** A command of the CLI. Each has a file in `commands/` and a line in `commands.ts`. */
export interface Command {
  /** How it is called, in one line: `check [file | directory]…`. */
  usage: string;
  /** What it does, in one line of help. */
  description: string;
  /** Examples for its help: command lines of a shell. */
  examples(program: string): readonly string[];
  /** Help that follows the options. */
  details?: string;
  /** Fixed words that its arguments can be, for completions. */
  words?: readonly string[];
  /** Its options, besides `--help`, which every command has. */
  options: OptionSpecs;
  /** Runs it and returns the exit code. */
  run(args: ParsedArgs, context: CommandContext): Promise<number>;
}
