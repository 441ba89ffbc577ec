import { isTimeZone } from "../../runtime/time_zone.ts";
import { readFields } from "../language/field.ts";
import type { Maintenance, Recipe, Schedule } from "../language/model.ts";
import type { MapNode, Node } from "../language/node.ts";
import type { ParseContext } from "../language/parse_context.ts";
import { parseTime } from "../language/time.ts";
import { duration, fixedText } from "../language/value_fields.ts";
import { readAlert } from "./read_alert.ts";
import { readHeartbeat } from "./read_heartbeat.ts";

/** The keys of `schedule`. */
export const SCHEDULE_FIELDS = {
  cron: fixedText(
    "A cron pattern: `minute hour day month weekday`, or six fields with seconds first.",
  ),
  timezone: fixedText(
    "The time zone of the pattern, such as `Europe/Berlin`; UTC by default.",
  ),
  every: duration("The time between two runs, instead of a cron pattern; at least 1 s.", 1),
  jitter: duration("The longest random delay of a run, so that not all recipes start at once."),
  every_while_failing: duration(
    "The time from a run that failed to the next one; at least 1 s.",
    1,
  ),
};

/** The keys of an item of `maintenance`, which happens once or repeatedly. */
export const MAINTENANCE_FIELDS = {
  from: fixedText("The start of the maintenance, in RFC 3339."),
  to: fixedText("The end of the maintenance, in RFC 3339."),
  cron: fixedText("A cron pattern for the starts of a repeated maintenance."),
  timezone: fixedText("The time zone of the pattern; UTC by default."),
  duration: duration("How long a repeated maintenance lasts."),
};

/** The nodes of the keys that `schedule` uses. */
export interface ScheduleNodes {
  /** The value of `schedule`. */
  schedule?: Node;
  /** The value of `alert`. */
  alert?: Node;
  /** The value of `maintenance`. */
  maintenance?: Node;
  /** The value of `heartbeat`. */
  heartbeat?: Node;
}

/** The parts of a recipe that are read from those nodes. */
export type ScheduleParts = Pick<
  Recipe,
  "schedule" | "alert" | "maintenance" | "heartbeat"
>;

/** Reads `schedule`, `alert`, `maintenance` and `heartbeat`. */
export async function readSchedule(
  nodes: ScheduleNodes,
  context: ParseContext,
): Promise<ScheduleParts> {
  const { schedule, alert, maintenance, heartbeat } = nodes;
  const parts: ScheduleParts = { maintenance: await readMaintenances(maintenance, context) };
  const times = schedule && await readTimes(schedule, context);
  if (times) parts.schedule = times;
  const plan = alert && readAlert(alert, context);
  if (plan) parts.alert = plan;
  const beat = heartbeat && readHeartbeat(heartbeat, context);
  if (beat) parts.heartbeat = beat;
  return parts;
}

/** Reads `maintenance`: an item or a list of them. */
export async function readMaintenances(
  node: Node | undefined,
  context: ParseContext,
): Promise<Maintenance[]> {
  const items = node?.kind === "list" ? node.items : node ? [node] : [];
  const read = await Promise.all(items.map((item) => readMaintenance(item, context)));
  return read.filter((one) => one !== undefined);
}

async function readTimes(node: Node, context: ParseContext): Promise<Schedule | undefined> {
  if (node.kind !== "map") {
    const hint =
      node.kind === "scalar" && typeof node.value === "string" && node.value.includes(" ")
        ? `write \`schedule: { cron: "${node.value}" }\``
        : undefined;
    return void context.wrongType(node, "`schedule`", "a map", hint);
  }
  const read = readFields(node, SCHEDULE_FIELDS, context, "`schedule`");
  const { cron, timezone, every, jitter, every_while_failing: everyWhileFailing } = read;
  await checkCron(node, cron, timezone, context);
  const keys = node.entries.map(({ key }) => key);
  if (keys.includes("cron") === keys.includes("every")) {
    const at = node.entries[0]?.keySpan ?? node;
    const message = keys.includes("cron")
      ? "`schedule` has both `cron` and `every`"
      : "`schedule` needs `cron` or `every`";
    return void context.diagnostics.error("missing-key", at, message);
  }
  if (every !== undefined && timezone !== undefined) {
    const at = node.entries.find(({ key }) => key === "timezone")!.keySpan;
    context.diagnostics.error("wrong-value", at, "`timezone` belongs to `cron`, not to `every`");
  }
  return {
    timezone: timezone ?? "UTC",
    ...(cron === undefined ? {} : { cron }),
    ...(every === undefined ? {} : { every }),
    ...(jitter === undefined ? {} : { jitter }),
    ...(everyWhileFailing === undefined ? {} : { everyWhileFailing }),
  };
}

