import type { Attributes, Counter, Histogram, MeterProvider } from "@opentelemetry/api";
import type { CaseFinished, RunEvent, StepFinished } from "../../events/event.ts";
import { clean, entityName } from "./attributes.ts";

/** In seconds: from what takes no time to what takes an hour. */
const BOUNDARIES: number[] = "0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 30 60 300 900 3600"
  .split(" ").map(Number);

/** What is measured of a run, by attributes of which there are few values. */
export class RunMeasures {
  #cases: Histogram;
  #waits: Histogram;
  #failures: Counter;

  /** Makes the instruments. */
  constructor(provider: MeterProvider) {
    const meter = provider.getMeter("@dispatch/sdk");
    const advice = { explicitBucketBoundaries: BOUNDARIES };
    this.#cases = meter.createHistogram("dispatch.case.duration", {
      description: "How long cases took.",
      unit: "s",
      advice,
    });
    this.#waits = meter.createHistogram("dispatch.wait.duration", {
      description: "How long waits for jobs, runs and events took.",
      unit: "s",
      advice,
    });
    this.#failures = meter.createCounter("dispatch.case.failures", {
      description: "Cases that failed or could not be run.",
      unit: "{case}",
    });
  }

  /** Takes one event. */
  report(event: RunEvent): void {
    if (event.type === "case.finished") this.#case(event);
    else if (event.type === "step.finished" && event.kind === "wait") this.#wait(event);
  }

  #case({ file, status, duration_ms, failure }: CaseFinished): void {
    const recipe: Attributes = { "dispatch.recipe.file": clean(file) };
    // How long something took that was interrupted says nothing.
    if (status === "interrupted") return;
    this.#cases.record(duration_ms / 1000, { ...recipe, "dispatch.case.status": status });
    if (status !== "failed" && status !== "errored") return;
    this.#failures.add(1, { ...recipe, "dispatch.failure.kind": failure?.kind ?? status });
  }

  #wait({ status, duration_ms, observed }: StepFinished): void {
    if (status === "skipped" || status === "interrupted") return;
    this.#waits.record(duration_ms / 1000, {
      "dispatch.step.status": status,
      ...entityName(observed),
    });
  }
}
