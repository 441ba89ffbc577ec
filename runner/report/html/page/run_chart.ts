import { CASE_STATUSES, type ReportStatus } from "../report_data.ts";
import { durationText, plural, STATUS_LABELS } from "../labels.ts";
import type { ReportContext } from "./context.ts";
import type { ReportCase } from "./decode.ts";
import { el, svg } from "./dom.ts";
import { caseAt, type Lanes, layoutLanes, stackLanes } from "./lanes.ts";
import { makeTicks } from "./ticks.ts";
import { hideTooltip, showTooltip } from "./tooltip.ts";

/** The height of the time axis above the lanes, in pixels. */
const AXIS = 16;
/** The smallest width of a case, in pixels. */
const MIN_WIDTH = 2;
/** The width of a column when cases are stacked, in pixels. */
const COLUMN = 4;
/** The width that the height of the lanes is based on, in pixels. */
const TYPICAL_WIDTH = 1200;
/** How far beside a case the pointer still hits it, in pixels. */
const REACH = 4;

/** The chart of all cases on one time axis. */
export interface RunChart {
  /** The element. */
  element: HTMLElement;
  /** Marks the case that is open. */
  update(): void;
}

/**
 * Makes the chart of a run. All cases of a status are one path, so that thousands of cases stay
 * cheap. The chart is for the pointer; keyboards and screen readers use the list.
 */
export function makeRunChart(context: ReportContext): RunChart {
  const { index, cases, change, times } = context;
  const lanes = layoutLanes(cases);
  const height = laneHeight(lanes);
  const total = cases.reduce(
    (last, { endedAt }) => Math.max(last, endedAt),
    Math.max(1, index.duration),
  );
  const label = `${plural(lanes.bars.length, "case")} over ${durationText(total)}` +
    (lanes.count > 1 ? `, up to ${lanes.count} at a time` : "");
  const drawing = svg("svg", { class: "lanes", role: "img", "aria-label": label });
  const element = el("div", { class: "lanes-frame" });
  element.append(drawing);
  let width = 0;

  const box = ({ reportCase, lane }: { reportCase: ReportCase; lane: number }) => {
    const scale = width / total;
    const wide = Math.max(MIN_WIDTH, (reportCase.endedAt - reportCase.startedAt) * scale - 1);
    return {
      x: Math.min(width - wide, reportCase.startedAt * scale),
      y: AXIS + lane * height,
      width: wide,
      height: height - (height > 6 ? 2 : 1),
    };
  };

  function draw(): void {
    const full = AXIS + lanes.count * height + 2;
    drawing.setAttribute("viewBox", `0 0 ${width} ${full}`);
    drawing.setAttribute("height", String(full));
    const paths = new Map<ReportStatus, string[]>();
    const add = (status: ReportStatus, x: number, y: number, w: number, h: number) => {
      const subpaths = paths.get(status) ?? [];
      subpaths.push(
        `M${x.toFixed(1)} ${y.toFixed(1)}h${w.toFixed(1)}v${h.toFixed(1)}h-${w.toFixed(1)}z`,
      );
      paths.set(status, subpaths);
    };
    if (isCrowded(lanes, width)) {
      const columns = Math.max(1, Math.floor(width / COLUMN));
      const wide = width / columns;
      for (const stack of stackLanes(lanes, { total, columns, least: 2 / height })) {
        const { column, lane, status, from, to } = stack;
        const top = AXIS + lane * height;
        add(
          status,
          column * wide,
          top + from * (height - 1),
          wide - 0.5,
          (to - from) * (height - 1),
        );
      }
    } else {
      for (const bar of lanes.bars) {
        const { x, y, width: w, height: h } = box(bar);
        add(bar.reportCase.status, x, y, w, h);
      }
    }
    const ticks = makeTicks(total, Math.max(2, Math.floor(width / 90)));
    drawing.replaceChildren(
      ...ticks.map(({ at, label }) => {
        const x = at / total * width;
        const fits = x < width - 30;
        return svg(
          "g",
          { class: "tick" },
          svg("line", { x1: x, x2: x, y1: AXIS - 3, y2: full }),
          svg("text", {
            x,
            y: AXIS - 6,
            "text-anchor": at === 0 ? "start" : "middle",
          }, fits && label),
        );
      }),
      // The worst status comes last, so that it is drawn on top.
      ...[...CASE_STATUSES].reverse().flatMap((status) => {
        const d = paths.get(status);
        return d ? [svg("path", { class: `is-${status}`, d: d.join("") })] : [];
      }),
    );
    markOpenCase();
  }

  function markOpenCase(): void {
    drawing.querySelector(".opened")?.remove();
    const { open } = context.state();
    const bar = lanes.bars.find(({ reportCase }) => reportCase.number === open);
    if (!bar || width === 0) return;
    const { x, y, width: w, height: h } = box(bar);
    drawing.append(
      svg("rect", { class: "opened", x: x - 2, y: y - 2, width: w + 4, height: h + 4, rx: 2 }),
    );
  }

  const at = (event: MouseEvent): ReportCase | undefined => {
    const { left, top } = drawing.getBoundingClientRect();
    const scale = total / width;
    return caseAt(lanes, {
      time: (event.clientX - left) * scale,
      lane: Math.floor((event.clientY - top - AXIS) / height),
      reach: REACH * scale,
    });
  };
  drawing.addEventListener("pointermove", (event) => {
    const reportCase = at(event);
    drawing.classList.toggle("is-over", reportCase !== undefined);
    if (!reportCase) return hideTooltip();
    const span = `${times.clock(reportCase.startedAt)} – ${times.clock(reportCase.endedAt)}`;
    showTooltip(
      [
        reportCase.name,
        `${STATUS_LABELS[reportCase.status]}, ${durationText(reportCase.duration)}`,
        span,
      ],
      event.clientX,
      event.clientY,
    );
  });
  drawing.addEventListener("pointerleave", hideTooltip);
  drawing.addEventListener("click", (event) => {
    const reportCase = at(event);
    if (reportCase) change({ open: reportCase.number });
  });
  new ResizeObserver(() => {
    const now = Math.floor(element.clientWidth);
    if (now === width || now === 0) return;
    width = now;
    draw();
  }).observe(element);
  return { element, update: markOpenCase };
}

/** Whether the bars of single cases would overlap. */
function isCrowded({ bars, count }: Lanes, width: number): boolean {
  return bars.length * 3 > count * width;
}

function laneHeight(lanes: Lanes): number {
  const most = isCrowded(lanes, TYPICAL_WIDTH) ? 32 : 14;
  return Math.max(5, Math.min(most, Math.floor(96 / Math.max(1, lanes.count))));
}
