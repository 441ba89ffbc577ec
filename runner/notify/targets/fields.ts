import { type Field, required } from "../../language/field.ts";
import {
  checkHeaders,
  httpAddress,
  httpHeaders,
  isHttpAddress,
} from "../../language/http_fields.ts";
import type { Template } from "../../expression/template.ts";
import type { Settings } from "../target.ts";

/** The key `url`, which is required. */
export function requiredAddress(description: string): Field<Template, true> {
  return required(httpAddress(description));
}

/** Headers by their names. */
export const headers = httpHeaders("Headers to send, by their names.");

/**
 * Returns the headers of settings.
 * @throws {Error} If a value cannot be sent.
 */
export function headersIn({ headers = {} }: Settings): Record<string, string> {
  checkHeaders(headers as Record<string, string>);
  return headers as Record<string, string>;
}

/**
 * Returns an address of settings.
 * @throws {Error} If it is none, which an expression may have made.
 */
export function addressIn(settings: Settings, key: string, fallback?: string): string {
  const value = settings[key] ?? fallback;
  if (typeof value === "string" && isHttpAddress(value)) return value;
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
