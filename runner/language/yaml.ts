import { readSimpleYaml } from "./_simple_yaml.ts";
import type { Diagnostics } from "./diagnostic.ts";
import type { Node } from "./node.ts";

/** A recipe file may have this many bytes. */
export const MAX_BYTES: number = 1 << 20;

/**
 * Reads YAML into nodes that know their place. Everything wrong with the text is added to
 * `diagnostics`.
 *
 * @returns The root, or `undefined` when the text has none or cannot be read at all.
 */
export async function readYaml(diagnostics: Diagnostics): Promise<Node | undefined> {
  const { text } = diagnostics.source;
  const whole = { start: 0, end: 0 };
  if (text.length > MAX_BYTES || new TextEncoder().encode(text).length > MAX_BYTES) {
    diagnostics.error("too-large", whole, "a recipe file may have 1 MiB at most");
    return undefined;
  }
  // The parser descends once per bracket, and a stack that overflows cannot be caught everywhere.
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
  const simple = readSimpleYaml(text);
  if (simple !== undefined) return simple ?? undefined;
  const { readWholeYaml } = await import("./whole_yaml.ts");
  return await readWholeYaml(diagnostics);
}

/** What YAML has no place for, and what stands for bytes that are not UTF-8. */
// deno-lint-ignore no-control-regex
const UNPRINTABLE = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd-\uffff]|(?!^)\ufeff/;

function unprintable(char: string): [string, { label: string }] {
  if (char === "\ufffd") {
    return ["a byte here is not UTF-8", { label: "save the file as UTF-8" }];
  }
  const code = char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  return [`the character U+${code} has no place in YAML`, {
    label: `in quotes write "\\u${code}"`,
  }];
}

/** The offset at which brackets or indentation are nested deeper than a parser should follow. */
function tooDeep(text: string): number | undefined {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === "[" || char === "{") {
      if (++depth > 1000) return i;
    } else if (char === "]" || char === "}") {
      if (depth > 0) depth--;
    }
  }
  const compact = /(?:[-?:] ){300,}/.exec(text);
  return compact?.index;
}
