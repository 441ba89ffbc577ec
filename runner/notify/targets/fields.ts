import { custom, type Field, mapOf, required } from "../../language/field.ts";
import { text } from "../../language/value_fields.ts";
import type { Template } from "../../expression/template.ts";
import type { Settings } from "../target.ts";

/** An address of HTTP. One that contains `${{ }}` is checked when the schedule starts. */
export function address(description: string): Field<Template, false> {
  const value = text(description);
  return custom(description, value.json, (node, context, what) => {
    const template = value.read(node, context, what);
    if (template?.kind !== "literal" || isHttp(String(template.value))) return template;
    return void context.diagnostics.error("wrong-value", node, `${what} must be an HTTP address`, {
      label: "such as `https://example.com/hook`",
    });
  });
}

/** The key `url`, which is required. */
export function requiredAddress(description: string): Field<Template, true> {
  return required(address(description));
}

/** Headers by their names. */
export const headers = mapOf(
  text("Headers to send, by their names."),
  (key) => /^[\w-]+$/.test(key),
);

/** Whether a text is an HTTP address. */
export function isHttp(text: string): boolean {
  return /^https?:/i.test(text) && URL.canParse(text) && new URL(text).hostname !== "";
}

/**
 * Returns an address of settings.
 * @throws {Error} If it is none, which an expression may have made.
 */
export function httpAddress(settings: Settings, key: string, fallback?: string): string {
  const value = settings[key] ?? fallback;
  if (typeof value === "string" && isHttp(value)) return value;
  // The value is not named, because it may be a secret.
  throw new Error(`\`${key}\` must be an HTTP address`);
}

/** Adds a path to an address, whether or not it ends with a slash. */
export function below(url: string, path: string): string {
  const address = new URL(url);
  address.pathname = address.pathname.replace(/\/+$/, "") + path;
  return address.href;
}

/** The headers of a JSON body. */
export const JSON_HEADERS = { "content-type": "application/json" };

/** Cuts a text to a number of characters. */
export function cut(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : characters.slice(0, most - 1).join("") + "…";
}
