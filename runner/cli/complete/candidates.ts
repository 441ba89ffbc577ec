import type { CommandContext } from "../command.ts";

/** A word that can stand at the cursor. */
export interface Candidate {
  value: string;
  /** What it means, in one line. */
  description?: string;
}

/** The words that can stand at the cursor. */
export interface Completion {
  candidates: Candidate[];
  /** Whether they are paths. */
  isPath?: boolean;
}

/** Where the cursor is. */
export interface Place {
  /** The command, `run` if there is none. */
  command: string;
  /** The arguments before the cursor. */
  positional: readonly string[];
  /** The values of options before the cursor, by name. */
  values: Readonly<Record<string, readonly string[]>>;
  /** The beginning of the word, or of the option's value, at the cursor. */
  current: string;
  context: CommandContext;
}

/** Puts a text before each candidate. */
export function withPrefix(prefix: string, { candidates, isPath = false }: Completion): Completion {
  const whole = candidates.map((one) => ({ ...one, value: prefix + one.value }));
  return { candidates: whole, isPath };
}
