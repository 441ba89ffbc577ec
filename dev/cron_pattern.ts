import { suggest } from "../runtime/suggest.ts";
import { parseDuration } from "./duration.ts";

interface Field {
  what: string;
  min: number;
  max: number;
  names?: readonly string[];
}

const SECOND: Field = { what: "second", min: 0, max: 59 };
const MONTH_NAMES = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const DAY_NAMES = "SUN MON TUE WED THU FRI SAT".split(" ");
const FIELDS: readonly Field[] = [
  { what: "minute", min: 0, max: 59 },
  { what: "hour", min: 0, max: 23 },
  { what: "day of the month", min: 1, max: 31 },
  { what: "month", min: 1, max: 12, names: MONTH_NAMES },
  { what: "day of the week", min: 0, max: 7, names: DAY_NAMES },
];
const YEAR: Field = { what: "year", min: 1, max: 9999 };
const NICKNAMES = ["yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly"];
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Validates a cron pattern without the library that interprets it, which takes time to load.
 * @returns What is wrong with it, or `undefined` if it is valid.
 */
export function cronPatternProblem(pattern: string): string | undefined {
  const text = pattern.trim();
  if (text.startsWith("@")) return nicknameProblem(text);
  const parts = text.split(/\s+/);
  if (parts.length < 5 || parts.length > 7) {
    const found = text === "" ? 0 : parts.length;
    return `it has ${found} fields, but needs 5: minute, hour, day of the month, month, ` +
      "day of the week";
  }
  const fields = [...FIELDS];
  if (parts.length > 5) fields.unshift(SECOND);
  if (parts.length > 6) fields.push(YEAR);
  for (const [index, field] of fields.entries()) {
    const problem = fieldProblem(parts[index]!, field);
    if (problem !== undefined) return problem;
  }
  const [day, month, weekday] = parts.slice(parts.length > 5 ? 3 : 2);
  return neverFires(day!, month!, weekday!) ? "there is no such day in any year" : undefined;
}

/** Returns the interval of `@every 30s` in milliseconds, or `undefined` for other patterns. */
export function intervalOf(pattern: string): number | undefined {
  const every = /^@every\s+(.+)$/.exec(pattern.trim());
  // Go's scheduler rounds down to whole seconds, and to at least one.
  return every ? Math.max(1000, Math.floor(parseDuration(every[1]!) / 1000) * 1000) : undefined;
}

function nicknameProblem(text: string): string | undefined {
  if (/^@every(?:\s|$)/.test(text)) {
    try {
      return intervalOf(text) === undefined
        ? "it names no interval; write '@every 30s'"
        : undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }
  const name = text.slice(1).toLowerCase();
  if (NICKNAMES.includes(name)) return undefined;
  const nearest = suggest(name, NICKNAMES);
  const hint = nearest === undefined
    ? `there are @every, ${NICKNAMES.map((each) => `@${each}`).join(", ")}`
    : `did you mean '@${nearest}'?`;
  return `there is no '${text}'; ${hint}`;
}

function fieldProblem(text: string, field: Field): string | undefined {
  // Days such as `L`, `15W` and `5#2` are left to the library.
  if (field.what.startsWith("day") && /[LW#+]/i.test(text.replaceAll(/[a-z]{3}/gi, ""))) {
    return undefined;
  }
  for (const item of text.split(",")) {
    const problem = itemProblem(item, field);
    if (problem !== undefined) return `the ${field.what} '${text}' is not valid: ${problem}`;
  }
}

function itemProblem(item: string, field: Field): string | undefined {
  const [range = "", step, ...rest] = item.split("/");
  if (rest.length > 0) return `'${item}' has two steps`;
  if (step !== undefined && !isBetween(step, 1, field.max - field.min + 1)) {
    return `the step must be from 1 to ${field.max - field.min + 1}, not '${step}'`;
  }
  if (range === "*" || range === "?") return undefined;
  const bounds = range.split("-");
  if (bounds.length > 2) return `'${range}' is not a range`;
  for (const bound of bounds) {
    if (numberOf(bound, field) === undefined) return boundProblem(bound, field);
  }
  if (step !== undefined && bounds.length === 1) {
    return `a step needs '*' or a range before it, such as '${range}-${field.max}/${step}'`;
  }
  const [from, to] = bounds.map((bound) => numberOf(bound, field)!);
  return to !== undefined && from! > to ? `${bounds[0]} comes after ${bounds[1]}` : undefined;
}

function boundProblem(bound: string, { min, max, names }: Field): string {
  const nearest = names && suggest(bound, names);
  if (nearest !== undefined) return `did you mean '${nearest}' instead of '${bound}'?`;
  const also = names ? `, or ${names[0]} to ${names.at(-1)}` : "";
  return `it must be from ${min} to ${max}${also}, not '${bound}'`;
}

function numberOf(text: string, { min, max, names }: Field): number | undefined {
  const named = names?.indexOf(text.toUpperCase()) ?? -1;
  if (named >= 0) return named + min;
  return isBetween(text, min, max) ? Number(text) : undefined;
}

function isBetween(text: string, min: number, max: number): boolean {
  return /^\d{1,4}$/.test(text) && Number(text) >= min && Number(text) <= max;
}

/** Whether a pattern wants a day that its months do not have, such as February 30. */
function neverFires(day: string, month: string, weekday: string): boolean {
  if (!/^[*?]$/.test(weekday) || !/^[\d,]+$/.test(day) || !/^[\d,]+$/.test(month)) return false;
  const longest = Math.max(...month.split(",").map((each) => LONGEST_MONTHS[Number(each) - 1]!));
  return day.split(",").every((each) => Number(each) > longest);
}
