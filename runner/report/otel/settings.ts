import { type Env, isDisabled, namesCollector } from "./wanted.ts";
/** Where one kind of data goes. */
export interface Target {
  /** The address it is posted to. */
  url: string;
  /** What each request says besides; secrets are among them. */
  headers: Record<string, string>;
  /** How long an export may take, in milliseconds. */
  timeout: number;
  /** Whether bodies are compressed. */
  gzip: boolean;
  /** The paths of the certificates that are used instead of the system's own. */
  tls: { ca?: string; cert?: string; key?: string };
}

/** What the environment says of OpenTelemetry. */
export interface OtelSettings {
  /** Where spans go, if they are wanted. */
  traces?: Target;
  /** Where metrics go, if they are wanted. */
  metrics?: Target;
  /** What the resource says, `service.name` among it. */
  resource: Record<string, string>;
  /** The span that all of it stands under, as the headers of W3C Trace Context. */
  parent: { traceparent?: string; tracestate?: string };
}

/** A setting in the environment that cannot be followed. */
export class OtelSettingError extends Error {
  /** Always `"bad_setting"`. */
  readonly code = "bad_setting";

  /** Says which one, without its value: that may hold a password. */
  constructor(message: string) {
    super(message);
    this.name = "OtelSettingError";
  }
}

/** Takes `name=value,…` apart. */
type ReadPairs = (text: string) => Record<string, string>;

/** Reads the environment. */

const LOCAL = "http://localhost:4318";
const DEFAULT_TIMEOUT = 10_000;
/** What the run is called where nobody gave it a name. */
const SERVICE_NAME = "dispatch-runner";

/**
 * Reads the standard variables.
 * @throws {OtelSettingError} For an address that is none, and for a protocol that is not spoken.
 */
export function readOtelSettings(env: Env, pairs: ReadPairs): OtelSettings {
  const resource = {
    "service.name": SERVICE_NAME,
    ...pairs(env("OTEL_RESOURCE_ATTRIBUTES") ?? ""),
  };
  const name = env("OTEL_SERVICE_NAME");
  if (name) resource["service.name"] = name;
  const settings: OtelSettings = { resource, parent: {} };
  const traceparent = env("TRACEPARENT");
  const tracestate = env("TRACESTATE");
  if (traceparent) settings.parent = { traceparent, ...(tracestate ? { tracestate } : {}) };
  if (isDisabled(env)) return settings;
  const traces = readTarget("TRACES", env, pairs);
  if (traces) settings.traces = traces;
  const metrics = readTarget("METRICS", env, pairs);
  if (metrics) settings.metrics = metrics;
  return settings;
}

function readTarget(
  signal: "TRACES" | "METRICS",
  env: Env,
  pairs: ReadPairs,
): Target | undefined {
  const exporters = env(`OTEL_${signal}_EXPORTER`) || "otlp";
  if (!exporters.split(",").some((name) => name.trim() === "otlp")) return undefined;
  /** A variable for this kind of data, or for all. */
  const read = (what: string): string | undefined =>
    env(`OTEL_EXPORTER_OTLP_${signal}_${what}`) || env(`OTEL_EXPORTER_OTLP_${what}`) || undefined;
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
      ...pairs(env("OTEL_EXPORTER_OTLP_HEADERS") ?? ""),
      ...pairs(env(`OTEL_EXPORTER_OTLP_${signal}_HEADERS`) ?? ""),
    },
    timeout: timeout > 0 ? timeout : DEFAULT_TIMEOUT,
    gzip: read("COMPRESSION") === "gzip",
    tls: { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) },
  };
}

/** The address for one kind of data. Where only the other kind has one, there is none. */
function readUrl(signal: "TRACES" | "METRICS", env: Env): string | undefined {
  const own = env(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`);
  if (own) return checkedUrl(own, `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`).href;
  const shared = env("OTEL_EXPORTER_OTLP_ENDPOINT");
  if (!shared && namesCollector(env)) return undefined;
  const url = checkedUrl(shared || LOCAL, "OTEL_EXPORTER_OTLP_ENDPOINT");
  url.pathname = `${url.pathname.replace(/\/$/, "")}/v1/${signal.toLowerCase()}`;
  return url.href;
}

function checkedUrl(text: string, variable: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && ["http:", "https:"].includes(url.protocol)) return url;
  throw new OtelSettingError(
    `Cannot use ${variable}: it is no address that begins with http:// or https://`,
  );
}
