import { durationText } from "../labels.ts";

/** A mark on a time axis. */
export interface Tick {
  /** The time, in milliseconds after the start of the axis. */
  at: number;
  /** Its label. */
  label: string;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 10, 100].flatMap((unit) => [unit, 2 * unit, 5 * unit]),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 30, 90, 365].map((n) => n * DAY),
];

/** Makes ticks at round times from 0 to `length`, about `maxTicks` at most. */
export function makeTicks(length: number, maxTicks: number): Tick[] {
  const step = STEPS.find((step) => length / step <= maxTicks) ?? Math.ceil(length / maxTicks);
  const ticks: Tick[] = [];
  for (let at = 0; at <= length; at += step) ticks.push({ at, label: tickLabel(at) });
  return ticks;
}

function tickLabel(ms: number): string {
  if (ms === 0) return "0";
  if (ms < SECOND || ms >= MINUTE) return durationText(ms);
  return `${ms / SECOND} s`;
}
