/**
 * Regular expressions of recipes. They are RE2, as CEL defines them, and take time in proportion to
 * the text: no pattern of a recipe can block the process.
 *
 * RE2 is large, so this module is loaded by {@linkcode loadPatterns} when a recipe has a pattern.
 *
 * @module
 */
import { RE2JS, RE2JSSyntaxException } from "re2js";
import { spend } from "./budget.ts";

/** The most characters a pattern may have. */
const MAX_LENGTH = 10_000;
/** How many compiled patterns are kept. */
const MAX_KEPT = 100;
/** How many instructions of a pattern cost as much as one step of an expression. */
const INSTRUCTIONS_PER_STEP = 10;

/** RE2's message for a common mistake, and the text shown for it. The quoted text is the second argument. */
const PROBLEMS: readonly (readonly [words: RegExp, problem: (quoted: string) => string])[] = [
  [/missing closing \)/, () => 'missing ")"'],
  [/unexpected \)/, () => 'unmatched ")"'],
  [/missing closing \]/, () => 'missing "]"'],
  [/missing argument to repetition/, () => "nothing to repeat"],
  [/nested repetition/, (quoted) => `invalid repetition \`${quoted}\``],
  [/repeat count/, explainRepeat],
  [/trailing backslash/, () => "it ends with a backslash"],
  [/character class range/, explainClass],
  [/Perl syntax|named capture/, explainGroup],
  [/duplicate capture group/, (quoted) => `two groups have the name \`${quoted}\``],
  [/escape sequence/, explainEscape],
  [/nests too deeply|too large/, () => "it is too large"],
];

const compiled = new Map<string, RE2JS>();

/**
 * What is wrong with a regular expression.
 * @returns `undefined` if the value is the source of a valid regular expression.
 */
export function patternProblem(value: unknown): string | undefined {
  if (typeof value !== "string") return "it is not text";
  if (value.length > MAX_LENGTH) return "it has more than 10,000 characters";
  try {
    compile(value);
    return undefined;
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    const { message } = error as Error;
    const quoted = /`([^]*)`$/.exec(message)?.[1] ?? "";
    const problem = PROBLEMS.find(([words]) => words.test(message))?.[1];
    return problem?.(quoted) ?? "invalid syntax";
  }
}

/**
 * Whether a text contains a match of a valid pattern.
 * @throws {BudgetError} If the text is too long for the pattern.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  const regex = compile(pattern);
  spend(text.length * regex.programSize() / INSTRUCTIONS_PER_STEP);
  return regex.test(text);
}

function compile(pattern: string): RE2JS {
  let regex = compiled.get(pattern);
  if (regex) return regex;
  regex = RE2JS.compile(pattern);
  spend(regex.programSize());
  if (compiled.size === MAX_KEPT) compiled.clear();
  compiled.set(pattern, regex);
  return regex;
}

function explainRepeat(quoted: string): string {
  const [least = 0, most = least] = [...quoted.matchAll(/\d+/g)].map(Number);
  if (least > most) return "invalid quantifier in { }";
  // Nested repetitions are multiplied.
  return `\`${quoted}\` repeats more than 1,000 times`;
}

function explainClass(quoted: string): string {
  if (quoted === "\\p" || quoted === "\\P") return "invalid escape sequence";
  return /^\\p|^\[:/i.test(quoted)
    ? `unknown character class \`${quoted}\``
    : "invalid range in [ ]";
}

function explainGroup(quoted: string): string {
  if (/^\(\?<[=!]/.test(quoted)) return "RE2 has no lookbehind";
  if (/^\(\?[=!]/.test(quoted)) return "RE2 has no lookahead";
  return "invalid group";
}

function explainEscape(quoted: string): string {
  return /^\\[1-9k]/.test(quoted)
    ? "RE2 has no backreferences"
    : `invalid escape sequence \`${quoted}\``;
}
