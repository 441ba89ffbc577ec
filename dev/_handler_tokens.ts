/** A piece of the source of a function: a name, a text without placeholders, or a character. */
export interface Token {
  kind: "name" | "text" | "other";
  /** The name, the value of the text, or the character. */
  value: string;
}

/** Words after which a `/` begins a regular expression. */
const BEFORE_PATTERN = /^(?:return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield)$/;

/** Splits the source of a function in JavaScript into tokens, without comments. */
export function* tokensOf(source: string): Generator<Token> {
  let previous: Token | undefined;
  for (let at = 0; at < source.length;) {
    const { token, end } = tokenAt(source, at, previous);
    at = end;
    if (!token) continue;
    previous = token;
    yield token;
  }
}

function tokenAt(
  source: string,
  at: number,
  previous: Token | undefined,
): { token?: Token; end: number } {
  const rest = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  const space = rest(/(?:\s+|\/\/[^\n]*|\/\*[^]*?\*\/)+/y);
  if (space !== undefined) return { end: at + space.length };
  const name = rest(/[\p{ID_Start}$_#][\p{ID_Continue}$]*/uy);
  if (name !== undefined) return { token: { kind: "name", value: name }, end: at + name.length };
  const text = rest(/"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'|`(?:[^`\\$]|\\[^]|\$(?!\{))*`/y);
  if (text !== undefined) {
    return { token: { kind: "text", value: unescape(text) }, end: at + text.length };
  }
  if (source[at] === "/" && mayBeginPattern(previous)) {
    const pattern = rest(/\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/y);
    if (pattern !== undefined) {
      return { token: { kind: "other", value: "/…/" }, end: at + pattern.length };
    }
  }
  return { token: { kind: "other", value: source[at]! }, end: at + 1 };
}

/** Whether a `/` after this token begins a regular expression, and does not divide. */
function mayBeginPattern(previous: Token | undefined): boolean {
  if (!previous) return true;
  if (previous.kind === "name") return BEFORE_PATTERN.test(previous.value);
  return previous.kind === "other" && !/[)\]}\d]/.test(previous.value);
}

/** The value of a text as it is written. Escapes that names do not have stay as they are. */
function unescape(written: string): string {
  const inner = written.slice(1, -1);
  if (!inner.includes("\\")) return inner;
  try {
    return String(JSON.parse(`"${inner.replaceAll(/\\(['`$])/g, "$1").replaceAll('"', '\\"')}"`));
  } catch {
    return inner;
  }
}
