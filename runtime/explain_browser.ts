// Takes the place of `explain.ts` in a bundle for browsers, where every byte counts: the messages
// are shorter, the errors are the same.

import type { Clock } from "./clock.ts";

/** Adds nothing to the message in browsers. */
export function explainName(_name: string, _names: readonly string[]): string {
  return "";
}

/** Adds nothing to the message in browsers. */
export function explainValue(_name: string, _value: unknown): string {
  return "";
}

/** Leaves the methods of an option unchecked in browsers. */
export function lacksMethods(_option: string, _value: object): undefined {}

/** Adds nothing to the message in browsers, which do not show where a redirect leads. */
export function explainAnswer(_response: Response, _url: URL): string {
  return "";
}

/** Leaves the error as it is: browsers do not say why a connection failed. */
export function explainFailure(
  error: unknown,
  _url: URL,
  _clock: Clock,
  _probeSignal: AbortSignal | false | null | undefined,
): Error {
  return error as Error;
}

/** Leaves the explanation to the browser's own error. */
export function findUnserializable(_value: unknown): undefined {}