async function readMaintenance(
  node: Node,
  context: ParseContext,
): Promise<Maintenance | undefined> {
  if (node.kind !== "map") {
    return void context.wrongType(node, "`maintenance`", "a map or a list of maps");
  }
  const read = readFields(node, MAINTENANCE_FIELDS, context, "`maintenance`");
  await checkCron(node, read.cron, read.timezone, context);
  const keys = node.entries.map(({ key }) => key).filter((key) => key in MAINTENANCE_FIELDS);
  const fixed = keys.every((key) => key === "from" || key === "to");
  const needed = fixed ? ["from", "to"] : ["cron", "duration"];
  const allowed = [...needed, ...(fixed ? [] : ["timezone"])];
  if (!needed.every((key) => keys.includes(key)) || !keys.every((key) => allowed.includes(key))) {
    context.diagnostics.error(
      "missing-key",
      node.entries[0]?.keySpan ?? node,
      "`maintenance` needs either `from` and `to`, or `cron` and `duration`",
    );
    return undefined;
  }
  const { cron, timezone = "UTC", duration } = read;
  if (cron !== undefined) return duration && { cron, timezone, duration };
  if (!fixed) return undefined;
  const [from, to] = ["from", "to"].map((key) => readTime(key, node, context));
  if (from === undefined || to === undefined) return undefined;
  if (from < to) return { from, to };
  const at = node.entries.find(({ key }) => key === "to")!.value;
  return void context.diagnostics.error("wrong-value", at, "`to` must be after `from`");
}

async function checkCron(
  node: MapNode,
  cron: string | undefined,
  timezone: string | undefined,
  context: ParseContext,
): Promise<void> {
  const at = (key: string) => node.entries.find((entry) => entry.key === key)?.value ?? node;
  if (timezone !== undefined && !isTimeZone(timezone)) {
    context.diagnostics.error("bad-cron", at("timezone"), `there is no time zone \`${timezone}\``);
  }
  if (cron === undefined) return;
  if (![5, 6].includes(cron.trim().split(/\s+/).length)) {
    context.diagnostics.error("bad-cron", at("cron"), `\`${cron}\` is not a cron pattern`, {
      label: "it needs five fields, `minute hour day month weekday`, or six with seconds first",
    });
    return;
  }
  const { Cron } = await import("croner");
  try {
    const next = new Cron(cron, { paused: true, timezone: "UTC" }).nextRun();
    if (next) return;
    context.diagnostics.error("bad-cron", at("cron"), `\`${cron}\` never occurs`);
  } catch (error) {
    const why = (error as Error).message.replace(/^CronPattern: /, "");
    context.diagnostics.error("bad-cron", at("cron"), `\`${cron}\` is not a cron pattern`, {
      label: why.charAt(0).toLowerCase() + why.slice(1),
    });
  }
}

function readTime(key: string, node: MapNode, context: ParseContext): number | undefined {
  const { value } = node.entries.find((entry) => entry.key === key)!;
  const text = value.kind === "scalar" ? String(value.value) : "";
  const time = parseTime(text);
  if (time !== undefined) return time;
  return void context.diagnostics.error("wrong-value", value, `\`${key}\` must be a time`, {
    label: "such as `2026-11-24T22:00:00Z`",
  });
}
