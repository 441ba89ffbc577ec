import type { Gap } from "../../../client/gap.ts";
import type { TimelineEntry } from "../../../protocol/entity.ts";
import type { JobEvent, RunEvent } from "../../../protocol/event.ts";
import { detailOf, gapText } from "./event_line.ts";
import type { PictureRow } from "./live_picture.ts";

/** Makes a row for each event of a job. Its time is that since the event before it. */
export function jobRows(events: readonly (JobEvent | Gap)[]): PictureRow[] {
  let before: number | undefined;
  return events.map((event) => {
    if (event.type === "gap") return gapRow(event);
    const at = Date.parse(event.ts);
    const ms = before === undefined ? undefined : at - before;
    before = at;
    const isBad = /failed|dlq|retrying/.test(event.type);
    const ok = isBad ? false : event.type === "job.completed" ? true : undefined;
    return { label: event.type.replace("job.", ""), ms, ok, note: noteOf(event.data) };
  });
}

/**
 * Makes a row for each checkpoint of a run and each step that failed, in their order. Servers send
 * no event when a wait or a sleep has ended, and store nothing about a step that failed.
 */
export function runRows(
  events: readonly (RunEvent | Gap)[],
  timeline: readonly TimelineEntry[],
): PictureRow[] {
  const elapsed = new Map<string, number>();
  const rows: (PictureRow & { at: number })[] = [];
  let before = Infinity;
  for (const event of events) {
    if (event.type === "gap") rows.push({ ...gapRow(event), at: Date.parse(event.since) });
    else if (event.type === "workflow.started") before = Date.parse(event.ts);
    else if (event.type === "workflow.step_completed") {
      elapsed.set(event.data.step_name, event.data.elapsed_ms ?? 0);
    } else if (event.type === "workflow.step_failed") {
      const { step_name, error = "" } = event.data;
      rows.push({
        label: step_name,
        ms: undefined,
        ok: false,
        note: error,
        at: Date.parse(event.ts),
      });
    }
  }
  for (const { step_name, created_at } of timeline) {
    rows.push({ label: step_name, ms: undefined, ok: true, at: Date.parse(created_at) });
  }
  return rows.toSorted((a, b) => a.at - b.at).map(({ at, ...row }) => {
    // A wait has no time of its own: it took as long as it is since the row before it.
    const ms = elapsed.get(row.label) ?? Math.max(0, at - before);
    before = at;
    return row.ok === undefined ? row : { ...row, ms };
  });
}

function gapRow(gap: Gap): PictureRow {
  return { label: "gap", ms: undefined, note: gapText(gap) };
}

function noteOf(data: object): string {
  // The time of an event is that of its row.
  const { elapsed_ms: _, ...rest } = data as Record<string, unknown>;
  return detailOf(rest);
}
