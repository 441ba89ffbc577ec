import { AuthError, ConnectionError } from "./errors.ts";

/** What a call on a closed client ends with. */
export function closedError(what: string): ConnectionError {
  return new ConnectionError(`Cannot ${what}: the client is closed`, "closed");
}

/** The error that ended the wait for a connection, in the words of the call that waited. */
export function said(what: string, error: unknown): unknown {
  if (error instanceof AuthError) {
    return new AuthError(`Cannot ${what}: ${error.message}`, { cause: error });
  }
  if (error instanceof ConnectionError) {
    return new ConnectionError(`Cannot ${what}: ${error.message}`, error.code as "closed", {
      cause: error,
    });
  }
  return error;
}
