/** A difference between the servers that is known. */
export interface Allowed {
  readonly name: string;
  /** Why the embedded server differs. */
  readonly reason: string;
  /** Whether a difference is this one. */
  is(difference: Differing): boolean;
}

/** An answer or event of both servers. */
export interface Differing {
  readonly expected: unknown;
  readonly actual: unknown;
  /** What was sent. */
  readonly sent: string;
}

/** The known differences between a real server and the embedded one. */
export const ALLOWED: readonly Allowed[] = [];

/** Finds the known difference that a difference is. */
export function isAllowed(difference: Differing): Allowed | undefined {
  return ALLOWED.find((each) => each.is(difference));
}
