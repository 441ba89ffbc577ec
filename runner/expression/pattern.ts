/** What each engine says about a common mistake in a regular expression, and what we say. */
const PROBLEMS: readonly (readonly [engines: RegExp, problem: string])[] = [
  [/missing \)|unterminated group/i, 'missing ")"'],
  [/unmatched/i, 'unmatched ")"'],
  [/missing terminating \]|unterminated character class/i, 'missing "]"'],
  [/nothing to repeat/i, "nothing to repeat"],
  [/quantifier/i, "invalid quantifier in { }"],
  [/at end of pattern/i, "it ends with a backslash"],
  [/range out of order/i, "invalid range in [ ]"],
  [/group/i, "invalid group"],
  [/escape|property|reference/i, "invalid escape sequence"],
];

/**
 * What is wrong with a regular expression, in the same words on every engine.
 * @returns `undefined` if the value is the source of a valid regular expression.
 */
export function patternProblem(value: unknown): string | undefined {
  if (typeof value !== "string") return "it is not text";
  try {
    new RegExp(value, "u");
    return undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // V8 quotes the expression, which may contain any of the words.
    const reason = error.message.slice(error.message.lastIndexOf(": ") + 2);
    return PROBLEMS.find(([engines]) => engines.test(reason))?.[1] ?? "invalid syntax";
  }
}
