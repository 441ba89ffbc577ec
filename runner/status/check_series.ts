import { Counter, Histogram, Registry } from "prom-client";
import type { CheckRun, CheckVerdict } from "../health/model.ts";

/** Upper bounds of durations of runs, in seconds. */
const DURATIONS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Those of steps, which are so many that their series are most of the text. */
const STEP_DURATIONS = [0.05, 0.25, 1, 5, 30];

/** The most steps of a check that have a series of their own. */
const MAX_STEPS = 50;

const VERDICTS: readonly CheckVerdict[] = ["passed", "failed", "errored", "unchecked"];

/**
 * The series of one check that its runs change. They are written when a run has ended: to write those
 * of a thousand checks at once would hold up the runs that are due.
 */
export class CheckSeries {
  #check: string;
  #registry = new Registry();
  #runs: Counter<"check" | "verdict">;
  #duration: Histogram<"check">;
  #steps: Histogram<"check" | "step" | "kind">;
  #skipped: Counter<"check" | "reason">;
  #texts: Promise<MetricText[]>;

  /** Creates the series of a check, by its `id`. */
  constructor(check: string) {
    this.#check = check;
    const registers = [this.#registry];
    const name = (end: string) => `dispatch_check_${end}`;
    this.#runs = new Counter({
      ...{ name: name("runs_total"), help: "Runs of a check by their verdict.", registers },
      labelNames: ["check", "verdict"],
    });
    this.#duration = new Histogram({
      ...{ name: name("duration_seconds"), help: "How long runs of a check took.", registers },
      labelNames: ["check"],
      buckets: DURATIONS,
    });
    this.#steps = new Histogram({
      ...{ name: name("step_duration_seconds"), help: "How long steps took.", registers },
      labelNames: ["check", "step", "kind"],
      buckets: STEP_DURATIONS,
    });
    this.#skipped = new Counter({
      ...{ name: name("skipped_total"), help: "Times that had no run, by the reason.", registers },
      labelNames: ["check", "reason"],
    });
    this.#texts = this.#write();
  }

  /** The text of each metric. */
  get texts(): Promise<readonly MetricText[]> {
    return this.#texts;
  }

  /** Counts a run. */
  addRun({ verdict, duration_ms, steps }: CheckRun): void {
    const check = this.#check;
    // A series that begins with 1 does not count as increased.
    for (const each of VERDICTS) this.#runs.inc({ check, verdict: each }, each === verdict ? 1 : 0);
    this.#duration.observe({ check }, duration_ms / 1000);
    for (const { number, duration_ms, wait } of steps.slice(0, MAX_STEPS)) {
      const labels = { check, step: number, kind: wait ? "wait" : "other" };
      this.#steps.observe(labels, duration_ms / 1000);
    }
    this.#texts = this.#write();
  }

  /** Counts times that had no run. */
  addSkipped(reason: string, count: number): void {
    this.#skipped.inc({ check: this.#check, reason }, count);
    this.#texts = this.#write();
  }

  #write(): Promise<MetricText[]> {
    const names = this.#registry.getMetricsAsArray().map(({ name }) => name);
    return Promise.all(names.map(async (name) => {
      const text = await this.#registry.getSingleMetricAsString(name);
      const [about] = /^(?:#.*\n?)*/.exec(text)!;
      return { about: about.trimEnd(), series: text.slice(about.length).trimEnd() };
    }));
  }
}

/** A metric in Prometheus' text format. */
interface MetricText {
  /** The lines about it. */
  about: string;
  /** The lines of its series; empty without any. */
  series: string;
}

/**
 * Joins the series of checks to one text: what is about a metric comes once, and then the series of all
 * checks.
 */
export async function joinSeries(all: Iterable<CheckSeries>): Promise<string> {
  const texts = await Promise.all([...all].map(({ texts }) => texts));
  const lines: string[] = [];
  for (const [metric, { about }] of (await new CheckSeries("").texts).entries()) {
    lines.push(about);
    for (const text of texts) {
      const { series } = text[metric]!;
      if (series !== "") lines.push(series);
    }
  }
  return lines.join("\n") + "\n";
}
