/**
 * Warnings about plain scalars that YAML reads differently from how they look.
 *
 * @module
 */
import type { Diagnostics } from "./diagnostic.ts";
import type { ScalarNode } from "./node.ts";

/** Warns about a plain word such as `yes`, which YAML 1.1 parsers read as a boolean or a time. */
export function warnAboutWord(node: ScalarNode, diagnostics: Diagnostics, onlyText = false): void {
  const { value, style } = node;
  if (style !== "plain" || typeof value !== "string") return;
  if (!/^(y|yes|n|no|on|off|\d+:\d\d(:\d\d)?)$/i.test(value)) return;
  // A single letter in a payload is probably meant as text.
  if (!onlyText && value.length === 1) return;
  const flag = /^(yes|on)$/i.test(value) ? "true" : "false";
  diagnostics.warning(
    "ambiguous-scalar",
    node,
    `some YAML parsers do not read \`${value}\` as text`,
    {
      label: onlyText || /^\d/.test(value)
        ? `write "${value}"`
        : `write "${value}" for text, or \`${flag}\``,
    },
  );
}

/**
 * Warns about a number that is written differently from how it is read, such as `0012`: it was
 * probably meant as text. A number that JSON cannot represent is an error.
 */
export function checkNumber(node: ScalarNode, diagnostics: Diagnostics): void {
  const { raw, value, style } = node;
  if (!Number.isFinite(value)) {
    const message = `JSON cannot represent the number \`${raw}\``;
    return void diagnostics.error("wrong-value", node, message);
  }
  const read = Number.isInteger(value) ? BigInt(value as number) : value;
  if (style !== "plain" || String(read) === raw) return;
  if (/^[-+]?\d+$/.test(raw) && !Number.isSafeInteger(value)) {
    const message =
      `\`${raw}\` is read as the number ${read}: whole numbers beyond 2^53 lose digits`;
    diagnostics.error("ambiguous-scalar", node, message, { label: `write "${raw}" for text` });
    return;
  }
  diagnostics.warning("ambiguous-scalar", node, `\`${raw}\` is read as the number ${read}`, {
    label: `write "${raw}" for text`,
  });
}

/** Templates of other tools, around names that only mean something in an expression. */
const FOREIGN = foreignTemplates(
  String.raw`(?<!\$)\{\{-?EXPRESSION-?\}\}`,
  String.raw`[$#%@]\{EXPRESSION\}`,
  String.raw`\$\(EXPRESSION\)`,
  String.raw`<%=?EXPRESSION%>`,
  String.raw`\{%EXPRESSION%\}`,
  String.raw`\[\[EXPRESSION\]\]`,
);

/** Builds a pattern from others, in which `EXPRESSION` stands for an expression. */
function foreignTemplates(...patterns: string[]): RegExp {
  const expression = String.raw`\s*((?:vars|env|secrets|matrix|inputs|item)\b[^{}]*?)\s*`;
  return new RegExp(patterns.join("|").replaceAll("EXPRESSION", expression));
}

/** Warns about a template that is written as in other tools, and about typographic quotes. */
export function warnAboutLookalikes(node: ScalarNode, diagnostics: Diagnostics): void {
  if (typeof node.value !== "string") return;
  const foreign = FOREIGN.exec(node.value);
  if (foreign) {
    const expression = foreign.slice(1).find((group) => group !== undefined);
    diagnostics.warning("bad-template", node, `\`${foreign[0]}\` is only text`, {
      label: `write \`\${{ ${expression} }}\` for the value`,
    });
  }
  if (node.style === "plain" && /^[“”„‘’‚«»‹›].*[“”‘’«»‹›]$/s.test(node.value)) {
    const text = node.value.slice(1, -1);
    diagnostics.warning("ambiguous-scalar", node, "typographic quotes are part of the text", {
      label: `write "${text}"`,
    });
  }
}
