import type { ScalarNode } from "./node.ts";
import type { Span } from "./source.ts";

/**
 * Maps offsets in a scalar's value to offsets in the source. They differ in quoted and block scalars,
 * which have escapes, folded lines and indentation.
 */
export class ScalarOffsets {
  /** The scalar whose value is mapped. */
  readonly node: ScalarNode;
  #source: string;
  #offsets: number[] | undefined;

  /** Maps the value of a scalar in a source text. */
  constructor(node: ScalarNode, source: string) {
    this.node = node;
    this.#source = source;
  }

  /** The source range of the value's characters from `start` to `end`. */
  span(start: number, end: number): Span {
    if (typeof this.node.value !== "string") {
      return { start: this.node.start, end: this.node.end };
    }
    const offsets = this.#offsets ??= align(this.node, this.#source);
    const from = offsets[start] ?? this.node.end;
    const to = end > start ? (offsets[end - 1] ?? this.node.end - 1) + 1 : from;
    return { start: from, end: Math.max(to, from) };
  }
}

/** The source offset of each character of the value. */
function align(node: ScalarNode, source: string): number[] {
  const value = node.value as string;
  const offsets: number[] = [];
  let at = node.start;
  if (node.style === "single" || node.style === "double") at++;
  if (node.style === "literal" || node.style === "folded") {
    at = Math.max(source.indexOf("\n", at) + 1, node.start);
  }
  for (let i = 0; i < value.length; i++) {
    const char = value[i]!;
    if (node.style === "double") {
      while (source[at] === "\\" && /[\r\n]/.test(source[at + 1] ?? "")) {
        at = skipSpace(source, at + 1);
      }
      if (source[at] === "\\") {
        offsets.push(at);
        at += escapeLength(source, at);
        // One escape can stand for a surrogate pair, which is two characters of the value.
        if (isHighSurrogate(char)) offsets[++i] = at - 1;
        continue;
      }
    }
    if (node.style === "single" && source[at] === "'" && source[at + 1] === "'") {
      offsets.push(at);
      at += 2;
      continue;
    }
    if (isSpace(char)) {
      offsets.push(at);
      if (source[at] === char && char !== "\n") {
        // A space in the source. One that stands for a line break is handled below.
        at++;
        continue;
      }
      at = isSpace(source[at] ?? "") ? at + 1 : at;
      continue;
    }
    while (at < node.end && source[at] !== char && isSpace(source[at]!)) at++;
    offsets.push(at);
    at++;
  }
  return offsets;
}

function escapeLength(source: string, at: number): number {
  switch (source[at + 1]) {
    case "x":
      return 4;
    case "u":
      return 6;
    case "U":
      return 10;
    default:
      return 2;
  }
}

function skipSpace(source: string, at: number): number {
  while (isSpace(source[at] ?? "")) at++;
  return at;
}

function isSpace(char: string): boolean {
  return char === " " || char === "\n" || char === "\t" || char === "\r";
}

function isHighSurrogate(char: string): boolean {
  return char >= "\ud800" && char <= "\udbff";
}
