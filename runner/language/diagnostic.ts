import type { DiagnosticCode } from "./codes.ts";
import type { Source, Span } from "./source.ts";

/** A problem with a recipe, found without running it. */
export interface Diagnostic {
  /** The kind of problem; `explain CODE` explains it. */
  code: DiagnosticCode;
  /** With an error nothing is run; with warnings the recipe runs. */
  severity: "error" | "warning";
  /** The problem, in one line. Code is in backticks. */
  message: string;
  /** The text that has the problem. */
  source: Source;
  /** The range of the text to mark. */
  span: Span;
  /** A hint that is shown beside the mark, such as a suggestion. */
  label?: string;
  /** Lines that are shown below the source line. */
  notes?: string[];
}

/** The optional parts of a diagnostic. */
export type DiagnosticDetails = Pick<Diagnostic, "label" | "notes">;

/** Collects the diagnostics of one source. */
export class Diagnostics {
  /** The text that the diagnostics are about. */
  readonly source: Source;
  #list: Diagnostic[] = [];
  #seen = new Set<string>();

  /** Creates an empty collection. */
  constructor(source: Source) {
    this.source = source;
  }

  /** Adds an error. */
  error(code: DiagnosticCode, span: Span, message: string, details?: DiagnosticDetails): void {
    this.#add({ code, severity: "error", message, source: this.source, span, ...details });
  }

  /** Adds a warning. */
  warning(code: DiagnosticCode, span: Span, message: string, details?: DiagnosticDetails): void {
    this.#add({ code, severity: "warning", message, source: this.source, span, ...details });
  }

  /** Whether there is an error. */
  get failed(): boolean {
    return this.#list.some((d) => d.severity === "error");
  }

  /** All diagnostics in source order; those at the same place in the order they were added. */
  all(): Diagnostic[] {
    return this.#list.toSorted((a, b) => a.span.start - b.span.start);
  }

  #add(diagnostic: Diagnostic): void {
    // The same text is read twice where an alias refers to it.
    const key = `${diagnostic.code} ${diagnostic.span.start} ${diagnostic.message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const { message, label } = diagnostic;
    this.#list.push({
      ...diagnostic,
      message: cutQuotes(message),
      ...(label === undefined ? {} : { label: cutQuotes(label) }),
    });
  }
}

/** Removes duplicates: a file that two others use is read, and reported, for each of them. */
export function distinct(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const byPlace = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) {
    const { source, span, code, message } = diagnostic;
    const key = JSON.stringify([source.name, span.start, code, message]);
    if (!byPlace.has(key)) byPlace.set(key, diagnostic);
  }
  return [...byPlace.values()];
}

/** Cuts long quotations in a message. */
function cutQuotes(message: string): string {
  if (message.length <= 300) return message;
  return message.replace(/`[^`]{120,}`/g, (quote) => `\`${quote.slice(1, 100)}…\``);
}

/** The formats that diagnostics can be printed in. */
export type DiagnosticFormat = "text" | "json" | "github";

/** A diagnostic as JSON. Lines and columns are counted from 1, and `end_column` is exclusive. */
export interface DiagnosticJson {
  /** The kind of problem. */
  code: DiagnosticCode;
  /** Whether it prevents the recipe from running. */
  severity: Diagnostic["severity"];
  /** The problem, in one line. */
  message: string;
  /** A hint, such as a suggestion. */
  label?: string;
  /** The recipe's file. */
  file: string;
  /** The line it begins on. */
  line: number;
  /** The column it begins at. */
  column: number;
  /** The line it ends on. */
  end_line: number;
  /** The column after its last character. */
  end_column: number;
  /** The section of the docs that explains it. */
  docs: string;
}

/** Converts a diagnostic to what `--format json` prints. */
export function diagnosticJson({ source, span, ...rest }: Diagnostic): DiagnosticJson {
  const start = source.position(span.start);
  const end = source.position(Math.max(span.start, span.end));
  return {
    code: rest.code,
    severity: rest.severity,
    message: rest.message,
    ...(rest.label === undefined ? {} : { label: rest.label }),
    file: source.name,
    line: start.line,
    column: start.column,
    end_line: end.line,
    end_column: end.column,
    docs: `docs/recipes.md#${rest.code}`,
  };
}
