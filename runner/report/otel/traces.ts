import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { Clock } from "../../../runtime/clock.ts";
import { Exporting } from "./exporting.ts";
import type { OpenTelemetry } from "./load.ts";
import type { Signal } from "./otel.ts";
import type { OtelSettings, Target } from "./settings.ts";
import { RunSpans } from "./spans.ts";

/** How many spans go into one request. */
const BATCH = 512;
/** A wait can see many checkpoints; the usual limit is 128, and the first ones are dropped. */
const SPAN_EVENTS = 1000;

/** A run's spans, exported while it goes on and when it has ended. */
export function makeTraces(
  { api, core, resources, traces, OTLPTraceExporter }: OpenTelemetry,
  { resource, parent }: OtelSettings,
  target: Target,
  clock: Clock,
): Signal {
  const out = new Exporting<ReadableSpan[]>(
    "traces",
    target,
    (config) => new OTLPTraceExporter(config),
  );
  let ended: ReadableSpan[] = [];
  const send = () => {
    if (ended.length > 0) out.send(ended);
    ended = [];
  };
  const collect: SpanProcessor = {
    onStart: () => {},
    onEnd: (span) => {
      if (ended.push(span) >= BATCH) send();
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const provider = new traces.BasicTracerProvider({
    resource: resources.defaultResource().merge(resources.resourceFromAttributes(resource)),
    spanLimits: { eventCountLimit: SPAN_EVENTS },
    spanProcessors: [collect],
  });
  const propagator = new core.W3CTraceContextPropagator();
  const context = propagator.extract(api.ROOT_CONTEXT, parent, api.defaultTextMapGetter);
  const spans = new RunSpans(api, provider.getTracer("@dispatch/sdk"), context);
  return {
    report: (event) => spans.report(event),
    end: () => {
      spans.close();
      send();
      return out.end(clock);
    },
  };
}
