import type { RunEvent } from "../../events/event.ts";
import { formatDuration } from "../../language/duration.ts";
import { width } from "../../language/render_diagnostic.ts";
import type { Style } from "../style.ts";
import { fit, fitLine, type Part } from "./fit.ts";
import { labelColumns, printed, spread, TIME_COLUMNS } from "./lines.ts";

/** How large the board may be. */
export interface BoardSize {
  /** The columns of the screen; the last one stays empty. */
  columns: number;
  /** The most lines. */
  rows: number;
}

interface RunningStep {
  label: string;
  /** When it began, by the clock of the reporter. */
  began: number;
  attempt: number;
  /** What it saw, and when first. */
  seen?: { text: string; since: number };
}

interface RunningCase {
  name: string;
  file: string;
  began: number;
  /** By their numbers, in the order in which they began. */
  steps: Map<string, RunningStep>;
}

/** With fewer columns what matters less goes. */
const NARROW = 56;

const FRAMES = [..."⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"];
/** How long each of them stands, in milliseconds. */
const FRAME = 90;

/** What goes on in a run, as lines: the running steps of a single case, or the running cases. */
export class Board {
  #style: Style;
  #cases = new Map<number, RunningCase>();
  #all = 0;
  #done = 0;
  #failed = 0;
  #began = 0;
  #interrupted = false;

  /** A board of a run that has not begun. */
  constructor(style: Style) {
    this.#style = style;
  }

