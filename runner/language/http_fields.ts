import type { Template } from "../expression/template.ts";
import { type Field, mapOf } from "./field.ts";
import { checkedText } from "./value_fields.ts";

/** An address of HTTP. One that contains `${{ }}` is checked when its value is known. */
export function httpAddress(description: string): Field<Template, false> {
  return checkedText(description, {
    isValid: isHttpAddress,
    problem: "must be an HTTP address",
    label: "such as `https://example.com/hook`",
  });
}

/** Whether a text is an HTTP address. */
export function isHttpAddress(text: string): boolean {
  return /^https?:/i.test(text) && URL.canParse(text) && new URL(text).hostname !== "";
}

/** Headers of HTTP by their names. A value that contains `${{ }}` is checked when it is known. */
export function httpHeaders(description: string): Field<Map<string, Template>, false> {
  const header = checkedText(description, {
    isValid: isHeaderValue,
    problem: "cannot be a header",
    label: "a header is one line of Latin letters, digits and signs",
  });
  return mapOf(header, (key) => /^[\w-]+$/.test(key));
}

/**
 * Checks values of headers, which expressions may have made. Runtimes would name a wrong one in their
 * errors, and it may be a secret.
 *
 * @throws {Error}
 */
export function checkHeaders(headers: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!isHeaderValue(String(value))) {
      throw new Error(
        `the value of \`${name}\` cannot be a header: it has several lines, or letters that are not Latin`,
      );
    }
  }
}

/** Whether `fetch` takes a text as the value of a header: one line, which it trims, in Latin 1. */
function isHeaderValue(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text.trim());
}
