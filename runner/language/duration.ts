const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Parses a duration such as `250ms`, `10s`, `1.5m` or `1m30s`.
 * @returns The milliseconds, or `undefined` if the text is not a duration.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined;
  let ms = 0;
  for (const [, number, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|s|m|h|d)/g)) {
    ms += Number(number) * UNITS[unit!]!;
  }
  return Number.isFinite(ms) ? Math.round(ms) : undefined;
}

/** Formats milliseconds for people: `12 ms`, `1.20 s`, `3 m 5 s`, `1 h 30 m`, `30 d`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  if (ms < 3_600_000) return inUnits(ms, 60_000, "m", 1000, "s");
  return ms < 86_400_000
    ? inUnits(ms, 3_600_000, "h", 60_000, "m")
    : inUnits(ms, 86_400_000, "d", 3_600_000, "h");
}

/** Formats how long a run took; in virtual time also how long it took in real time. */
export function formatRunTime(ms: number, realMs: number | undefined): string {
  if (realMs === undefined) return formatDuration(ms);
  return `${formatDuration(ms)} of virtual time, ${formatDuration(realMs)} of real time`;
}

/** Formats a duration in two units, without the smaller one where it would be 0. */
function inUnits(ms: number, big: number, bigName: string, small: number, name: string): string {
  const total = Math.round(ms / small);
  const whole = Math.floor(total / (big / small));
  const rest = total % (big / small);
  return rest === 0 ? `${whole} ${bigName}` : `${whole} ${bigName} ${rest} ${name}`;
}
