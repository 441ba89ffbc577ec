import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { CheckRun, CheckVerdict, NoticeKind } from "../health/model.ts";
import { type CheckView, isHanging, type StatusSource } from "./status_source.ts";

/** Upper bounds of durations, in seconds. */
const DURATIONS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Upper bounds of lateness, in seconds. */
const LATENESS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];

/** The most steps of a check that have a series of their own. */
const MAX_STEPS = 50;

const VERDICTS: readonly CheckVerdict[] = ["passed", "failed", "errored", "unchecked"];
const KINDS: readonly NoticeKind[] = ["raised", "reminder", "flapping", "resolved"];
const OUTCOMES = ["delivered", "later", "dropped"] as const;

/** What Prometheus scrapes. Names of checks are labels; nothing else that users write is. */
export class Metrics {
  #registry = new Registry();
  /** What only those see who see details. */
  #details = new Registry();
  #source: StatusSource;
  #runs: Counter<"check" | "verdict">;
  #duration: Histogram<"check">;
  #steps: Histogram<"check" | "step" | "kind">;
  #lateness: Histogram<string>;
  #skipped: Counter<"check" | "reason">;
  #notices: Counter<"kind">;
  #deliveries: Counter<"target" | "outcome">;

  /** Creates the metrics of a schedule. */
  constructor(source: StatusSource, version: string) {
    this.#source = source;
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
      buckets: DURATIONS,
    });
    this.#lateness = new Histogram({
      ...{ name: name("lateness_seconds"), help: "How much too late runs started.", registers },
      buckets: LATENESS,
    });
    this.#skipped = new Counter({
      ...{ name: name("skipped_total"), help: "Times that had no run, by the reason.", registers },
      labelNames: ["check", "reason"],
    });
    this.#notices = new Counter({
      ...{ name: "dispatch_alert_notices_total", help: "Notices about alerts.", registers },
      labelNames: ["kind"],
    });
    for (const kind of KINDS) this.addNotice(kind, 0);
    this.#deliveries = new Counter({
      ...{ name: "dispatch_alert_deliveries_total", help: "Attempts to tell a target." },
      registers: [this.#details],
      labelNames: ["target", "outcome"],
    });
    new Gauge({
      ...{ name: "dispatch_schedule_info", help: "The version of the runner.", registers },
      labelNames: ["version"],
    }).set({ version }, 1);
    this.#addGauges();
  }

  /** The type of the document that {@linkcode text} returns. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /**
   * The metrics in Prometheus' text format.
   *
   * @param hasDetails Whether they name the targets of alerts, which can be mail addresses.
   */
  async text(hasDetails = true): Promise<string> {
    const text = await this.#registry.metrics();
    return hasDetails ? text + await this.#details.metrics() : text;
  }

  /** Counts a run. */
  addRun(check: string, run: CheckRun): void {
    const { verdict, duration_ms, lateness_ms, steps } = run;
    // A series that begins with 1 does not count as increased.
    for (const each of VERDICTS) this.#runs.inc({ check, verdict: each }, each === verdict ? 1 : 0);
    this.#duration.observe({ check }, duration_ms / 1000);
    this.#lateness.observe(lateness_ms / 1000);
    for (const { number, duration_ms, wait } of steps.slice(0, MAX_STEPS)) {
      const labels = { check, step: number, kind: wait ? "wait" : "other" };
      this.#steps.observe(labels, duration_ms / 1000);
    }
  }

  /** Counts times that had no run. */
  addSkipped(check: string, reason: string, count: number): void {
    this.#skipped.inc({ check, reason }, count);
  }

  /** Counts a notice about an alert. */
  addNotice(kind: NoticeKind, count = 1): void {
    this.#notices.inc({ kind }, count);
  }

  /** Begins to count the attempts to tell a target. */
  addTarget(target: string): void {
    for (const outcome of OUTCOMES) this.#deliveries.inc({ target, outcome }, 0);
  }

  /** Counts an attempt to tell a target. */
  addDelivery(target: string, outcome: typeof OUTCOMES[number]): void {
    this.#deliveries.inc({ target, outcome });
  }

  /** Forgets a check that is not scheduled any more. */
  async remove(check: string): Promise<void> {
    for (const metric of [this.#runs, this.#duration, this.#steps, this.#skipped]) {
      for (const { labels } of (await metric.get()).values) {
        const { le: _, ...own } = labels as { le?: string; check?: string };
        if (own.check === check) metric.remove(own as never);
      }
    }
  }

  /** Gauges are read when they are scraped. */
  #addGauges(): void {
    const source = this.#source;
    const each = (
      name: string,
      help: string,
      value: (view: CheckView) => number | undefined,
    ): void => {
      new Gauge({
        ...{ name, help, registers: [this.#registry], labelNames: ["check"] },
        collect() {
          this.reset();
          for (const view of source.checks()) {
            const one = value(view);
            if (one !== undefined) this.set({ check: view.check.id }, one);
          }
        },
      });
    };
    each(
      "dispatch_check_up",
      "1 if the last run of a check passed, 0 if not.",
      ({ last }) => last && (last.verdict === "passed" ? 1 : 0),
    );
    each(
      "dispatch_check_alert",
      "1 while the alert of a check is raised.",
      ({ state }) => state === "alerting" ? 1 : 0,
    );
    each(
      "dispatch_check_last_run_timestamp_seconds",
      "When the last run of a check started.",
      ({ last }) => last && last.at / 1000,
    );
    each(
      "dispatch_check_next_run_timestamp_seconds",
      "When a check runs next.",
      ({ next }) => next && next / 1000,
    );
    const one = (name: string, help: string, value: () => number) =>
      new Gauge({
        ...{ name, help, registers: [this.#registry] },
        collect() {
          this.set(value());
        },
      });
    one("dispatch_schedule_checks", "How many checks are scheduled.", () => source.checks().length);
    one(
      "dispatch_schedule_up",
      "1 while the scheduler starts runs, 0 if it hangs.",
      () => isHanging(source) ? 0 : 1,
    );
    one(
      "dispatch_schedule_tick_age_seconds",
      "How long ago the scheduler looked at the clock.",
      () => source.sinceTick() / 1000,
    );
    one(
      "dispatch_history_writable",
      "1 if the history can be written.",
      () => source.problem() === undefined ? 1 : 0,
    );
  }
}
