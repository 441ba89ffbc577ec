import type { RecipeEvent } from "../../events/event.ts";
import type { Reporter, ReporterContext } from "../reporter.ts";
import type { Signal } from "./export_queue.ts";
import { makeMetrics } from "./metrics.ts";
import { loadOpenTelemetry } from "./packages.ts";
import { readOtelSettings } from "./settings.ts";
import { makeTraces } from "./traces.ts";

/**
 * Opens the `otel` reporter, which exports a run as spans and metrics over OTLP/HTTP. It registers
 * nothing globally: a program that runs recipes keeps its own providers.
 *
 * @throws {NotInstalledError} If a package of OpenTelemetry is missing.
 * @throws {OtelSettingError} If a variable of the environment is invalid.
 */
export async function openReporter(
  { clock, env }: Pick<ReporterContext, "clock" | "env">,
): Promise<Reporter> {
  const packages = await loadOpenTelemetry();
  const settings = readOtelSettings(env, packages.core.parseKeyPairsIntoRecord);
  const { traces, metrics } = settings;
  return new OpenTelemetryReporter([
    ...(traces ? [makeTraces(packages, settings, traces, clock)] : []),
    ...(metrics ? [makeMetrics(packages, settings, metrics, clock)] : []),
  ]);
}

class OpenTelemetryReporter implements Reporter {
  #signals: Signal[];

  constructor(signals: Signal[]) {
    this.#signals = signals;
  }

  report(event: RecipeEvent): void {
    for (const signal of this.#signals) signal.report(event);
  }

  backlog(): Promise<void> | undefined {
    for (const signal of this.#signals) {
      const backlog = signal.backlog?.();
      if (backlog) return backlog;
    }
    return undefined;
  }

  /** Exports the rest, for at most five seconds. */
  async finish(): Promise<void> {
    const results = await Promise.allSettled(this.#signals.map((signal) => signal.finish()));
    const errors = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason as Error] : []
    );
    const [first, ...others] = errors;
    if (!first) return;
    if (others.length === 0) throw first;
    throw new AggregateError(errors, errors.map(({ message }) => message).join("; "));
  }
}
