import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { Clock } from "../../../runtime/clock.ts";
import { ExportQueue, type Signal } from "./export_queue.ts";
import type { OpenTelemetry } from "./packages.ts";
import { RunSpans } from "./run_spans.ts";
import type { OtelSettings, Target } from "./settings.ts";

/** The number of spans in one request. */
const BATCH_SIZE = 512;
/** The default limit of 128 would drop the first checkpoints of a long wait. */
const MAX_SPAN_EVENTS = 1000;

/** Makes the signal that exports the spans of a run, in batches as they end. */
export function makeTraces(
  { api, core, resources, traces, OTLPTraceExporter }: OpenTelemetry,
  { resource, parent }: OtelSettings,
  target: Target,
  clock: Clock,
): Signal {
  const queue = new ExportQueue<ReadableSpan[]>(
    "traces",
    target,
    (config) => new OTLPTraceExporter(config),
  );
  let batch: ReadableSpan[] = [];
  const pushBatch = () => {
    if (batch.length > 0) queue.push(batch);
    batch = [];
  };
  const processor: SpanProcessor = {
    onStart: () => {},
    onEnd: (span) => {
      if (batch.push(span) >= BATCH_SIZE) pushBatch();
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const provider = new traces.BasicTracerProvider({
    resource: resources.defaultResource().merge(resources.resourceFromAttributes(resource)),
    spanLimits: { eventCountLimit: MAX_SPAN_EVENTS },
    spanProcessors: [processor],
  });
  const propagator = new core.W3CTraceContextPropagator();
  const context = propagator.extract(api.ROOT_CONTEXT, parent, api.defaultTextMapGetter);
  const spans = new RunSpans(api, provider.getTracer("@dispatch/sdk"), context);
  return {
    report: (event) => spans.report(event),
    backlog: () => queue.backlog(),
    finish: () => {
      spans.close();
      pushBatch();
      return queue.finish(clock);
    },
  };
}
