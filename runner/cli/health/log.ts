import type { Clock } from "../../../runtime/clock.ts";
import type { Mask } from "../../engine/mask.ts";
import { formatTime, noticeText } from "../../notify/message.ts";
import { safeLine } from "../../report/plain_text.ts";
import type { Output } from "../../report/reporter.ts";
import type { ScheduleEvent } from "../../schedule/scheduled.ts";
import type { HealthEvent, MonitoredCheck } from "./monitor.ts";

/** The longest line about a check, in characters. */
const MAX_LINE = 4_000;

/** Settings of a {@linkcode HealthLog}. */
export interface HealthLogOptions {
  /** The clock. */
  clock: Clock;
  /** Where lines go. */
  output: Output;
  /** Masks secrets. */
  mask: Mask;
  /** Whether lines are JSON. */
  isJson: boolean;
}

/** How much a line matters. */
type Level = "info" | "warn" | "error";

/** Writes a line for each thing that happens to checks: for people, or as JSON. */
export class HealthLog {
  #options: HealthLogOptions;

  /** Creates a log. */
  constructor(options: HealthLogOptions) {
    this.#options = options;
  }

  /** Writes a line, with what it is about for those who read it as JSON. */
  write(text: string, about: Record<string, unknown> = {}, level: Level = "info"): void {
    const { clock, output, mask, isJson } = this.#options;
    // Text is masked before it is cut: half a secret would not be found.
    const line = safeLine(mask.text(text), MAX_LINE);
    if (!isJson) return output.write(`${formatTime(clock.now())} ${line}\n`);
    const time = new Date(clock.now()).toISOString();
    output.write(mask.text(JSON.stringify({ time, level, message: line, ...about })) + "\n");
  }

  /** Writes a warning. */
  warn(text: string, about: Record<string, unknown> = {}): void {
    this.write(this.#options.isJson ? text : `warning: ${text}`, about, "warn");
  }

  /** Writes the line about an event, if it has one. */
  event(event: HealthEvent, nextRun: (check: MonitoredCheck) => number | undefined): void {
    switch (event.type) {
      case "added": {
        const { check } = event.check;
        const next = nextRun(event.check);
        if (next === undefined) return;
        const about = { event: "added", check: check.id, next: new Date(next).toISOString() };
        return this.write(`${check.name}: first run at ${formatTime(next)}`, about);
      }
      case "removed":
        return this.write(`${event.check.check.name}: is not scheduled any more`, {
          ...{ event: "removed", check: event.check.check.id },
        });
      case "started":
        return this.write(`${event.check.check.name}: run started`, {
          ...{ event: "started", check: event.check.check.id },
        });
      case "finished": {
        const { check: { check: { id, name } }, run } = event;
        const { verdict, duration_ms, exitCode, failure, problem, diagnostics } = run;
        // For people the report of the run says this.
        if (!this.#options.isJson) return;
        const about = { event: "finished", check: id, verdict, duration_ms, exit_code: exitCode };
        const why = { failure, code: problem?.code, place: problem?.place, diagnostics };
        return this.write(`${name}: ${verdict}`, { ...about, ...why });
      }
      case "notice": {
        const { notice, isTold } = event;
        if (!isTold) return;
        const { id, kind, check, incident } = notice;
        const about = { event: kind, check: check.id, notice: id, incident };
        return this.write(noticeText(notice), about, kind === "resolved" ? "info" : "error");
      }
      case "delivery": {
        const { target, notice, outcome, problem, pause = 0 } = event.delivery;
        const about = { event: "delivery", target, notice: notice.id, outcome };
        if (outcome === "delivered") {
          if (this.#options.isJson) this.write(`told ${target}`, about);
          return;
        }
        const end = outcome === "later" ? `retrying in ${pause / 1000} s` : "giving up";
        const what = `cannot send the alert for ${notice.check.name} to ${target}`;
        return this.warn(`${what}: ${problem}; ${end}`, about);
      }
      case "schedule":
        return this.#schedule(event.event);
    }
  }

  #schedule(event: ScheduleEvent<MonitoredCheck>): void {
    const { id, name } = event.entry.check;
    switch (event.type) {
      case "skipped": {
        const about = { event: "skipped", check: id, why: event.why };
        const why = event.why === "maintenance"
          ? `maintenance until ${formatTime(event.until)}`
          : `its run of ${formatTime(event.since)} ${
            event.why === "running" ? "is still in progress" : "still waits for its turn"
          }`;
        return this.write(`${name}: skipped at ${formatTime(event.slot)}: ${why}`, about);
      }
      case "missed": {
        const { first, last, count, isAtLeast } = event;
        const many = isAtLeast ? `at least ${count} runs` : `${count} runs`;
        const runs = count === 1 ? "the run" : many;
        const until = count === 1 ? "" : ` to ${formatTime(last)}`;
        const why = "while the machine slept or was busy, or its clock was set; not made up for";
        const text = `${name}: missed ${runs} of ${formatTime(first)}${until}, ${why}`;
        return this.write(text, { event: "missed", check: id, count }, "warn");
      }
      case "ended":
        return this.write(`${name}: no further runs`, { event: "ended", check: id });
    }
  }
}
