import { isTimeZone } from "../../runtime/time_zone.ts";
import type { Template } from "../expression/template.ts";
import { custom, oneOrMore, readFields, required } from "../language/field.ts";
import type { Maintenance, Recipe } from "../language/model.ts";
import type { MapNode, Node } from "../language/node.ts";
import type { ParseContext } from "../language/parse_context.ts";
import { parseTime } from "../language/time.ts";
import { duration, fixedText, integer, text } from "../language/value_fields.ts";

/** The keys of `schedule`. */
export const SCHEDULE_FIELDS = {
  cron: required(
    fixedText("A cron pattern: `minute hour day month weekday`, or six fields with seconds first."),
  ),
  timezone: fixedText(
    "The time zone of the pattern, such as `Europe/Berlin`; UTC by default.",
  ),
  jitter: duration("The longest random delay of a run, so that not all recipes start at once."),
};

const address = text("The receiver: an HTTP URL, which gets a POST request, or a mail address.");

/** Reads a receiver. One that contains `${{ }}` is checked when the schedule starts. */
const receiver = custom<Template>(address.description, address.json, (node, context, what) => {
  const template = address.read(node, context, what);
  if (template?.kind !== "literal" || isReceiver(String(template.value))) return template;
  return void context.diagnostics.error(
    "wrong-value",
    node,
    `\`${template.value}\` is not a URL or a mail address`,
    { label: "such as `https://example.com/hook` or `ops@example.com`" },
  );
});

/** Whether a text is an HTTP URL or looks like a mail address. */
export function isReceiver(text: string): boolean {
  if (/^https?:/i.test(text)) return URL.canParse(text) && new URL(text).hostname !== "";
  return /^[^\s@:/]+@[^\s@:/]+$/.test(text);
}

/** The keys of `alert`. */
export const ALERT_FIELDS = {
  after: integer("How many failures in a row raise the alert; 1 by default.", { minimum: 1 }),
  resolve_after: integer("How many passes in a row resolve the alert; 1 by default.", {
    minimum: 1,
  }),
  remind: duration("How often to send a reminder while the alert is raised; never by default."),
  to: required(oneOrMore(receiver)),
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
}

/** The parts of a recipe that are read from those nodes. */
export type ScheduleParts = Pick<Recipe, "schedule" | "alert" | "maintenance">;

/** Reads `schedule`, `alert` and `maintenance`. */
export async function readSchedule(
  nodes: ScheduleNodes,
  context: ParseContext,
): Promise<ScheduleParts> {
  const { schedule, alert, maintenance } = nodes;
  const parts: ScheduleParts = { maintenance: [] };
  if (schedule?.kind === "map") {
    const read = readFields(schedule, SCHEDULE_FIELDS, context, "`schedule`");
    await checkCron(schedule, read.cron, read.timezone, context);
    const { cron, timezone = "UTC", jitter } = read;
    parts.schedule = { cron, timezone, ...(jitter === undefined ? {} : { jitter }) };
  } else if (schedule) {
    const hint = schedule.kind === "scalar" && typeof schedule.value === "string" &&
        schedule.value.includes(" ")
      ? `write \`schedule: { cron: "${schedule.value}" }\``
      : undefined;
    context.wrongType(schedule, "`schedule`", "a map", hint);
  }
  if (alert?.kind === "map") {
    const read = readFields(alert, ALERT_FIELDS, context, "`alert`");
    const { after, resolve_after: resolveAfter, remind, to } = read;
    parts.alert = {
      to,
      ...(after === undefined ? {} : { after }),
      ...(resolveAfter === undefined ? {} : { resolveAfter }),
      ...(remind === undefined ? {} : { remind }),
    };
  } else if (alert) context.wrongType(alert, "`alert`", "a map");
  const items = maintenance?.kind === "list" ? maintenance.items : maintenance ? [maintenance] : [];
  for (const item of items) {
    const one = await readMaintenance(item, context);
    if (one) parts.maintenance.push(one);
  }
  return parts;
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
