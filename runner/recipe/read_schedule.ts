import { duration, fixedText, integer, oneOrMore, readFields, required } from "./field.ts";
import type { MapNode, Node } from "./node.ts";
import type { Reading } from "./reading.ts";

/** The keys of `schedule`. */
export const SCHEDULE_FIELDS = {
  cron: required(
    fixedText("When: `minute hour day month weekday`, or six fields with seconds first."),
  ),
  timezone: fixedText(
    "The time zone the pattern is meant in, such as `Europe/Berlin`; UTC by default.",
  ),
  jitter: duration("How much later a run may begin, so that not all begin at once."),
};

/** The keys of `alert`. */
export const ALERT_FIELDS = {
  after: integer("How many failures in a row raise it; 1 by default.", { minimum: 1 }),
  resolve_after: integer("How many passes in a row resolve it; 1 by default.", { minimum: 1 }),
  remind: duration("How often it is repeated while it lasts."),
  to: required(oneOrMore(fixedText("Where it goes."))),
};

/** The keys of one item of `maintenance`: a fixed time, or one that comes back. */
export const MAINTENANCE_FIELDS = {
  from: fixedText("When it begins, RFC 3339."),
  to: fixedText("When it ends, RFC 3339."),
  cron: fixedText("When it begins, again and again."),
  timezone: fixedText("The time zone of the pattern; UTC by default."),
  duration: duration("How long it lasts each time."),
};

/** The nodes that say when a recipe runs by itself. */
export interface ScheduleNodes {
  /** `schedule`. */
  schedule?: Node;
  /** `alert`. */
  alert?: Node;
  /** `maintenance`. */
  maintenance?: Node;
}

/** Checks `schedule`, `alert` and `maintenance`. */
export async function checkSchedule(nodes: ScheduleNodes, reading: Reading): Promise<void> {
  const { schedule, alert, maintenance } = nodes;
  if (schedule) {
    if (schedule.kind !== "map") reading.wrongType(schedule, "`schedule`", "a map");
    else {
      const read = readFields(schedule, SCHEDULE_FIELDS, reading, "`schedule`");
      await checkCron(schedule, read.cron, read.timezone, reading);
    }
  }
  if (alert) {
    if (alert.kind !== "map") reading.wrongType(alert, "`alert`", "a map");
    else readFields(alert, ALERT_FIELDS, reading, "`alert`");
  }
  if (!maintenance) return;
  for (const item of maintenance.kind === "list" ? maintenance.items : [maintenance]) {
    if (item.kind !== "map") {
      reading.wrongType(item, "`maintenance`", "a map or a list of maps");
      continue;
    }
    const read = readFields(item, MAINTENANCE_FIELDS, reading, "`maintenance`");
    await checkCron(item, read.cron, read.timezone, reading);
    checkTimes(item, reading);
  }
}

async function checkCron(
  node: MapNode,
  cron: string | undefined,
  timezone: string | undefined,
  reading: Reading,
): Promise<void> {
  const at = (key: string) => node.entries.find((entry) => entry.key === key)?.value ?? node;
  if (timezone !== undefined && !isTimeZone(timezone)) {
    reading.diagnostics.error("bad-cron", at("timezone"), `there is no time zone \`${timezone}\``);
  }
  if (cron === undefined) return;
  const { Cron } = await import("croner");
  try {
    const next = new Cron(cron, { paused: true, timezone: "UTC" }).nextRun();
    if (next) return;
    reading.diagnostics.error("bad-cron", at("cron"), `\`${cron}\` never comes`);
  } catch (error) {
    const why = (error as Error).message.replace(/^CronPattern: /, "");
    reading.diagnostics.error("bad-cron", at("cron"), `\`${cron}\` is no cron pattern`, {
      label: why.charAt(0).toLowerCase() + why.slice(1),
    });
  }
}

function checkTimes(node: MapNode, reading: Reading): void {
  const keys = node.entries.map(({ key }) => key);
  const fixed = keys.includes("from") && keys.includes("to");
  const again = keys.includes("cron") && keys.includes("duration");
  if (fixed === again) {
    reading.diagnostics.error(
      "missing-key",
      node.entries[0]?.keySpan ?? node,
      "`maintenance` needs `from` and `to`, or `cron` and `duration`",
    );
  }
  for (const { key, value } of node.entries) {
    if (key !== "from" && key !== "to") continue;
    const text = value.kind === "scalar" ? String(value.value) : "";
    const whole = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[-+]\d\d:\d\d)$/.test(text);
    if (whole && !Number.isNaN(Date.parse(text))) continue;
    reading.diagnostics.error("wrong-value", value, `\`${key}\` must be a time`, {
      label: "such as `2026-11-24T22:00:00Z`",
    });
  }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
