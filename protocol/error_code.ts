/** The error codes of servers, and their meanings. */
export const ERROR_CODES = {
  400: "bad request",
  401: "unauthorized",
  403: "forbidden",
  404: "not found",
  405: "method not found",
  409: "conflict",
  500: "internal error",
} as const;

/** A code of {@linkcode ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;
