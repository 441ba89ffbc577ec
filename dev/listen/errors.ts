const NO_SUCH_ADDRESS = "this machine has no such name or address";

/** The reasons in words, by the codes that runtimes use for them. */
const REASONS: Record<string, string> = {
  EADDRNOTAVAIL: NO_SUCH_ADDRESS,
  // Bun and Deno use this code for addresses of other machines, too.
  EINVAL: NO_SUCH_ADDRESS,
  ENOTFOUND: NO_SUCH_ADDRESS,
  EAI_AGAIN: NO_SUCH_ADDRESS,
  EAFNOSUPPORT: NO_SUCH_ADDRESS,
  EACCES: "permission denied; ports below 1024 usually need special rights",
};

/**
 * Thrown when a server cannot listen on its address.
 *
 * @example
 * ```ts
 * import { createDevServer, ListenError } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * // An address for documentation, which no machine has.
 * await assert.rejects(createDevServer({ hostname: "192.0.2.1" }), ListenError);
 * ```
 */
export class ListenError extends Error {
  /** `"listen_failed"`, or `"port_taken"` if another program listens there. */
  readonly code: string;
  /** The name or address. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;

  /** Creates an error with a reason. */
  constructor(
    hostname: string,
    port: number,
    reason: string,
    options: ErrorOptions & { code?: string } = {},
  ) {
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    super(`Cannot listen on ${host}:${port}: ${reason}`, options);
    this.name = "ListenError";
    this.code = options.code ?? "listen_failed";
    this.hostname = hostname;
    this.port = port;
  }
}

/**
 * Thrown when a port is already in use.
 *
 * @example
 * ```ts
 * import { createDevServer, PortTakenError } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * await using server = await createDevServer();
 * await assert.rejects(createDevServer({ port: server.port }), PortTakenError);
 * ```
 */
export class PortTakenError extends ListenError {
  /** Creates an error for an address. */
  constructor(hostname: string, port: number, options?: ErrorOptions) {
    super(hostname, port, "the port is already in use", { ...options, code: "port_taken" });
    this.name = "PortTakenError";
  }
}

/** Converts the error of a runtime that cannot listen. */
export function listenError(
  { hostname, port }: { hostname: string; port: number },
  cause: unknown,
): ListenError {
  const { code = "", message } = cause as Error & { code?: string };
  if (code === "EADDRINUSE") return new PortTakenError(hostname, port, { cause });
  return new ListenError(hostname, port, REASONS[code] ?? message, { cause });
}
