import { currentDirectory } from "../../runtime/process.ts";
import { isEmbedded } from "../../runtime/embedded.ts";
import { type CallSite, callSites, pathOf } from "../events/call_site.ts";
import { causeLines } from "../events/error_causes.ts";
import type { Diagnostic } from "../language/diagnostic.ts";
import type { Source } from "../language/source.ts";

/** Describes why a recipe's module could not be loaded. */
export function moduleDiagnostic(error: Error, source: Source, module: string): Diagnostic {
  const site = placeOfError(error);
  const message = `cannot load the recipe's module: ${firstLine(error)}`;
  const isElsewhere = site !== undefined && site.file !== module;
  const start = site && !isElsewhere
    ? source.offset(site.line, site.column)
    : offsetOfName(error.message, source.text);
  const notes = [
    ...(isElsewhere ? [`at ${relativePath(site.file)}:${site.line}:${site.column}`] : []),
    ...causeLines(error),
    ...[missingPackageHint(error)].filter((hint) => hint !== undefined),
  ];
  return {
    code: "module",
    severity: "error",
    message,
    source,
    span: { start, end: start + 1 },
    ...(notes.length === 0 ? {} : { notes }),
  };
}

/**
 * Returns the first line of an error's message, without a place, which is shown separately, and
 * without the module of the runner that imports the file and the number of its version.
 */
export function firstLine(error: Error): string {
  return mainError(error).message.split("\n")[0]!.replace(/ at file:\/\/\S+:\d+:\d+$/, "")
    .replace(/ imported from (\S+)$/, (all, file) => isLoader(file) ? "" : all)
    .replace(/\?version=\d+(?=["'.]*$)/, "");
}

/** Whether a module is the one that imports users' files. */
function isLoader(file: string): boolean {
  return isEmbedded(file) || /[\\/](?:load_workload|load_script)\.[jt]s$/.test(file);
}

/**
 * Returns what to do if a file imports this package, and Deno does not find it: a command that is
 * installed globally has no import map of its own, and does not read that of a project.
 */
export function missingPackageHint(error: Error): string | undefined {
  const [, name] = /^Import "(@dispatch\/sdk[\w/]*)" not a dependency/.exec(error.message) ?? [];
  if (name === undefined) return undefined;
  return `write \`jsr:${name}\`; or add jsr:@dispatch/sdk to the project's deno.json, and call its ` +
    "command there with `deno run -A jsr:@dispatch/sdk/cli`";
}

/** Returns where an error was thrown, or where a module has a syntax error. */
export function placeOfError(thrown: Error): CallSite | undefined {
  const error = mainError(thrown);
  const { position } = error as { position?: { file?: unknown; line?: unknown; column?: unknown } };
  if (typeof position?.file === "string" && typeof position.line === "number") {
    // For a syntax error, Bun sets this and no stack.
    return {
      file: pathOf(position.file),
      line: position.line,
      column: Number(position.column) || 1,
    };
  }
  return headerSite(error.stack) ?? callSites(error.stack)[0];
}

/** Returns the first of several syntax errors, which Bun puts into one error without a place. */
function mainError(error: Error): Error {
  const [first] = Array.isArray((error as AggregateError).errors)
    ? (error as AggregateError).errors
    : [];
  return first?.position ? first : error;
}

/**
 * Returns the place in the header of a stack. Node writes the path and line of a syntax error above
 * the message, then some lines of the file, and `^` below the column.
 */
function headerSite(stack: string | undefined): CallSite | undefined {
  const lines = (stack ?? "").split("\n");
  const [, address, line] = /^((?:file:\/\/|\/|[A-Za-z]:[\\/]).*):(\d+)$/.exec(lines[0]!) ?? [];
  const marks = lines.find((text, i) => i > 0 && /^\s*\^+\s*$/.test(text));
  if (address === undefined || marks === undefined) return undefined;
  return { file: pathOf(address), line: Number(line), column: marks.indexOf("^") + 1 };
}

/**
 * Finds a name that the message quotes, such as a missing module's, in the text. Returns its offset,
 * or 0 if the text does not contain it.
 */
function offsetOfName(message: string, text: string): number {
  for (const [, quoted] of message.matchAll(/["'`]([^"'`]+)["'`]/g)) {
    const path = pathOf(quoted!);
    // An import names a file relative to the module.
    const name = path.startsWith("/") ? path.slice(path.lastIndexOf("/")) : path;
    const at = text.indexOf(name);
    if (at !== -1) return at;
  }
  return 0;
}

/** Returns a path relative to the working directory, if it is inside. */
export function relativePath(file: string): string {
  const directory = `${currentDirectory()}/`;
  return file.startsWith(directory) ? file.slice(directory.length) : file;
}
