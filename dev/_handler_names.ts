import { type Token, tokensOf } from "./_handler_tokens.ts";

/** The names in a workflow's handler that are written as literals. */
export interface HandlerNames {
  /** The checkpoints of its runs. */
  checkpoints: Set<string>;
  /** The events that it waits for. */
  events: Set<string>;
}

/** The checkpoints that a method of the context saves for a name, or a list of names. */
const CHECKPOINTS: Record<string, (names: string[]) => string[]> = {
  step: (names) => [...names, ...names.map((name) => `compensate:${name}`)],
  parallel: ([name]) => [`parallel:${name}`],
  compensate: ([name]) => [`compensate:${name}`],
  sleep: ([name]) => [`sleep:${name}`],
  waitForEvent: ([name]) => [`wait:${name}`],
  waitForAll: (names) => [...names.map((name) => `waitall:${name}`), `waitall:${names.join(",")}`],
  waitForAny: (names) => [`waitany:${names.join(",")}`],
  waitForMatch: ([name]) => [`waitmatch:${name}`],
  runChild: ([name]) => [`child:${name}`],
  spawnChild: ([name]) => [`spawn:${name}`],
  fanOut: ([name]) => [`fanout:${name}`, `child:${name}`],
};

/** What a context has besides these methods. */
const OTHERS = new Set(["log", "run_id", "name", "signal"]);

/**
 * Reads the names of steps and events out of the source of a workflow's handler.
 *
 * @returns `undefined` if the source does not show all of them: a name is computed, or the context is
 * passed on to another function.
 */
export function namesIn(source: string): HandlerNames | undefined {
  // A bound function does not show its source.
  if (source.includes("[native code]")) return undefined;
  const tokens = [...tokensOf(source)];
  const isHidden = ({ kind, value }: Token) =>
    kind === "name" && /^(?:arguments|eval)$/.test(value);
  if (tokens.some(isHidden)) return undefined;
  const context = contextName(tokens);
  if (context === undefined) return undefined;
  const names: HandlerNames = { checkpoints: new Set(), events: new Set() };
  if (context === "") return names;
  // The first one is the parameter.
  let isParameter = true;
  for (const [i, token] of tokens.entries()) {
    if (token.kind !== "name") continue;
    if (token.value !== context || tokens[i - 1]?.value === ".") continue;
    if (isParameter) isParameter = false;
    else if (!addCall(tokens, i + 1, names)) return undefined;
  }
  return names;
}

/** The name of a function's first parameter; empty if it has none. */
function contextName(tokens: readonly Token[]): string | undefined {
  const isFunction = /^(?:async|function|get|set|\*)$/;
  let at = 0;
  while (tokens[at] && isFunction.test(tokens[at]!.value)) at++;
  // `name => …`, `name(…) {` or `(…) =>`.
  if (tokens[at]?.kind === "name") {
    if (tokens[at + 1]?.value === "=") return tokens[at]!.value;
    at++;
  }
  if (tokens[at]?.value !== "(") return undefined;
  const first = tokens[at + 1];
  if (first?.value === ")") return "";
  const after = tokens[at + 2]?.value;
  return first?.kind === "name" && (after === "," || after === ")") ? first.value : undefined;
}

/** Adds the names of a call `.method("name", …)`; returns false if it is something else. */
function addCall(tokens: readonly Token[], at: number, names: HandlerNames): boolean {
  const [dot, method, open] = tokens.slice(at, at + 3);
  if (dot?.value !== "." || method?.kind !== "name") return false;
  if (OTHERS.has(method.value)) return true;
  if (!Object.hasOwn(CHECKPOINTS, method.value) || open?.value !== "(") return false;
  const written = literalsAt(tokens, at + 3);
  if (!written) return false;
  for (const one of CHECKPOINTS[method.value]!(written)) names.checkpoints.add(one);
  if (method.value.startsWith("waitFor")) { for (const one of written) names.events.add(one); }
  return true;
}

/** The first argument, if it is a literal text or a list of such. */
function literalsAt(tokens: readonly Token[], at: number): string[] | undefined {
  const first = tokens[at];
  const ends = (token: Token | undefined) => token?.value === "," || token?.value === ")";
  if (first?.kind === "text") return ends(tokens[at + 1]) ? [first.value] : undefined;
  if (first?.value !== "[") return undefined;
  const texts: string[] = [];
  for (let i = at + 1; i < tokens.length; i += 2) {
    const token = tokens[i]!;
    if (token.kind === "other" && token.value === "]" && ends(tokens[i + 1])) return texts;
    if (token.kind !== "text") return undefined;
    texts.push(token.value);
    const after = tokens[i + 1];
    if (after?.value === "]") return ends(tokens[i + 2]) ? texts : undefined;
    if (after?.value !== ",") return undefined;
  }
  return undefined;
}
