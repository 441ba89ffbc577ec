import type { Diagnostics } from "./diagnostic.ts";
import type { Node } from "./node.ts";
import { readPlainYaml } from "./_plain_yaml.ts";

/** The largest recipe file, in bytes. */
export const MAX_BYTES: number = 1 << 20;

/**
 * Reads YAML into nodes that know where they are written, and reports everything that is wrong with
 * the text to `diagnostics`.
 *
 * @param scale How many times as large as a recipe the file may be.
 * @returns The root node, or `undefined` if the text has none or cannot be read.
 */
export async function readYaml(diagnostics: Diagnostics, scale = 1): Promise<Node | undefined> {
  const { text } = diagnostics.source;
  const maximum = MAX_BYTES * scale;
  // A character takes up to three bytes.
  const isLarge = text.length > maximum ||
    text.length > maximum / 3 && new TextEncoder().encode(text).length > maximum;
  if (isLarge) {
    const what = scale === 1 ? "a recipe file" : "the file";
    const message = `${what} must not be larger than ${scale} MiB`;
    diagnostics.error("too-large", { start: 0, end: 0 }, message);
    return undefined;
  }
  // The parser recurses once per bracket, and not every runtime can catch a stack overflow.
  const deep = tooDeep(text);
  if (deep !== undefined) {
    diagnostics.error("too-large", { start: deep, end: deep + 1 }, "nested too deep");
    return undefined;
  }
  const odd = UNPRINTABLE.exec(text);
  if (odd) {
    const span = { start: odd.index, end: odd.index + 1 };
    diagnostics.error("yaml", span, ...unprintable(odd[0]));
    return undefined;
  }
  const plain = readPlainYaml(text);
  if (plain) return plain;
  // The parser is the slowest part of a cold start, and recipes in TypeScript do not need it.
  const { parseYaml } = await import("./_parse_yaml.ts");
  return parseYaml(diagnostics, scale);
}

/** Characters that YAML forbids, and the one that stands for bytes that are not UTF-8. */
// deno-lint-ignore no-control-regex
const UNPRINTABLE = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd-\uffff]|(?!^)\ufeff/;

function unprintable(char: string): [message: string, details: { label: string }] {
  if (char === "\ufffd") {
    return ["invalid UTF-8 byte", { label: "save the file as UTF-8" }];
  }
  const code = char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  return [`the character U+${code} is not allowed in YAML`, {
    label: `write "\\u${code}" in double quotes`,
  }];
}

/** The offset at which brackets or indicators nest deeper than the parser should follow. */
function tooDeep(text: string): number | undefined {
  let depth = 0;
  for (const { 0: bracket, index } of text.matchAll(/[[\]{}]/g)) {
    if (bracket === "[" || bracket === "{") {
      if (++depth > 1000) return index;
    } else if (depth > 0) {
      depth--;
    }
  }
  const compact = /(?:[-?:] ){300,}/.exec(text);
  return compact?.index;
}
