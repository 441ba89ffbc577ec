import type { DispatchEvent } from "../../../protocol/event.ts";
import type { Gap } from "../../../client/gap.ts";
import { formatDuration } from "../../language/duration.ts";
import { printable } from "../../language/render_diagnostic.ts";

/** The fields of an event's data that identify it, in the order in which they are shown. */
const NAMES = ["job_name", "name", "entry_name", "step_name", "job_id", "run_id"];

/** Formats an event or a gap for people, in one line. */
export function eventLine(event: DispatchEvent | Gap): string {
  if (event.type === "gap") return `-- ${gapText(event)}`;
  const data = event.data as Record<string, unknown>;
  const shown = [
    timeOf(event.ts),
    event.type,
    ...NAMES.map((name) => data[name]),
    detailOf(data),
  ];
  return shown.filter((part) => part !== undefined && part !== "")
    .map((part) => printable(String(part))).join("  ");
}

/** A time in milliseconds: servers send nanoseconds, without the zeros at the end. */
function timeOf(ts: string): string {
  const ms = Date.parse(ts);
  return Number.isNaN(ms) ? ts : new Date(ms).toISOString();
}

/** What an event says besides its names: how long it took, or why it failed. */
export function detailOf({ elapsed_ms, error, attempt }: Record<string, unknown>): string {
  if (typeof elapsed_ms === "number") return formatDuration(elapsed_ms);
  if (typeof error === "string") return error;
  return typeof attempt === "number" ? `attempt ${attempt}` : "";
}

/** Says where events may be missing. */
export function gapText({ reason, since, until, missed }: Gap): string {
  const what = missed === undefined ? "events may be missing" : `${missed} events are missing`;
  return printable(`${what} (${reason}), ${since} to ${until}`);
}
