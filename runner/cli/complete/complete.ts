import { abortable } from "../../../runtime/abortable.ts";
import type { CommandContext } from "../command.ts";
import { bashLines, splitLine } from "./bash_line.ts";
import type { Candidate, Completion } from "./candidates.ts";
import { completionOf } from "./expected.ts";

/** How long a shell waits for candidates, in milliseconds. */
const LIMIT = 2_000;

/**
 * Prints what can stand at the cursor, for the scripts of `completion`: a line for each candidate,
 * with a tab and what it means. Whatever goes wrong, it prints nothing: the user is typing.
 *
 * @param args `bash WORDBREAKS LINE`, or another shell, `--`, the words before the cursor without
 * the program, and the beginning of the word at the cursor.
 */
export async function complete(args: readonly string[], context: CommandContext): Promise<number> {
  const [shell, second = "", ...rest] = args;
  const isBash = shell === "bash";
  const line = isBash ? splitLine(rest[0] ?? "", second) : undefined;
  const words = line?.words ?? rest.slice(0, -1);
  const current = line?.current ?? rest.at(-1) ?? "";
  const found = await inTime(completionOf(words, current, context), context);
  const candidates = found.candidates.filter(({ value }) =>
    value.startsWith(current) && !/\p{Cc}/u.test(value)
  );
  const completion = { ...found, candidates };
  const lines = line ? bashLines(completion, line) : completion.candidates.map(lineOf);
  context.out.write(lines.map((text) => `${text}\n`).join(""));
  return 0;
}

function lineOf({ value, description = "" }: Candidate): string {
  return `${value}\t${description.replaceAll(/\p{Cc}+/gu, " ")}`;
}

/** Resolves to no candidates if they cannot be found in time. */
async function inTime(
  finding: Promise<Completion>,
  { clock, onStuck, signal }: CommandContext,
): Promise<Completion> {
  const limit = new AbortController();
  const timer = clock.setTimeout(() => limit.abort(), LIMIT);
  try {
    return await abortable(finding, AbortSignal.any([limit.signal, signal]));
  } catch (_error) {
    // A file with a mistake has no names; the command that uses it will say why.
    if (limit.signal.aborted) onStuck?.();
    return { candidates: [] };
  } finally {
    clock.clearTimeout(timer);
  }
}
