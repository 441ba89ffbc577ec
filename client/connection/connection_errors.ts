import { AuthError, ConnectionError, type Delivery, TimeoutError } from "../errors.ts";

/** Why a closed client does nothing any more. */
export function closedError(): ConnectionError {
  return new ConnectionError("the client is closed", "closed");
}

/** The error of a connection, in the words of a call that it ended. */
export function said(what: string, cause: unknown, delivery?: Delivery): unknown {
  const text = `Cannot ${what}: ${(cause as Error).message}`;
  if (cause instanceof AuthError) return new AuthError(text, { cause });
  if (!(cause instanceof ConnectionError)) return cause;
  return new ConnectionError(text, cause.code as "closed", { cause, delivery });
}

/** The error of a call whose deadline has passed. */
export function tooLate(
  what: string,
  why: string,
  delivery: Delivery = "not-sent",
  cause?: unknown,
): TimeoutError {
  return new TimeoutError(`Cannot ${what}: ${why}`, { delivery, cause });
}
