import { durationText } from "../report/html/labels.ts";
import type { CheckVerdict, RunBar } from "../health/model.ts";

/** The sizes of the picture of a check's last runs, in pixels. */
const [BAR, GAP, HEIGHT] = [4, 1, 28];

/** How many runs it has room for. */
const ROOM = 60;

/** The lowest bar, so that the shortest run is seen. */
const LOWEST = 5;

/**
 * Draws the last runs of a check: the height is how long a run took, the color how it ended. All bars of
 * a color are one path, so that a thousand pictures stay cheap.
 */
export function runBars(bars: readonly RunBar[]): string {
  const shown = bars.slice(-ROOM);
  const longest = Math.max(1, ...shown.map(({ duration_ms }) => duration_ms));
  const paths = new Map<CheckVerdict, string>();
  for (const [i, { verdict, duration_ms }] of shown.entries()) {
    const x = (ROOM - shown.length + i) * (BAR + GAP);
    const part = Math.sqrt(duration_ms / longest);
    const height = verdict === "passed" ? Math.round(LOWEST + part * (HEIGHT - LOWEST)) : HEIGHT;
    const bar = `M${x} ${HEIGHT}v-${height}h${BAR}v${height}z`;
    paths.set(verdict, (paths.get(verdict) ?? "") + bar);
  }
  const width = ROOM * (BAR + GAP);
  const drawn = [...paths].map(([verdict, d]) => `<path class="is-${verdict}" d="${d}"/>`).join("");
  return `<svg class="bars" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}"` +
    ` role="img" aria-label="${barsText(shown)}">${drawn}</svg>`;
}

/** What the picture shows, for those who do not see it. */
function barsText(bars: readonly RunBar[]): string {
  if (bars.length === 0) return "no runs yet";
  const failed = bars.filter(({ verdict }) => verdict !== "passed").length;
  return `${bars.length} runs, ${failed} of them not passed`;
}

/** The size of the picture of durations, in pixels. */
const [WIDTH, TALL, LEFT] = [720, 140, 56];

/** Draws how long runs took: a dot for each run, with a scale on the left. */
export function latencyPicture(bars: readonly RunBar[]): string {
  if (bars.length === 0) return "";
  const longest = Math.max(1, ...bars.map(({ duration_ms }) => duration_ms));
  const [first, last] = [bars[0]!.at, bars.at(-1)!.at];
  const x = (at: number) =>
    LEFT + 4 + (at - first) / Math.max(1, last - first) * (WIDTH - LEFT - 8);
  const y = (ms: number) => TALL - 8 - ms / longest * (TALL - 24);
  const dots = bars.map(({ at, verdict, duration_ms }) =>
    `<circle class="is-${verdict}" cx="${round(x(at))}" cy="${round(y(duration_ms))}" r="3"/>`
  ).join("");
  const marks = [0, longest / 2, longest].map((ms) =>
    `<path class="grid" d="M${LEFT} ${round(y(ms))}H${WIDTH}"/>` +
    `<text x="${LEFT - 6}" y="${round(y(ms)) + 4}">${durationText(ms)}</text>`
  ).join("");
  return `<svg class="latency" viewBox="0 0 ${WIDTH} ${TALL}" role="img"` +
    ` aria-label="how long each of the last ${bars.length} runs took">${marks}${dots}</svg>`;
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}
