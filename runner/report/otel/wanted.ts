/** Reads the environment. */
export type Env = (name: string) => string | undefined;

/** Whether the environment asks for an export by itself: it names a collector. */
export function isOtelWanted(env: Env): boolean {
  return !isDisabled(env) && namesCollector(env);
}

/** Whether the environment forbids an export. */
export function isDisabled(env: Env): boolean {
  return env("OTEL_SDK_DISABLED")?.toLowerCase() === "true";
}

/** Whether the environment says where to export to. */
export function namesCollector(env: Env): boolean {
  return ["", "_TRACES", "_METRICS"].some((signal) => env(`OTEL_EXPORTER_OTLP${signal}_ENDPOINT`));
}
