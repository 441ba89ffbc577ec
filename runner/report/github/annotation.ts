/** An annotation of GitHub Actions, shown beside the line that it is about. */
export interface Annotation {
  /** How bad it is. */
  level: "error" | "warning" | "notice";
  /** Its heading. */
  title: string;
  /** What it says; may have several lines. */
  message: string;
  /** The file, from the root of the repository. */
  file?: string;
  /** The line, from 1. */
  line?: number;
  /** The character in the line, from 1. */
  column?: number;
  /** The character behind the last one that is meant. */
  endColumn?: number;
}

/** An annotation as a workflow command: one line of output. */
export function annotationCommand(annotation: Annotation): string {
  const { level, title, message, file, line, column, endColumn } = annotation;
  const properties = { file, line, col: column, endColumn, title };
  const given = Object.entries(properties).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${escapeProperty(String(value))}`]
  );
  return `::${level} ${given.join(",")}::${escapeData(message)}`;
}

/**
 * A file as GitHub finds it: its path from the root of the repository, with slashes.
 * @param directory The working directory, in which `file` was given.
 * @param workspace Where the repository is checked out, `GITHUB_WORKSPACE`; the working directory
 * when it is not known, or when the file is elsewhere.
 */
export function pathInRepository(
  file: string,
  directory: string,
  workspace: string | undefined,
): string {
  const whole = isAbsolute(file) ? normalize(file) : normalize(`${directory}/${file}`);
  const roots = [workspace, directory].filter((root) => root !== undefined && root !== "");
  for (const root of roots) {
    const start = `${normalize(root!).replace(/\/$/, "")}/`;
    if (whole.startsWith(start)) return whole.slice(start.length);
  }
  return isAbsolute(file) ? whole : normalize(file);
}

function isAbsolute(path: string): boolean {
  return /^([/\\]|[A-Za-z]:[/\\])/.test(path);
}

/** Slashes one way, and no `.` or `..` that can be resolved. */
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
