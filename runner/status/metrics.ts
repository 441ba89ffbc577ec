import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { CheckRun, NoticeKind } from "../health/model.ts";
import { CheckSeries, joinSeries } from "./check_series.ts";
import { type CheckView, isHanging, type StatusSource } from "./status_source.ts";

/** Upper bounds of lateness, in seconds. */
const LATENESS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];

const KINDS: readonly NoticeKind[] = ["raised", "reminder", "flapping", "resolved"];
const OUTCOMES = ["delivered", "later", "dropped"] as const;

/** What Prometheus scrapes. Names of checks are labels; nothing else that users write is. */
export class Metrics {
  #registry = new Registry();
  /** What only those see who see details. */
  #details = new Registry();
  #source: StatusSource;
  /** The checks as this scrape sees them. */
  #views: readonly CheckView[] = [];
  #checks = new Map<string, CheckSeries>();
  #lateness: Histogram<string>;
  #notices: Counter<"kind">;
  #deliveries: Counter<"target" | "outcome">;

  /** Creates the metrics of a schedule. */
  constructor(source: StatusSource, version: string) {
    this.#source = source;
    const registers = [this.#registry];
    this.#lateness = new Histogram({
      ...{ name: "dispatch_check_lateness_seconds", help: "How much too late runs started." },
      registers,
      buckets: LATENESS,
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
    this.#views = this.#source.checks();
    const text = await joinSeries(this.#checks.values()) + await this.#registry.metrics();
    return hasDetails ? text + await this.#details.metrics() : text;
  }

  /** Counts a run. */
  addRun(check: string, run: CheckRun): void {
    this.#seriesOf(check).addRun(run);
    this.#lateness.observe(run.lateness_ms / 1000);
  }

  /** Counts times that had no run. */
  addSkipped(check: string, reason: string, count: number): void {
    this.#seriesOf(check).addSkipped(reason, count);
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
  remove(check: string): void {
    this.#checks.delete(check);
  }

  #seriesOf(check: string): CheckSeries {
    let series = this.#checks.get(check);
    if (!series) this.#checks.set(check, series = new CheckSeries(check));
    return series;
  }

  /** Gauges are read when they are scraped. */
  #addGauges(): void {
    const source = this.#source;
    const views = () => this.#views;
    const each = (
      name: string,
      help: string,
      value: (view: CheckView) => number | undefined,
    ): void => {
      new Gauge({
        ...{ name, help, registers: [this.#registry], labelNames: ["check"] },
        collect() {
          this.reset();
          for (const view of views()) {
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
    one("dispatch_schedule_checks", "How many checks are scheduled.", () => views().length);
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
