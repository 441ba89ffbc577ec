// Takes the place of `explain.ts` in a bundle for browsers, where every byte counts: the messages
// are shorter, the errors are the same. A bundler drops a function without a body and its calls.

import type { Clock } from "./clock.ts";

/** Adds nothing to the message in browsers. */
export function explainName(_name: string, _rules: object): undefined {}

/** Adds nothing to the message in browsers. */
export function explainValue(_name: string, _value: unknown): undefined {}

/** Leaves the methods of an option unchecked in browsers. */
export function lacksMethods(_option: string, _value: object): undefined {}

/** Adds nothing to the message in browsers, which do not show where a redirect leads. */
export function explainAnswer(_response: Response, _url: URL): undefined {}

/** Not called in browsers, which do not say why a connection failed. */
export function explainFailure(
  _error: unknown,
  _url: URL,
  _clock: Clock,
  _probeSignal: AbortSignal | false | null | undefined,
): void {}

/** Leaves the explanation to the browser's own error. */
export function findUnserializable(_value: unknown): undefined {}
