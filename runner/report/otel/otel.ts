import type { Clock } from "../../../runtime/clock.ts";
import type { RunEvent } from "../../events/event.ts";
import type { Reporter } from "../reporter.ts";
import { loadOpenTelemetry } from "./load.ts";
import { makeMetrics } from "./metrics.ts";
import { readOtelSettings } from "./settings.ts";
import { makeTraces } from "./traces.ts";

/** What an {@linkcode OpenTelemetryReporter} is made with. */
export interface OpenTelemetryContext {
  /** Where time comes from. */
  clock: Clock;
  /** Reads the environment. */
  env(name: string): string | undefined;
}

/** One kind of data on its way out. */
export interface Signal {
  /** Takes one event. */
  report(event: RunEvent): void;
  /** Sends the rest, and waits for all of it. */
  end(): Promise<void>;
}

/**
 * Exports a run as spans and metrics over OTLP/HTTP. Nothing of OpenTelemetry's global state is
 * touched: a program that runs recipes and traces by itself keeps its own providers.
 */
export class OpenTelemetryReporter implements Reporter {
  #signals: Signal[];

  private constructor(signals: Signal[]) {
    this.#signals = signals;
  }

  /**
   * Loads OpenTelemetry, unless the environment wants nothing exported.
   * @throws {NotInstalledError | OtelSettingError}
   */
  static async open({ clock, env }: OpenTelemetryContext): Promise<OpenTelemetryReporter> {
    const loaded = await loadOpenTelemetry();
    const settings = readOtelSettings(env, loaded.core.parseKeyPairsIntoRecord);
    const { traces, metrics } = settings;
    return new OpenTelemetryReporter([
      ...(traces ? [makeTraces(loaded, settings, traces, clock)] : []),
      ...(metrics ? [makeMetrics(loaded, settings, metrics, clock)] : []),
    ]);
  }

  /** Takes one event. */
  report(event: RunEvent): void {
    for (const signal of this.#signals) signal.report(event);
  }

  /** Sends what was not sent yet, for at most five seconds. */
  async finish(): Promise<void> {
    const ended = await Promise.allSettled(this.#signals.map((signal) => signal.end()));
    const errors = ended.flatMap((one) => one.status === "rejected" ? [one.reason as Error] : []);
    if (errors.length <= 1) {
      if (errors[0]) throw errors[0];
      return;
    }
    throw new AggregateError(errors, errors.map(({ message }) => message).join("; "));
  }
}
