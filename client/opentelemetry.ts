import { ConnectionError, DispatchError, TimeoutError } from "./errors.ts";
import type { Hooks, RequestInfo } from "./hooks.ts";

/** What is used of a span of `@opentelemetry/api`. */
export interface OpenTelemetrySpan {
  /** Says one thing about the request. */
  setAttribute(key: string, value: string | number): unknown;
  /** Says how it went. */
  setStatus(status: { code: number; message?: string }): unknown;
  /** Keeps what was thrown. */
  recordException(exception: Error | string): void;
  /** Says that it is over. */
  end(): void;
}

/** What is used of a tracer of `@opentelemetry/api`. */
export interface OpenTelemetryTracer {
  /** Begins a span below the one that is active. */
  startSpan(
    name: string,
    options?: { kind?: number; attributes?: Record<string, string | number | boolean> },
  ): OpenTelemetrySpan;
}

/** What is used of `@opentelemetry/api`: hand in the module itself. */
export interface OpenTelemetryApi {
  /** Where tracers come from. */
  trace: { getTracer(name: string): OpenTelemetryTracer };
}

/** Settings of {@linkcode openTelemetryHooks}. */
export interface OpenTelemetryOptions {
  /** What every span says besides, such as `server.address`. */
  attributes?: Record<string, string | number | boolean>;
  /**
   * Which requests get a span. Waiting for a job or a run reads it now and then, which is many
   * spans of little interest: `({ method }) => !method.endsWith(".get")` leaves them out.
   * @default {every one}
   */
  filter?: (request: RequestInfo) => boolean;
}

// The values of `SpanKind.CLIENT` and `SpanStatusCode.ERROR`, so that nothing has to be imported.
const CLIENT = 2;
const ERROR = 2;

/** What the semantic conventions call a method that hands something over. */
const SENDS: ReadonlySet<string> = new Set(["job.enqueue", "workflow.start", "workflow.event"]);

/**
 * Hooks that make a client span of each request: `dispatch job.enqueue` from the call to its answer,
 * below the span that is active when the call is made. They need `@opentelemetry/api` handed in, so
 * that who traces nothing installs nothing.
 *
 * A span says the method and its subject, which is a name, an id or a channel; never a payload, an
 * answer or a token. A request that fails marks its span with the error, and with what is known of
 * its delivery. The span of `workflow.start` ends when the run is known, not when it is over.
 *
 * A trace ends here: no frame of the protocol has room for its context, so what a server does for a
 * request is not among its children. Over HTTP an instrumented `fetch` may pass the context on in
 * headers; servers of today read none of it.
 *
 * @example
 * ```ts
 * import * as api from "@opentelemetry/api";
 * import { Dispatch, openTelemetryHooks } from "@dispatch/sdk";
 *
 * function traced(url: string, token: string) {
 *   return Dispatch.connect({ url, token, hooks: openTelemetryHooks(api) });
 * }
 * ```
 */
export function openTelemetryHooks(
  api: OpenTelemetryApi,
  options: OpenTelemetryOptions = {},
): Hooks {
  const { attributes, filter } = options;
  return {
    request(info) {
      if (filter && !filter(info)) return;
      // Asked each time: whoever sets a tracer provider up later is heard too.
      const span = api.trace.getTracer("@dispatch/sdk").startSpan(`dispatch ${info.method}`, {
        kind: CLIENT,
        attributes: { ...attributes, ...describe(info) },
      });
      return (error) => {
        if (error !== undefined) fail(span, error);
        span.end();
      };
    },
  };
}

function describe({ method, subject }: RequestInfo): Record<string, string> {
  return {
    "messaging.system": "dispatch",
    "messaging.operation.name": method,
    ...(SENDS.has(method) ? { "messaging.operation.type": "send" } : {}),
    "dispatch.method": method,
    ...(subject === undefined ? {} : { "dispatch.subject": subject }),
  };
}

function fail(span: OpenTelemetrySpan, error: unknown): void {
  const isError = error instanceof Error;
  span.setAttribute(
    "error.type",
    error instanceof DispatchError ? String(error.code) : isError ? error.name : typeof error,
  );
  if (error instanceof ConnectionError || error instanceof TimeoutError) {
    span.setAttribute("dispatch.delivery", error.delivery);
  }
  span.recordException(isError ? error : String(error));
  span.setStatus({ code: ERROR, message: isError ? error.message : String(error) });
}
