import { callSites } from "../events/call_site.ts";
import { InterruptedError } from "../events/deadline.ts";
import { causeLines } from "../events/error_causes.ts";
import type { EventFailure, EventPlace, FailureKind } from "../events/event.ts";
import { StepFailure } from "../events/failure.ts";
import { EvaluationError } from "../expression/expression.ts";
import { type Template, templateSpan } from "../expression/template.ts";
import { parseDuration } from "../language/duration.ts";
import type { Recipe } from "../language/model.ts";
import type { Source, Span } from "../language/source.ts";

/** Returns the place in a TypeScript recipe's module where an error was thrown. */
export function spanInModule(error: unknown, { module, source }: Recipe): Span | undefined {
  const site = callSites((error as Error)?.stack).find(({ file }) => file === module);
  if (!site) return undefined;
  const start = source.offset(site.line, site.column);
  return { start, end: start + 1 };
}

/**
 * Parses the duration that a template has resolved to.
 *
 * @param template The template, whose place an error shows.
 * @returns Milliseconds.
 */
export function toMilliseconds(value: unknown, template: Template): number {
  const ms = parseDuration(String(value));
  if (ms !== undefined) return ms;
  throw new StepFailure("evaluation", `\`${value}\` is not a duration`, {
    span: templateSpan(template),
  });
}

/**
 * Returns an error as events describe it.
 *
 * @param fallback The place of an error that does not have one.
 */
export function describeError(error: unknown, source: Source, fallback?: Span): EventFailure {
  const place = (span = fallback) => span ? { place: placeOf(source, span) } : {};
  if (error instanceof StepFailure) {
    const { kind, message, lines, span } = error;
    const isElsewhere = error.source && span;
    return {
      kind,
      message,
      lines: [...lines],
      ...(isElsewhere ? { place: placeOf(error.source, span) } : place(span)),
    };
  }
  if (error instanceof EvaluationError) {
    return { kind: "evaluation", message: error.message, lines: [], ...place(error.span) };
  }
  const { name, message = String(error), code, stack } = (error ?? {}) as Partial<ErrorWithCode>;
  const kind = kindOfError(error);
  // `deadline` as a code would only repeat the kind.
  const ownCode = code === undefined || kind === "deadline" ? {} : { code };
  const { hints = [] } = (error ?? {}) as { hints?: readonly string[] };
  const lines = [...causeLines(error), ...hints];
  if (kind === "thrown" && fallback === undefined) {
    const [site] = callSites(stack);
    if (site) lines.unshift(`at ${site.file}:${site.line}:${site.column}`);
  }
  // Bun's `Promise.any` rejects with an error without a message.
  return { kind, message: message || name || "Error", ...ownCode, lines, ...place() };
}

type ErrorWithCode = Error & { code: string | number };

function kindOfError(error: unknown): FailureKind {
  const { name, code } = (error ?? {}) as Partial<ErrorWithCode>;
  if (error instanceof InterruptedError) return "interrupted";
  if (code === "deadline") return "deadline";
  if (["ConnectionError", "TimeoutError", "AuthError"].includes(name!)) return "connection";
  return typeof code === "number" ? "server" : "thrown";
}

/** Returns a span as events describe it. */
export function placeOf(source: Source, span: Span): EventPlace {
  const { line, column } = source.position(span.start);
  const text = source.line(line);
  const length = Math.max(1, Math.min(span.end - span.start, text.length - column + 1));
  return { file: source.name, line, column, text, length };
}
