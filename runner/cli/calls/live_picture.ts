import { type Clock, monotonicNow, type TimerHandle } from "../../../runtime/clock.ts";
import { onExit } from "../../../runtime/process.ts";
import { formatDuration } from "../../language/duration.ts";
import { spinner } from "../../report/console/board.ts";
import { labelColumns, spread, TIME_COLUMNS } from "../../report/console/lines.ts";
import { LiveRegion, REDRAW_INTERVAL } from "../../report/console/live_region.ts";
import { type Part, truncateLine } from "../../report/console/truncate.ts";
import type { Output } from "../../report/reporter.ts";
import { makeStyle, type Style, terminalText } from "../../report/terminal.ts";

/** A row of the picture: something that has happened. */
export interface PictureRow {
  label: string;
  /** How long it took, in milliseconds. */
  ms: number | undefined;
  /** Whether it went well; absent if that does not apply. */
  ok?: boolean | undefined;
  /** What it says besides. */
  note?: string;
}

/** What is known about a job or a run. */
export interface PictureState {
  /** The name and the id. */
  title: string;
  rows: readonly PictureRow[];
  /** What the job or run does now: its state. */
  state: string;
  /** How it ended, or `undefined` while it runs. */
  ok: boolean | undefined;
  /** How long it took, once it has ended. */
  ms?: number | undefined;
}

/** Shows a job or run on a terminal, and redraws it while it runs. */
export class LivePicture implements Disposable {
  readonly #region: LiveRegion;
  readonly #style: Style;
  readonly #clock: Clock;
  readonly #began: number;
  #state: PictureState;
  /** When the last row was added. */
  #since: number;
  #timer: TimerHandle | undefined;
  #removeExitListener: () => void;

  /** Starts to draw on a terminal. */
  constructor(output: Output, clock: Clock, title: string) {
    this.#region = new LiveRegion(output);
    this.#style = makeStyle(output.color);
    this.#clock = clock;
    this.#began = this.#since = monotonicNow(clock);
    this.#state = { title, rows: [], state: "", ok: undefined };
    // A second Ctrl-C ends the process at once, and must give the cursor back too.
    this.#removeExitListener = onExit(() => this.#region.remove());
    this.#draw();
  }

  /** Replaces what is shown. */
  show(state: PictureState): void {
    if (state.rows.length > this.#state.rows.length) this.#since = monotonicNow(this.#clock);
    this.#state = state;
  }

  /** Leaves the last picture on the screen, and ends. */
  [Symbol.dispose](): void {
    this.#clock.clearTimeout(this.#timer);
    this.#removeExitListener();
    this.#region.remove(this.#lines(Infinity).map((line) => `${line}\n`).join(""));
  }

  #draw(): void {
    this.#region.draw(this.#lines(this.#region.size.rows));
    this.#timer = this.#clock.setTimeout(() => this.#draw(), REDRAW_INTERVAL);
  }

  #lines(rows: number): string[] {
    const { title, rows: all, state, ok, ms } = this.#state;
    const { columns } = this.#region.size;
    const { busy, dim, error, good, strong } = this.#style;
    const now = monotonicNow(this.#clock);
    // The newest rows matter most where there is no room for all.
    const shown = all.slice(all.length > rows - 2 ? all.length - Math.max(0, rows - 3) : 0);
    const room = labelColumns(columns) + TIME_COLUMNS;
    const row = (mark: Part, label: string, time: string, note = ""): Part[] => [
      ["  "],
      mark,
      [` ${spread(terminalText(label), time, room)}`],
      ...(note === "" ? [] : [[`  ${terminalText(note)}`, dim] as const]),
    ];
    const last: Part[] = ok === undefined
      ? row(
        [spinner(now), busy],
        state,
        seconds(now - this.#since),
        `${seconds(now - this.#began)} in total`,
      )
      : row(ok ? ["✓", good] : ["✗", error], state, timeOf(ms));
    const lines: Part[][] = [
      [[terminalText(title), strong]],
      ...(shown.length < all.length
        ? [[[`  … ${all.length - shown.length} before`, dim] as const]]
        : []),
      ...shown.map(({ label, ms, ok, note }) =>
        row(
          ok === undefined ? ["·", dim] : ok ? ["✓", good] : ["✗", error],
          label,
          timeOf(ms),
          note,
        )
      ),
      last,
    ];
    return lines.map((parts) => truncateLine(parts, columns - 1));
  }
}

function timeOf(ms: number | undefined): string {
  return ms === undefined ? "" : formatDuration(ms);
}

/** A running time in tenths of a second: more digits would flicker. */
function seconds(ms: number): string {
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : formatDuration(ms);
}
