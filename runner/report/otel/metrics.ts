import type { ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { Clock } from "../../../runtime/clock.ts";
import { Exporting } from "./exporting.ts";
import type { OpenTelemetry } from "./load.ts";
import { RunMeasures } from "./measures.ts";
import type { Signal } from "./otel.ts";
import type { OtelSettings, Target } from "./settings.ts";

/** A run's measures, exported when it has ended. */
export function makeMetrics(
  { core, resources, metrics, OTLPMetricExporter }: OpenTelemetry,
  { resource }: OtelSettings,
  target: Target,
  clock: Clock,
): Signal {
  let exporter: InstanceType<typeof OTLPMetricExporter>;
  const out = new Exporting<ResourceMetrics>("metrics", target, (config) => {
    return exporter = new OTLPMetricExporter(config);
  });
  /** A reader that is asked once, where the SDK's own asks by a timer. */
  class RunReader extends metrics.MetricReader {
    protected override onForceFlush(): Promise<void> {
      return Promise.resolve();
    }
    protected override onShutdown(): Promise<void> {
      return Promise.resolve();
    }
  }
  const reader = new RunReader({
    aggregationTemporalitySelector: (type) => exporter.selectAggregationTemporality(type),
  });
  const provider = new metrics.MeterProvider({
    resource: resources.defaultResource().merge(resources.resourceFromAttributes(resource)),
    readers: [reader],
  });
  const measures = new RunMeasures(provider);
  let first: string | undefined;
  let last = "";
  return {
    report: (event) => {
      measures.report(event);
      first ??= event.ts;
      last = event.ts;
    },
    end: async () => {
      const { resourceMetrics } = await reader.collect();
      const points = resourceMetrics.scopeMetrics
        .flatMap(({ metrics }) => metrics)
        .flatMap(({ dataPoints }): object[] => dataPoints);
      if (first === undefined || points.length === 0) return;
      // The numbers are of the time in which the run took place, not of that of the export.
      const time = (ts: string) => core.millisToHrTime(Date.parse(ts));
      const times = { startTime: time(first), endTime: time(last) };
      for (const point of points) Object.assign(point, times);
      out.send(resourceMetrics);
      await out.end(clock);
    },
  };
}
