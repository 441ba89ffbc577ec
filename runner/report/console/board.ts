import type { RecipeEvent } from "../../events/event.ts";
import { formatDuration } from "../../language/duration.ts";
import { width } from "../../language/render_diagnostic.ts";
import { type Style, terminalText } from "../terminal.ts";
import { labelColumns, spread, TIME_COLUMNS } from "./lines.ts";
import { type Part, truncateLine, truncateToWidth } from "./truncate.ts";

/** The space that a {@linkcode Board} may take. */
export interface BoardSize {
  /** The width of the screen; the last column stays empty. */
  columns: number;
  /** The maximum number of lines. */
  rows: number;
}

interface RunningStep {
  label: string;
  /** When it started, by the clock of the reporter. */
  startedAt: number;
  attempt: number;
  /** What it last saw, and since when. */
  seen?: { text: string; since: number };
}

interface RunningCase {
  name: string;
  file: string;
  startedAt: number;
  /** The running steps by phase and number, in the order they started. */
  steps: Map<string, RunningStep>;
}

/** Below this width the board leaves out what matters less. */
const NARROW = 56;

const SPINNER = [..."⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"];
/** How long the spinner shows each of its frames, in milliseconds. */
const SPINNER_INTERVAL = 90;

/**
 * Shows what is running: the running steps of a single case, or the running cases and a progress
 * bar. It only makes the lines; the reporter draws them.
 */
export class Board {
  #style: Style;
  #cases = new Map<number, RunningCase>();
  #total = 0;
  #done = 0;
  #failed = 0;
  #startedAt = 0;
  #interrupted = false;

  /** Makes the board of a run that has not started. */
  constructor(style: Style) {
    this.#style = style;
  }

