import type { Completion } from "./candidates.ts";

/** A command line of bash up to the cursor. */
export interface Line {
  /** The words before the cursor, without the program. */
  words: string[];
  /** The beginning of the word at the cursor. */
  current: string;
  /** Where in it the part begins that readline replaces. */
  from: number;
  /** Whether that part is in quotes, which have no end yet. */
  isQuoted: boolean;
}

/**
 * Splits a command line into words, as bash does.
 *
 * @param wordBreaks The characters after which readline begins another word.
 */
export function splitLine(line: string, wordBreaks: string): Line {
  const words: string[] = [];
  let [word, quote, isBegun, from] = ["", "", false, 0];
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (quote === "" && /\s/.test(char)) {
      if (isBegun) words.push(word);
      [word, isBegun, from] = ["", false, 0];
      continue;
    }
    isBegun = true;
    if (char === quote) {
      quote = "";
    } else if (quote === "" && (char === '"' || char === "'")) {
      quote = char;
      from = word.length;
    } else if (char === "\\" && quote !== "'" && i + 1 < line.length) {
      word += line[++i]!;
    } else {
      word += char;
      if (quote === "" && wordBreaks.includes(char)) from = word.length;
    }
  }
  // Variables can stand before the program.
  while (/^\w+=/.test(words[0] ?? "")) words.shift();
  return { words: words.slice(1), current: word, from, isQuoted: quote !== "" };
}

/**
 * The lines for bash: what readline puts in the place of the part of a word after the last word
 * break. A first line says whether they are paths, which readline quotes and marks itself.
 */
export function bashLines(
  { candidates, isPath = false }: Completion,
  { from, isQuoted }: Line,
): string[] {
  const values = candidates.map(({ value }) => value.slice(from));
  if (isPath) return ["\tpaths", ...values.map((value) => `${value.replace(/\/$/, "")}\t`)];
  return values.map((value) => `${isQuoted ? value : value.replaceAll(SPECIAL, "\\$&")}\t`);
}

/** Characters that mean something to a shell. */
const SPECIAL = /[^\p{L}\p{N}_.,:=@%/+-]/gu;
