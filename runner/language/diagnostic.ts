import type { DiagnosticCode } from "./codes.ts";
import type { Source, Span } from "./source.ts";

/** Something wrong with a recipe, found without running it. */
export interface Diagnostic {
  /** What kind of wrong; `explain CODE` says more. */
  code: DiagnosticCode;
  /** An error keeps everything from running; a warning does not. */
  severity: "error" | "warning";
  /** What is wrong, in one line; code stands in backticks. */
  message: string;
  /** The text it is wrong in. */
  source: Source;
  /** Where in that text. */
  span: Span;
  /** What stands under the source line: a suggestion, mostly. */
  label?: string;
  /** More lines. */
  notes?: string[];
}

/** What a diagnostic says besides its place. */
export interface DiagnosticDetails {
  /** What stands under the source line. */
  label?: string;
  /** More lines. */
  notes?: string[];
}

/** The diagnostics of one source, in the order of the text. */
export class Diagnostics {
  /** The text they are about. */
  readonly source: Source;
  #list: Diagnostic[] = [];
  #seen = new Set<string>();

  /** Starts with none. */
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

  /** Whether there is an error among them. */
  get failed(): boolean {
    return this.#list.some((d) => d.severity === "error");
  }

  /** All of them, by their place; what stands at one place keeps the order it was found in. */
  all(): Diagnostic[] {
    return this.#list.toSorted((a, b) => a.span.start - b.span.start);
  }

  #add(diagnostic: Diagnostic): void {
    // An alias brings one place into a recipe twice.
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

/** What several files say, once: a file that two others use is read for each of them. */
export function distinct(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const byPlace = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) {
    const { source, span, code, message } = diagnostic;
    const key = JSON.stringify([source.name, span.start, code, message]);
    if (!byPlace.has(key)) byPlace.set(key, diagnostic);
  }
  return [...byPlace.values()];
}

/** A message that quotes a long text shows its beginning. */
function cutQuotes(message: string): string {
  if (message.length <= 300) return message;
  return message.replace(/`[^`]{120,}`/g, (quote) => `\`${quote.slice(1, 100)}…\``);
}

/** A recipe that cannot be run as it is written; `diagnostics` say why. */
export class RecipeError extends Error {
  /** Always `"bad_recipe"`. */
  readonly code = "bad_recipe";
  /** All that is wrong. */
  readonly diagnostics: readonly Diagnostic[];

  /** Carries the diagnostics of one or more files. */
  constructor(diagnostics: readonly Diagnostic[]) {
    const errors = diagnostics.filter((d) => d.severity === "error");
    const first = errors[0];
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
    super(first ? `Cannot run recipe '${first.source.name}': ${first.message}${more}` : "");
    this.name = "RecipeError";
    this.diagnostics = diagnostics;
  }
}

/** How diagnostics can be printed. */
export type DiagnosticFormat = "text" | "json" | "github";

/** A diagnostic for tools. Lines and columns are counted from 1; `end_column` is behind the last. */
export interface DiagnosticJson {
  /** What kind of wrong. */
  code: DiagnosticCode;
  /** Whether it keeps the recipe from running. */
  severity: Diagnostic["severity"];
  /** What is wrong. */
  message: string;
  /** A suggestion. */
  label?: string;
  /** The recipe's file. */
  file: string;
  /** Where it begins. */
  line: number;
  /** Where it begins. */
  column: number;
  /** Where it ends. */
  end_line: number;
  /** Where it ends. */
  end_column: number;
  /** Where it is explained. */
  docs: string;
}

/** A diagnostic for tools: what `--format json` prints. */
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
