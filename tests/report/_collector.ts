import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

/** The value of an attribute, without the wrapper that OTLP's JSON puts around it. */
export type Value = string | number | boolean | Value[];

/** A span as the collector received it. Times are in milliseconds since 1970. */
export interface CollectedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  start: number;
  end: number;
  attributes: Record<string, Value>;
  /** 0 unset, 1 ok, 2 error. */
  status: { code?: number; message?: string };
  events: { name: string; at: number; attributes: Record<string, Value> }[];
}

/** A data point of a metric. */
export interface CollectedPoint {
  metric: string;
  unit: string;
  attributes: Record<string, Value>;
  start: number;
  end: number;
  /** The value of a counter. */
  value?: number;
  /** The count and sum of a histogram. */
  count?: number;
  sum?: number;
}

/** A request that the collector received. */
export interface CollectedRequest {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

// deno-lint-ignore no-explicit-any
type Json = any;

/** An OTLP/HTTP collector on a free port, which records its requests. */
export class Collector {
  readonly requests: CollectedRequest[] = [];
  /** The status of its answers; `"nothing"` leaves requests unanswered. */
  answer: number | "nothing" = 200;
  #server: Server;
  #waiting: (() => void)[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Uint8Array[] = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const zipped = request.headers["content-encoding"] === "gzip";
        const body = String(zipped ? gunzipSync(bytes) : bytes);
        this.requests.push({ path: request.url!, headers: request.headers, body });
        for (const wake of this.#waiting.splice(0)) wake();
        if (this.answer === "nothing") return;
        response.writeHead(this.answer, { "content-type": "application/json" });
        response.end("{}");
      });
    });
  }

  /** Starts a collector. */
  static async start(): Promise<Collector> {
    const collector = new Collector();
    await new Promise<void>((resolve) => collector.#server.listen(0, "127.0.0.1", resolve));
    return collector;
  }

  /** The address for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Waits until it has received a number of requests. */
  async received(count: number): Promise<void> {
    while (this.requests.length < count) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** All spans received so far. */
  spans(): CollectedSpan[] {
    return this.#bodies("/v1/traces").flatMap((body) =>
      body.resourceSpans.flatMap((resource: Json) =>
        resource.scopeSpans.flatMap((scope: Json) => scope.spans.map(spanOf))
      )
    );
  }

  /** The only span with a name. */
  span(name: string): CollectedSpan {
    const found = this.spans().filter((span) => span.name === name);
    if (found.length !== 1) throw new Error(`${found.length} spans are called '${name}'`);
    return found[0]!;
  }

  /** All data points received so far. */
  points(): CollectedPoint[] {
    return this.#bodies("/v1/metrics").flatMap((body) =>
      body.resourceMetrics.flatMap((resource: Json) =>
        resource.scopeMetrics.flatMap((scope: Json) => scope.metrics.flatMap(pointsOf))
      )
    );
  }

  /** The attributes of the resource in the first request. */
  resource(): Record<string, Value> {
    return attributesOf(this.#bodies("/v1/traces")[0].resourceSpans[0].resource.attributes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #bodies(path: string): Json[] {
    return this.requests.filter((request) => request.path === path)
      .map(({ body }) => JSON.parse(body));
  }
}

function spanOf(span: Json): CollectedSpan {
  const { traceId, spanId, parentSpanId, name, status } = span;
  return {
    traceId,
    spanId,
    ...(parentSpanId ? { parentSpanId } : {}),
    name,
    start: milliseconds(span.startTimeUnixNano),
    end: milliseconds(span.endTimeUnixNano),
    attributes: attributesOf(span.attributes),
    status,
    events: span.events.map((event: Json) => ({
      name: event.name,
      at: milliseconds(event.timeUnixNano),
      attributes: attributesOf(event.attributes),
    })),
  };
}

function pointsOf({ name, unit, histogram, sum }: Json): CollectedPoint[] {
  return (histogram ?? sum).dataPoints.map((point: Json) => ({
    metric: name,
    unit,
    attributes: attributesOf(point.attributes),
    start: milliseconds(point.startTimeUnixNano),
    end: milliseconds(point.timeUnixNano),
    ...(sum ? { value: Number(point.asDouble ?? point.asInt) } : {}),
    ...(histogram ? { count: Number(point.count), sum: point.sum } : {}),
  }));
}

function attributesOf(list: Json[]): Record<string, Value> {
  return Object.fromEntries(list.map(({ key, value }) => [key, valueOf(value)]));
}

function valueOf(value: Json): Value {
  if ("arrayValue" in value) return value.arrayValue.values.map(valueOf);
  if ("intValue" in value) return Number(value.intValue);
  return value.stringValue ?? value.boolValue ?? value.doubleValue;
}

function milliseconds(nanoseconds: string): number {
  return Number(BigInt(nanoseconds) / 1_000_000n);
}
