// Takes the place of `explain.ts` in a bundle for browsers, where every byte counts: the messages
// are shorter, the errors are the same.

/** Adds nothing to the message in browsers. */
export function explainName(_name: string, _names: readonly string[]): string {
  return "";
}

/** Adds nothing to the message in browsers. */
export function explainValue(_name: string, _value: unknown): string {
  return "";
}

/** Adds nothing to the message in browsers, which do not show where a redirect leads. */
export function explainRedirect(_response: Response): string {
  return "";
}

/** Leaves the explanation to the browser's own error. */
export function findUnserializable(_value: unknown): undefined {}
