import { resolvedPath } from "../../../runtime/file.ts";

/** An annotation of GitHub Actions, which GitHub shows beside a line of a file. */
export interface Annotation {
  /** The severity. */
  level: "error" | "warning" | "notice";
  /** The heading. */
  title: string;
  /** The text, in one or more lines. */
  message: string;
  /** The path of the file, relative to the root of the repository. */
  file?: string;
  /** The line, from 1. */
  line?: number;
  /** The first character of the marked part, from 1. */
  column?: number;
  /** The character after the marked part. */
  endColumn?: number;
}

/** Formats an annotation as a workflow command: one line that GitHub's runner finds in the log. */
export function workflowCommand(annotation: Annotation): string {
  const { level, title, message, file, line, column, endColumn } = annotation;
  const properties = { file, line, col: column, endColumn, title };
  const present = Object.entries(properties).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${escapeProperty(String(value))}`]
  );
  return `::${level} ${present.join(",")}::${escapeData(message)}`;
}

/**
 * The path of a file relative to the root of the repository, with slashes, as annotations need it.
 *
 * @param directory The working directory, to which `file` is relative.
 * @param workspace The root of the checkout, from `GITHUB_WORKSPACE`. Without it, or for a file
 * outside of it, the path is relative to the working directory.
 */
export function pathInRepository(
  file: string,
  directory: string,
  workspace: string | undefined,
): string {
  const absolute = isAbsolute(file) ? normalize(file) : normalize(`${directory}/${file}`);
  // The checkout can be reached through a link, and the working directory is without links.
  for (const root of [workspace, resolved(workspace), directory]) {
    if (root === undefined || root === "") continue;
    const prefix = `${normalize(root).replace(/\/$/, "")}/`;
    const inside = [absolute, resolved(absolute)].find((path) => path?.startsWith(prefix));
    if (inside !== undefined) return inside.slice(prefix.length);
  }
  return isAbsolute(file) ? absolute : normalize(file);
}

function resolved(path: string | undefined): string | undefined {
  return path ? resolvedPath(path)?.replaceAll("\\", "/") : undefined;
}

function isAbsolute(path: string): boolean {
  return /^([/\\]|[A-Za-z]:[/\\])/.test(path);
}

/** Converts backslashes to slashes and resolves `.` and `..`. */
function normalize(path: string): string {
  const parts: string[] = [];
  for (const [i, part] of path.split(/[/\\]/).entries()) {
    if (part === "." || part === "" && i > 0) continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}

function escapeData(text: string): string {
  return text.replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replace(/:/g, "%3A").replace(/,/g, "%2C");
}
