import { patterns } from "./load_patterns.ts";

/** The white space of JavaScript. RE2's `\s` is that of ASCII. */
const SPACE =
  "\\t-\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
/** Everything else. */
const NOT_SPACE = "\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}" +
  "\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}" +
  "\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}";

/** Escape sequences that mean the same in RE2. */
const SAME = /^\\(?:[nrtfvdDwWbBpP1-9]|x[0-9a-f]{2}|[^A-Za-z0-9])/i;

/**
 * The RE2 pattern that matches the same texts as a regular expression of JavaScript.
 *
 * Lookarounds and backreferences, which RE2 lacks, are left as they are, so that RE2 refuses them.
 * The result matches characters where a regular expression without the flag `u` matches the halves
 * of a surrogate pair.
 */
export function toRe2(regexp: RegExp): string {
  const { source, flags } = regexp;
  let inClass = false;
  let out = "";
  let rest = source;
  const take = (length: number, text: string) => {
    out += text;
    rest = rest.slice(length);
  };
  while (rest !== "") {
    const char = rest[0]!;
    if (char === "\\") {
      const [escape, text] = translateEscape(rest, inClass);
      take(escape.length, text);
    } else if (inClass) {
      if (char === "]") inClass = false;
      // `[:alpha:]` in a class means its characters.
      take(1, char === "[" ? "\\[" : char);
    } else if (rest.startsWith("[^]")) take(3, "[\\x{0}-\\x{10ffff}]");
    else if (rest.startsWith("[]")) take(2, "[^\\x{0}-\\x{10ffff}]");
    else if (char === "[") {
      inClass = true;
      take(rest.startsWith("[^") ? 2 : 1, rest.startsWith("[^") ? "[^" : "[");
    } else if (char === "." && !flags.includes("s")) take(1, "[^\\n\\r\\x{2028}\\x{2029}]");
    else take(1, char);
  }
  // Sticky patterns match at the beginning only.
  if (flags.includes("y")) out = `\\A(?:${out})`;
  const kept = [...flags].filter((flag) => "ims".includes(flag)).join("");
  return kept === "" ? out : `(?${kept})${out}`;
}

/** Why a regular expression of JavaScript cannot be used; `undefined` if it can. */
export function regexpProblem(regexp: RegExp): string | undefined {
  if (regexp.flags.includes("v") && /\[[^\]]*(\[|--|&&|\\q)/.test(regexp.source)) {
    return "RE2 has no set operations";
  }
  return patterns().patternProblem(toRe2(regexp));
}

/** The escape sequence at the beginning of a pattern, and what it is in RE2. */
function translateEscape(rest: string, inClass: boolean): [escape: string, re2: string] {
  const code = /^\\u\{([0-9a-f]+)\}|^\\u([0-9a-f]{4})/i.exec(rest);
  if (code) return [code[0], `\\x{${code[1] ?? code[2]}}`];
  const control = /^\\c([a-z])/i.exec(rest);
  if (control) return [control[0], `\\x{${(control[1]!.charCodeAt(0) % 32).toString(16)}}`];
  if (/^\\0(?![0-9])/.test(rest)) return ["\\0", "\\x{0}"];
  if (rest.startsWith("\\b") && inClass) return ["\\b", "\\x{8}"];
  if (rest.startsWith("\\s")) return ["\\s", inClass ? SPACE : `[${SPACE}]`];
  if (rest.startsWith("\\S")) return ["\\S", inClass ? NOT_SPACE : `[${NOT_SPACE}]`];
  // RE2 has no escape sequence `\k` either, and refuses it.
  const same = SAME.exec(rest)?.[0] ?? (rest.startsWith("\\k<") ? "\\k" : undefined);
  if (same !== undefined) return [same, same];
  // Without the flag `u`, any other escaped letter means itself: `\A` is the letter A.
  return [rest.slice(0, 2), rest.slice(1, 2)];
}
