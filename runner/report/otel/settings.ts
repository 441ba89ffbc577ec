import type { ReadEnv } from "../reporter.ts";

/** Where one signal is exported to. */
export interface Target {
  /** The address for the requests. */
  url: string;
  /** The headers of each request; they may contain secrets. */
  headers: Record<string, string>;
  /** The limit for one export, in milliseconds. */
  timeout: number;
  /** Whether to compress the requests. */
  gzip: boolean;
  /** The paths of certificates to use instead of those of the system. */
  tls: { ca?: string; cert?: string; key?: string };
}

/** The settings from the standard variables of OpenTelemetry. */
export interface OtelSettings {
  /** Where to export spans; absent if that is switched off. */
  traces?: Target;
  /** Where to export metrics; absent if that is switched off. */
  metrics?: Target;
  /** The attributes of the resource, with `service.name`. */
  resource: Record<string, string>;
  /** The headers of W3C Trace Context for the parent of the run's span. */
  parent: { traceparent?: string; tracestate?: string };
}

/** A variable of the environment has a value that the exporter cannot use. */
export class OtelSettingError extends Error {
  /** Always `"bad_setting"`. */
  readonly code = "bad_setting";

  /** The message names the variable without its value, which may contain a password. */
  constructor(message: string) {
    super(message);
    this.name = "OtelSettingError";
  }
}

/** Parses `name=value,…`. */
type ParsePairs = (text: string) => Record<string, string>;

const DEFAULT_URL = "http://localhost:4318";
const DEFAULT_TIMEOUT = 10_000;
const DEFAULT_SERVICE_NAME = "dispatch-runner";

/** Whether the environment names a collector and does not switch OpenTelemetry off. */
export function isExportConfigured(env: ReadEnv): boolean {
  return !isDisabled(env) && hasEndpoint(env);
}

/**
 * Reads the standard variables.
 * @throws {OtelSettingError} For an invalid address and for an unsupported protocol.
 */
export function readOtelSettings(env: ReadEnv, parsePairs: ParsePairs): OtelSettings {
  const resource = {
    "service.name": DEFAULT_SERVICE_NAME,
    ...parsePairs(env("OTEL_RESOURCE_ATTRIBUTES") ?? ""),
  };
  const name = env("OTEL_SERVICE_NAME");
  if (name) resource["service.name"] = name;
  const settings: OtelSettings = { resource, parent: {} };
  const traceparent = env("TRACEPARENT");
  const tracestate = env("TRACESTATE");
  if (traceparent) settings.parent = { traceparent, ...(tracestate ? { tracestate } : {}) };
  if (isDisabled(env)) return settings;
  const traces = readTarget("TRACES", env, parsePairs);
  if (traces) settings.traces = traces;
  const metrics = readTarget("METRICS", env, parsePairs);
  if (metrics) settings.metrics = metrics;
  return settings;
}

function isDisabled(env: ReadEnv): boolean {
  return env("OTEL_SDK_DISABLED")?.toLowerCase() === "true";
}

function hasEndpoint(env: ReadEnv): boolean {
  return ["", "_TRACES", "_METRICS"].some((signal) => env(`OTEL_EXPORTER_OTLP${signal}_ENDPOINT`));
}

function readTarget(
  signal: "TRACES" | "METRICS",
  env: ReadEnv,
  parsePairs: ParsePairs,
): Target | undefined {
  const exporters = env(`OTEL_${signal}_EXPORTER`) || "otlp";
  if (!exporters.split(",").some((name) => name.trim() === "otlp")) return undefined;
  /** Reads the variable of this signal, or else the one for all signals. */
  const read = (name: string): string | undefined =>
    env(`OTEL_EXPORTER_OTLP_${signal}_${name}`) || env(`OTEL_EXPORTER_OTLP_${name}`) || undefined;
  const url = readUrl(signal, env);
  if (url === undefined) return undefined;
  if (read("PROTOCOL") === "grpc") {
    throw new OtelSettingError(
      "Cannot export over grpc: OTEL_EXPORTER_OTLP_PROTOCOL must be http/json",
    );
  }
  const timeout = Number(read("TIMEOUT"));
  const ca = read("CERTIFICATE");
  const cert = read("CLIENT_CERTIFICATE");
  const key = read("CLIENT_KEY");
  return {
    url,
    headers: {
      ...parsePairs(env("OTEL_EXPORTER_OTLP_HEADERS") ?? ""),
      ...parsePairs(env(`OTEL_EXPORTER_OTLP_${signal}_HEADERS`) ?? ""),
    },
    timeout: timeout > 0 ? timeout : DEFAULT_TIMEOUT,
    gzip: read("COMPRESSION") === "gzip",
    tls: { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) },
  };
}

/** Reads the address for a signal; undefined if only the other signal has one. */
function readUrl(signal: "TRACES" | "METRICS", env: ReadEnv): string | undefined {
  const own = env(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`);
  if (own) return parseUrl(own, `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`).href;
  const shared = env("OTEL_EXPORTER_OTLP_ENDPOINT");
  if (!shared && hasEndpoint(env)) return undefined;
  const url = parseUrl(shared || DEFAULT_URL, "OTEL_EXPORTER_OTLP_ENDPOINT");
  url.pathname = `${url.pathname.replace(/\/$/, "")}/v1/${signal.toLowerCase()}`;
  return url.href;
}

function parseUrl(text: string, variable: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && ["http:", "https:"].includes(url.protocol)) return url;
  throw new OtelSettingError(
    `Cannot use ${variable}: the address must begin with http:// or https://`,
  );
}