  /** Takes one event, at a time of the reporter's clock. */
  take(event: RunEvent, now: number): void {
    switch (event.type) {
      case "run.started":
        this.#all = event.cases;
        this.#began = now;
        return;
      case "case.started": {
        const { name, file } = event;
        this.#cases.set(event.case, {
          name: printed(name),
          file: printed(file),
          began: now,
          steps: new Map(),
        });
        return;
      }
      case "case.finished":
        this.#cases.delete(event.case);
        this.#done++;
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
      steps?.set(key, { label: printed(label), began: step?.began ?? now, attempt });
    } else if (event.type === "step.progress" && step) {
      const ago = Date.parse(event.ts) - Date.parse(event.since);
      step.seen = { text: printed(event.text), since: now - ago };
    } else if (event.type === "step.retried" && step) {
      const text = `attempt ${event.attempt} failed`;
      step.seen = { text, since: now };
    } else if (event.type === "step.finished") {
      steps?.delete(key);
      if (event.status === "interrupted") this.#interrupted = true;
    }
  }

  /** The lines as they are at a time; none is as wide as the screen. */
  lines(size: BoardSize, now: number): string[] {
    const width = size.columns - 1;
    const lines = this.#all === 1 ? this.#steps(size, now) : this.#running(size, now);
    return lines.map((parts) => fitLine(parts, width));
  }

  /** The running steps of a single case, in the columns of those that have ended. */
  #steps({ columns, rows }: BoardSize, now: number): Part[][] {
    const [running] = this.#cases.values();
    const steps = running ? innermost(running.steps) : [];
    const shown = steps.slice(0, steps.length > rows ? rows - 1 : rows);
    const lines = shown.map((step) => {
      const mark: Part = [`  ${spinner(now)} `, this.#style.busy];
      return [mark, ...this.#step(step, columns - 4, labelColumns(columns), now)];
    });
    return [...lines, ...this.#more(steps.length - shown.length, "running steps")];
  }

  /** The running cases, each in two lines where there is room, and how many are done. */
  #running({ columns, rows }: BoardSize, now: number): Part[][] {
    const bar = this.#progress(columns, now);
    const room = rows - 1;
    const cases = [...this.#cases.values()];
    const shown = cases.slice(0, cases.length > room ? Math.max(0, room - 1) : room);
    const two = columns < 100 && cases.length * 2 <= room;
    const label = labelColumns(columns);
    const lines: Part[][] = [];
    for (const { name, file, began, steps } of shown) {
      const inner = innermost(steps);
      const step = inner.at(-1);
      const mark: Part = [`${spinner(now)} `, this.#style.busy];
      const others = inner.length > 1 ? ` (+${inner.length - 1})` : "";
      if (two) {
        const where: Part[] = columns < NARROW ? [] : [[file, this.#style.dim]];
        lines.push([mark, ...row(name, columns - 2, label + 2, now - began, where)]);
        lines.push(step ? [["    "], ...this.#step(step, columns - 4, label, now, others)] : []);
      } else {
        const seen: Part[] = step
          ? [[`${labelOf(step)}${others}`], ...separated(this.#seen(step, now))]
          : [];
        lines.push([
          mark,
          ...row(name, columns - 2, label + 2, now - (step?.began ?? began), seen),
        ]);
      }
    }
    const more = room > 0 ? this.#more(cases.length - shown.length, "running cases") : [];
    // Set apart from what is above it where there is room.
    const space = lines.length + more.length + 2 <= rows ? [[]] : [];
    return [...space, ...lines, ...more, bar];
  }

  #step(step: RunningStep, columns: number, label: number, now: number, others = ""): Part[] {
    const text = `${labelOf(step)}${others}`;
    return row(text, columns, label, now - step.began, this.#seen(step, now));
  }

  #seen({ seen }: RunningStep, now: number): Part[] {
    if (!seen) return [];
    return [[seen.text], [` ${elapsed(now - seen.since)} ago`, this.#style.dim]];
  }

  #more(count: number, what: string): Part[][] {
    return count > 0 ? [[[`  … and ${count} more ${what}`, this.#style.dim]]] : [];
  }

  #progress(columns: number, now: number): Part[] {
    const { busy, dim, error, warning } = this.#style;
    const cells = columns >= 60 ? 24 : columns >= 40 ? 12 : 0;
    const full = this.#all === 0 ? 0 : Math.floor(cells * this.#done / this.#all);
    return [
      ["━".repeat(full), busy],
      ["─".repeat(cells - full), dim],
      [`${cells > 0 ? " " : ""}${this.#done}/${this.#all}`],
      ...(this.#failed > 0 ? [[`  ${this.#failed} failed`, error] as const] : []),
      [`  ${elapsed(now - this.#began)}`, dim],
      ...(this.#interrupted ? [["  interrupted, cleaning up", warning] as const] : []),
    ];
  }
}

/** A label, a time and more, in columns; the time stays in sight where it is narrow. */
function row(
  label: string,
  columns: number,
  labelColumns: number,
  ms: number,
  more: readonly Part[],
): Part[] {
  const timeColumns = columns < 30 ? TIME_COLUMNS - 2 : TIME_COLUMNS;
  const space = Math.max(0, columns - 1 - timeColumns);
  const taken = more.reduce((sum, [text]) => sum + width(text), 2);
  const wanted = Math.max(labelColumns, more.length === 0 ? space : space - taken);
  const shown = fit(label, Math.min(space, wanted));
  // Where it is narrow, what was seen is worth more than times under each other.
  const least = columns < NARROW ? Math.max(width(shown), space - taken) : labelColumns;
  const line = spread(shown, elapsed(ms), Math.min(space, labelColumns, least) + timeColumns);
  return [[line], ...(more.length === 0 ? [] : [["  "] as const, ...more])];
}

function separated(parts: Part[]): Part[] {
  return parts.length === 0 ? [] : [[": "], ...parts];
}

function labelOf({ label, attempt }: RunningStep): string {
  return attempt > 1 ? `${label} (attempt ${attempt})` : label;
}

/** The steps that contain no other running one. */
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

function spinner(now: number): string {
  return FRAMES[Math.floor(now / FRAME) % FRAMES.length]!;
}

/** Time that goes on, in tenths of a second, so that it does not flicker. */
function elapsed(ms: number): string {
  return ms >= 60_000 ? formatDuration(ms) : `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
}
