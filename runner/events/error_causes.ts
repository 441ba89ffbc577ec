import { inspectLine } from "../expression/inspect.ts";
import { StepFailure } from "./failure.ts";

/** How deep causes of causes are described. */
const MAX_DEPTH = 5;
/** How many of the errors of an `AggregateError` are described. */
const MAX_ERRORS = 10;
/** How many lines are returned. */
const MAX_LINES = 50;
/** The length of a message, in characters. */
const MAX_LENGTH = 1000;

/**
 * Describes the causes of an error, as lines of a message: its `cause`, and its `errors` if it is
 * an `AggregateError`, with their own causes indented below them.
 */
export function causeLines(error: unknown): string[] {
  const lines: string[] = [];
  describe(error, "", [], lines);
  const rest = lines.length - MAX_LINES;
  return rest > 0 ? [...lines.slice(0, MAX_LINES), `… ${rest} more lines`] : lines;
}

function describe(
  error: unknown,
  indent: string,
  around: readonly unknown[],
  lines: string[],
): void {
  if (typeof error !== "object" || error === null || lines.length > MAX_LINES) return;
  const path = [...around, error];
  const isDeep = path.length > MAX_DEPTH;
  const cause = field(error, "cause");
  if (cause !== undefined && !(isKnown(error, cause) && field(cause, "cause") === undefined)) {
    lines.push(`${indent}caused by: ${path.includes(cause) ? "[circular]" : titleOf(cause)}`);
    if (isDeep) lines.push(`${indent}  …`);
    else if (!path.includes(cause)) describe(cause, `${indent}  `, path, lines);
  }
  const errors = field(error, "errors");
  if (!Array.isArray(errors)) return;
  for (const one of errors.slice(0, MAX_ERRORS)) {
    lines.push(`${indent}- ${path.includes(one) ? "[circular]" : titleOf(one)}`);
    if (!isDeep && !path.includes(one)) describe(one, `${indent}  `, path, lines);
  }
  const rest = errors.length - MAX_ERRORS;
  if (rest > 0) lines.push(`${indent}- … and ${rest} more`);
}

/** Returns whether the message of an error already contains that of its cause. */
function isKnown(error: object, cause: unknown): boolean {
  const inner = typeof cause === "object" && cause !== null ? field(cause, "message") : cause;
  const outer = field(error, "message");
  return typeof outer === "string" && typeof inner === "string" && outer.includes(inner);
}

/** Returns the name and the message of an error in one line, and any other value as JSON. */
function titleOf(error: unknown): string {
  if (!(error instanceof Error)) return cut(inspectLine(error));
  const message = String(field(error, "message") ?? "");
  const name = String(field(error, "name") ?? "Error");
  if (error instanceof StepFailure || name === "Error") return cut(message || "Error");
  return cut(message === "" ? name : `${name}: ${message}`);
}

function cut(text: string): string {
  const line = text.replace(/\s*\n\s*/g, " ");
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line;
}

/** Reads a field of an object that may be a getter that throws. */
function field(value: unknown, name: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[name];
  } catch (error) {
    return `[${name} threw ${(error as Error)?.message}]`;
  }
}