  /** Receives one event, at a time of the reporter's clock. */
  report(event: RecipeEvent, now: number): void {
    switch (event.type) {
      case "run.started":
        this.#total = event.cases;
        this.#startedAt = now;
        return;
      case "case.started": {
        const { name, file } = event;
        this.#cases.set(event.case, {
          name: terminalText(name),
          file: terminalText(file),
          startedAt: now,
          steps: new Map(),
        });
        return;
      }
      case "case.finished":
        this.#cases.delete(event.case);
        this.#done++;
        if (event.quarantine) return;
        if (event.status === "failed" || event.status === "errored") this.#failed++;
        return;
      case "case.skipped":
        this.#done++;
        return;
    }
    if (!("step" in event)) return;
    const steps = this.#cases.get(event.case)?.steps;
    const key = `${event.phase} ${event.step}`;
    const step = steps?.get(key);
    if (event.type === "step.started") {
      const label = `${event.phase === "always" ? "always: " : ""}${event.label}`;
      const { attempt } = event;
      steps?.set(key, { label: terminalText(label), startedAt: step?.startedAt ?? now, attempt });
    } else if (event.type === "step.progress" && step) {
      const ago = Date.parse(event.ts) - Date.parse(event.since);
      step.seen = { text: terminalText(event.text), since: now - ago };
    } else if (event.type === "step.retried" && step) {
      const text = `attempt ${event.attempt} failed`;
      step.seen = { text, since: now };
    } else if (event.type === "step.finished") {
      steps?.delete(key);
      if (event.status === "interrupted") this.#interrupted = true;
    }
  }

  /** Makes the lines for a time of the reporter's clock, each shorter than the screen is wide. */
  lines(size: BoardSize, now: number): string[] {
    const width = size.columns - 1;
    const lines = this.#total === 1 ? this.#stepLines(size, now) : this.#caseLines(size, now);
    return lines.map((parts) => truncateLine(parts, width));
  }

  /** The running steps of a single case, aligned with the steps that have ended. */
  #stepLines({ columns, rows }: BoardSize, now: number): Part[][] {
    const [running] = this.#cases.values();
    const steps = running ? innermost(running.steps) : [];
    const shown = steps.slice(0, steps.length > rows ? rows - 1 : rows);
    const lines = shown.map((step) => {
      const mark: Part = [`  ${spinner(now)} `, this.#style.busy];
      return [mark, ...this.#stepRow(step, columns - 4, labelColumns(columns), now)];
    });
    return [...lines, ...this.#more(steps.length - shown.length, "running steps")];
  }

  /** The running cases, each in two lines if there is room, and the progress bar. */
  #caseLines({ columns, rows }: BoardSize, now: number): Part[][] {
    const bar = this.#progress(columns, now);
    const room = rows - 1;
    const cases = [...this.#cases.values()];
    const shown = cases.slice(0, cases.length > room ? Math.max(0, room - 1) : room);
    const twoLines = columns < 100 && cases.length * 2 <= room;
    const label = labelColumns(columns);
    const lines: Part[][] = [];
    for (const { name, file, startedAt, steps } of shown) {
      const inner = innermost(steps);
      const step = inner.at(-1);
      const mark: Part = [`${spinner(now)} `, this.#style.busy];
      const others = inner.length > 1 ? ` (+${inner.length - 1})` : "";
      if (twoLines) {
        const where: Part[] = columns < NARROW ? [] : [[file, this.#style.dim]];
        lines.push([mark, ...row(name, columns - 2, label + 2, now - startedAt, where)]);
        lines.push(step ? [["    "], ...this.#stepRow(step, columns - 4, label, now, others)] : []);
      } else {
        const seen: Part[] = step
          ? [[`${labelOf(step)}${others}`], ...separated(this.#seen(step, now))]
          : [];
        lines.push([
          mark,
          ...row(name, columns - 2, label + 2, now - (step?.startedAt ?? startedAt), seen),
        ]);
      }
    }
    const more = room > 0 ? this.#more(cases.length - shown.length, "running cases") : [];
    // An empty line separates the board from the lines above if there is room.
    const space = lines.length + more.length + 2 <= rows ? [[]] : [];
    return [...space, ...lines, ...more, bar];
  }

  #stepRow(step: RunningStep, columns: number, label: number, now: number, others = ""): Part[] {
    const text = `${labelOf(step)}${others}`;
    return row(text, columns, label, now - step.startedAt, this.#seen(step, now));
  }

  #seen({ seen }: RunningStep, now: number): Part[] {
    if (!seen) return [];
    return [[seen.text], [` ${elapsed(now - seen.since)} ago`, this.#style.dim]];
  }

  #more(count: number, what: string): Part[][] {
    return count > 0 ? [[[`  … and ${count} more ${what}`, this.#style.dim]]] : [];
  }

  #progress(columns: number, now: number): Part[] {
    const { dim, error, warning } = this.#style;
    return [
      ...progressBar(this.#done, this.#total, columns, this.#style),
      ...(this.#failed > 0 ? [[`  ${this.#failed} failed`, error] as const] : []),
      [`  ${elapsed(now - this.#startedAt)}`, dim],
      ...(this.#interrupted ? [["  interrupted, cleaning up", warning] as const] : []),
    ];
  }
}

/** A bar that shows how much is done, and the numbers. A narrow screen has only the numbers. */
export function progressBar(done: number, total: number, columns: number, style: Style): Part[] {
  const cells = columns >= 60 ? 24 : columns >= 40 ? 12 : 0;
  const full = total === 0 ? 0 : Math.floor(cells * done / total);
  return [
    ["━".repeat(full), style.busy],
    ["─".repeat(cells - full), style.dim],
    [`${cells > 0 ? " " : ""}${done}/${total}`],
  ];
}

/** A row of a label, a time and more parts. A narrow screen cuts the label before the time. */
function row(
  label: string,
  columns: number,
  labelColumns: number,
  ms: number,
  more: readonly Part[],
): Part[] {
  const timeColumns = columns < 30 ? TIME_COLUMNS - 2 : TIME_COLUMNS;
  const space = Math.max(0, columns - 1 - timeColumns);
  const moreColumns = more.reduce((sum, [text]) => sum + width(text), 2);
  const wanted = Math.max(labelColumns, more.length === 0 ? space : space - moreColumns);
  const shown = truncateToWidth(label, Math.min(space, wanted));
  // On a narrow screen the other parts matter more than aligned times.
  const least = columns < NARROW ? Math.max(width(shown), space - moreColumns) : labelColumns;
  const line = spread(shown, elapsed(ms), Math.min(space, labelColumns, least) + timeColumns);
  return [[line], ...(more.length === 0 ? [] : [["  "] as const, ...more])];
}

function separated(parts: Part[]): Part[] {
  return parts.length === 0 ? [] : [[": "], ...parts];
}

function labelOf({ label, attempt }: RunningStep): string {
  return attempt > 1 ? `${label} (attempt ${attempt})` : label;
}

/** The running steps that contain no other running step. */
function innermost(steps: ReadonlyMap<string, RunningStep>): RunningStep[] {
  const outer = new Set<string>();
  const numbers = [...steps.keys()].map((key) => key.slice(key.indexOf(" ") + 1));
  for (const number of numbers) {
    for (let dot = number.indexOf("."); dot !== -1; dot = number.indexOf(".", dot + 1)) {
      outer.add(number.slice(0, dot));
    }
  }
  return [...steps.values()].filter((_, i) => !outer.has(numbers[i]!));
}

/** Returns the frame that a spinner shows at a moment. */
export function spinner(now: number): string {
  return SPINNER[Math.floor(now / SPINNER_INTERVAL) % SPINNER.length]!;
}

/** A running time in tenths of a second: more digits would flicker. */
function elapsed(ms: number): string {
  return ms >= 60_000 ? formatDuration(ms) : `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
}
