/** The packages of OpenTelemetry that the reporter uses. */
export interface OpenTelemetry {
  /** `@opentelemetry/api` */
  api: typeof import("@opentelemetry/api");
  /** `@opentelemetry/core` */
  core: typeof import("@opentelemetry/core");
  /** `@opentelemetry/resources` */
  resources: typeof import("@opentelemetry/resources");
  /** `@opentelemetry/sdk-trace-base` */
  traces: typeof import("@opentelemetry/sdk-trace-base");
  /** `@opentelemetry/sdk-metrics` */
  metrics: typeof import("@opentelemetry/sdk-metrics");
  /** `@opentelemetry/exporter-trace-otlp-http` */
  OTLPTraceExporter: typeof import("@opentelemetry/exporter-trace-otlp-http").OTLPTraceExporter;
  /** `@opentelemetry/exporter-metrics-otlp-http` */
  OTLPMetricExporter: typeof import("@opentelemetry/exporter-metrics-otlp-http").OTLPMetricExporter;
}

/** A package of OpenTelemetry is missing; they are optional dependencies. */
export class NotInstalledError extends Error {
  /** Always `"not_installed"`. */
  readonly code = "not_installed";

  /** The message lists the packages to install. */
  constructor(cause: unknown) {
    super(
      "Cannot load OpenTelemetry: install the packages @opentelemetry/api, " +
        "@opentelemetry/core, @opentelemetry/resources, @opentelemetry/sdk-trace-base, " +
        "@opentelemetry/sdk-metrics, @opentelemetry/exporter-trace-otlp-http and " +
        "@opentelemetry/exporter-metrics-otlp-http",
      { cause },
    );
    this.name = "NotInstalledError";
  }
}

/**
 * Loads the packages of OpenTelemetry.
 * @throws {NotInstalledError} If one is missing.
 */
export async function loadOpenTelemetry(): Promise<OpenTelemetry> {
  try {
    const [api, core, resources, traces, metrics, traceExporter, metricExporter] = await Promise
      .all([
        import("@opentelemetry/api"),
        import("@opentelemetry/core"),
        import("@opentelemetry/resources"),
        import("@opentelemetry/sdk-trace-base"),
        import("@opentelemetry/sdk-metrics"),
        import("@opentelemetry/exporter-trace-otlp-http"),
        import("@opentelemetry/exporter-metrics-otlp-http"),
      ]);
    const { OTLPTraceExporter } = traceExporter;
    const { OTLPMetricExporter } = metricExporter;
    return { api, core, resources, traces, metrics, OTLPTraceExporter, OTLPMetricExporter };
  } catch (cause) {
    throw new NotInstalledError(cause);
  }
}
