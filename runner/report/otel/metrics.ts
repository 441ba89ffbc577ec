import type { Attributes, Counter, Histogram, MeterProvider } from "@opentelemetry/api";
import type { ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { Clock } from "../../../runtime/clock.ts";
import type { CaseFinished, RecipeEvent, StepFinished } from "../../events/event.ts";
import { kindNamed } from "../../steps/step_kinds.ts";
import { entityName, wellFormed } from "./attributes.ts";
import { ExportQueue, type Signal } from "./export_queue.ts";
import type { OpenTelemetry } from "./packages.ts";
import type { OtelSettings, Target } from "./settings.ts";

/** Makes the signal that exports the metrics of a run when it has ended. */
export function makeMetrics(
  { core, resources, metrics, OTLPMetricExporter }: OpenTelemetry,
  { resource }: OtelSettings,
  target: Target,
  clock: Clock,
): Signal {
  let exporter: InstanceType<typeof OTLPMetricExporter>;
  const queue = new ExportQueue<ResourceMetrics>("metrics", target, (config) => {
    return exporter = new OTLPMetricExporter(config);
  });
  /** Collects on demand, where the reader of the SDK collects periodically. */
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
  const run = new RunMetrics(provider);
  let first: string | undefined;
  let last = "";
  return {
    report: (event) => {
      run.report(event);
      first ??= event.ts;
      last = event.ts;
    },
    finish: async () => {
      const { resourceMetrics } = await reader.collect();
      const points = resourceMetrics.scopeMetrics
        .flatMap(({ metrics }) => metrics)
        .flatMap(({ dataPoints }): object[] => dataPoints);
      if (first === undefined || points.length === 0) return;
      // The points cover the time of the run, not that of the export.
      const time = (ts: string) => core.millisToHrTime(Date.parse(ts));
      const times = { startTime: time(first), endTime: time(last) };
      for (const point of points) Object.assign(point, times);
      queue.push(resourceMetrics);
      await queue.finish(clock);
    },
  };
}

/** The bucket boundaries of durations in seconds, up to an hour. */
const BOUNDARIES: number[] = "0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 30 60 300 900 3600"
  .split(" ").map(Number);

/** Records the metrics of a run. Attributes have few values, to keep the number of series low. */
class RunMetrics {
  #cases: Histogram;
  #waits: Histogram;
  #failures: Counter;

  constructor(provider: MeterProvider) {
    const meter = provider.getMeter("@dispatch/sdk");
    const advice = { explicitBucketBoundaries: BOUNDARIES };
    this.#cases = meter.createHistogram("dispatch.case.duration", {
      description: "The duration of cases.",
      unit: "s",
      advice,
    });
    this.#waits = meter.createHistogram("dispatch.wait.duration", {
      description: "The duration of waits for jobs, runs and events.",
      unit: "s",
      advice,
    });
    this.#failures = meter.createCounter("dispatch.case.failures", {
      description: "Cases that failed or could not run.",
      unit: "{case}",
    });
  }

  report(event: RecipeEvent): void {
    if (event.type === "case.finished") this.#recordCase(event);
    else if (event.type === "step.finished" && kindNamed(event.kind)?.waits) {
      this.#recordWait(event);
    }
  }

  #recordCase({ file, status, duration_ms, failure, quarantine }: CaseFinished): void {
    // The duration of an interrupted case would distort the histogram.
    if (status === "interrupted") return;
    const recipe: Attributes = { "dispatch.recipe.file": wellFormed(file) };
    this.#cases.record(duration_ms / 1000, { ...recipe, "dispatch.case.status": status });
    if ((status !== "failed" && status !== "errored") || quarantine) return;
    this.#failures.add(1, { ...recipe, "dispatch.failure.kind": failure?.kind ?? status });
  }

  #recordWait({ status, duration_ms, observed }: StepFinished): void {
    if (status === "skipped" || status === "interrupted") return;
    this.#waits.record(duration_ms / 1000, {
      "dispatch.step.status": status,
      ...entityName(observed),
    });
  }
}
