import { ConnectionError, DispatchError, TimeoutError } from "./errors.ts";
import type { Hooks, RequestInfo } from "./hooks.ts";
import { checkOptions } from "./options.ts";

/** The part of a span of `@opentelemetry/api` that the hooks use. */
export interface OpenTelemetrySpan {
  /** Sets one attribute. */
  setAttribute(key: string, value: string | number): unknown;
  /** Sets the status. */
  setStatus(status: { code: number; message?: string }): unknown;
  /** Records an error. */
  recordException(exception: Error | string): void;
  /** Ends the span. */
  end(): void;
}

/** The part of a tracer of `@opentelemetry/api` that the hooks use. */
export interface OpenTelemetryTracer {
  /** Starts a span as a child of the active one. */
  startSpan(
    name: string,
    options?: { kind?: number; attributes?: Record<string, string | number | boolean> },
  ): OpenTelemetrySpan;
}

/** The part of `@opentelemetry/api` that the hooks use. Pass the module itself. */
export interface OpenTelemetryApi {
  /** The source of tracers. */
  trace: { getTracer(name: string): OpenTelemetryTracer };
}

/** Settings of {@linkcode openTelemetryHooks}. */
export interface OpenTelemetryOptions {
  /** Attributes to add to every span, such as `server.address`. */
  attributes?: Record<string, string | number | boolean>;
  /**
   * Selects the requests that get a span. Waiting for a job or run reads it repeatedly, which makes
   * many spans of little interest: `({ method }) => !method.endsWith(".get")` leaves them out.
   * @default {every request}
   */
  filter?: (request: RequestInfo) => boolean;
}

// The values of `SpanKind.CLIENT` and `SpanStatusCode.ERROR`, so that nothing has to be imported.
const CLIENT = 2;
const ERROR = 2;

/**
 * Creates hooks that make a client span of each request. The span is named after the method, such as
 * `dispatch job.enqueue`, lasts from the call to its answer, and is a child of the span that is
 * active at the time of the call. Pass in `@opentelemetry/api`; the client does not depend on it.
 *
 * The attributes contain the method and its subject, which is a name, an id or a channel. They never
 * contain a payload, an answer or a token. A failed request sets the span's status, error type, and
 * what is known about the request's delivery. The span of `workflow.start` ends when the run is known,
 * not when it has ended.
 *
 * The trace ends at the client: frames have no field for a trace context, so the server's work is not
 * part of it. Over HTTP, an instrumented `fetch` can send the context in headers, but today's servers
 * ignore them.
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
  checkOptions("create hooks", options, { attributes: "an object", filter: "a function" });
  const { attributes, filter } = options;
  return {
    request(info) {
      if (filter && !filter(info)) return;
      // Get the tracer each time: the application may set its tracer provider later.
      const span = api.trace.getTracer("@dispatch/sdk").startSpan(`dispatch ${info.method}`, {
        kind: CLIENT,
        attributes: { ...attributes, ...describe(info) },
      });
      return (error) => {
        if (error !== undefined) recordFailure(span, error);
        span.end();
      };
    },
  };
}

function describe({ method, subject }: RequestInfo): Record<string, string> {
  // The semantic conventions have a type for operations that hand over a message.
  const sendsMessage = /\.(enqueue|start|event)$/.test(method);
  return {
    "messaging.system": "dispatch",
    "messaging.operation.name": method,
    ...(sendsMessage ? { "messaging.operation.type": "send" } : {}),
    "dispatch.method": method,
    ...(subject === undefined ? {} : { "dispatch.subject": subject }),
  };
}

function recordFailure(span: OpenTelemetrySpan, error: unknown): void {
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
