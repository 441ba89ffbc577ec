import { EvaluationError } from "../expression/expression.ts";
import type { Template } from "../expression/template.ts";
import { parseDuration } from "../language/duration.ts";
import type { Recipe } from "../language/model.ts";
import type { Source, Span } from "../language/source.ts";
import { callSites } from "../events/call_site.ts";
import { InterruptedError } from "../events/deadline.ts";
import type { EventFailure, EventPlace } from "../events/event.ts";
import { StepFailure } from "../events/failure.ts";

/** The place in a recipe's module that an error came from. */
export function spanInModule(error: unknown, { module, source }: Recipe): Span | undefined {
  const site = callSites((error as Error)?.stack).find(({ file }) => file === module);
  if (!site) return undefined;
  const start = source.offset(site.line, site.column);
  return { start, end: start + 1 };
}

/**
 * The milliseconds of a duration that an expression gave.
 * @param template The expression, for the place of what is wrong.
 */
export function toMilliseconds(value: unknown, template?: Template): number {
  const ms = parseDuration(String(value));
  if (ms !== undefined) return ms;
  const span = template?.kind === "expression" ? template.expression.span() : undefined;
  throw new StepFailure("evaluation", `\`${value}\` is no duration`, { span });
}

/** An error as events tell it. */
export function describeError(error: unknown, source: Source, fallback?: Span): EventFailure {
  const place = (span: Span | undefined) =>
    span ? { place: placeOf(source, span) } : fallback ? { place: placeOf(source, fallback) } : {};
  if (error instanceof StepFailure) {
    return {
      kind: error.kind,
      message: error.message,
      lines: [...error.lines],
      ...(error.source && error.span
        ? { place: placeOf(error.source, error.span) }
        : place(error.span)),
    };
  }
  if (error instanceof EvaluationError) {
    return { kind: "evaluation", message: error.message, lines: [], ...place(error.span) };
  }
  const { name = "Error", message = String(error), code } = (error ?? {}) as Partial<Error> & {
    code?: string | number;
  };
  const kind = error instanceof InterruptedError
    ? "interrupted"
    : code === "deadline"
    ? "deadline"
    : name === "ConnectionError" || name === "TimeoutError" || name === "AuthError"
    ? "connection"
    : typeof code === "number"
    ? "server"
    : "thrown";
  // The code of an ended time is its kind once more.
  const own = code === undefined || kind === "deadline" ? {} : { code };
  return { kind, message, ...own, lines: [], ...place(undefined) };
}

/** A span as events tell it. */
export function placeOf(source: Source, span: Span): EventPlace {
  const { line, column } = source.position(span.start);
  const text = source.line(line);
  const length = Math.max(1, Math.min(span.end - span.start, text.length - column + 1));
  return { file: source.name, line, column, text, length };
}
