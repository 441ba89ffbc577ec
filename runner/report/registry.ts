import { isExportConfigured } from "./otel/settings.ts";
import type { ReadEnv, Reporter, ReporterContext } from "./reporter.ts";

/** The module of a reporter. */
export interface ReporterModule {
  /** Opens the reporter for one run. */
  openReporter(context: ReporterContext): Reporter | Promise<Reporter>;
}

/** A reporter as the command line, its help and the docs see it, without its code. */
export interface ReporterEntry {
  /** What it writes, in one line of help. */
  readonly description: string;
  /**
   * Where it writes.
   *
   * - `"lines"`: lines of text, to a file or to standard output, which it can share
   * - `"document"`: one document, to a file or to standard output, which it needs for itself
   * - `"network"`: to a server; it takes no file
   */
  readonly writes: "lines" | "document" | "network";
  /** Whether its file is written during the run, so that a process that is killed leaves it. */
  readonly isStream?: true;
  /** Whether a run without `--reporter` uses it; never, if absent. */
  isDefault?(env: ReadEnv): boolean;
  /** Whether the environment adds it to the reporters of the command line; never, if absent. */
  isAddedBy?(env: ReadEnv): boolean;
  /** The files that it writes besides the one that the command line names. */
  files?(env: ReadEnv): readonly string[];
  /** Loads its code. */
  load(): Promise<ReporterModule>;
}

/** A new reporter is a module that exports `openReporter`, and one line here. */
const ENTRIES = {
  console: {
    description: "lines for people, with a live view on a terminal",
    writes: "lines",
    isDefault: () => true,
    load: () => import("./console/console.ts"),
  },
  ctrf: document("CTRF for dashboards and CI summaries", () => import("./ctrf/ctrf.ts")),
  github: {
    description: "annotations and a job summary in GitHub Actions",
    writes: "lines",
    isDefault: (env) => env("GITHUB_ACTIONS") === "true",
    files: (env) => ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"].flatMap((name) => env(name) || []),
    load: () => import("./github/github.ts"),
  },
  html: document("one page with a timeline of each case", () => import("./html/html.ts")),
  json: document("one document about the run and its cases", () => import("./json/json.ts")),
  jsonl: {
    ...document("the events as they happen, one per line", () => import("./json/jsonl.ts")),
    isStream: true,
  },
  junit: document("JUnit XML for Jenkins, GitLab and others", () => import("./junit/junit.ts")),
  markdown: document(
    "a table of the cases, and the failures",
    () => import("./markdown/markdown.ts"),
  ),
  otel: {
    description: "spans and metrics for an OpenTelemetry collector",
    writes: "network",
    isAddedBy: isExportConfigured,
    load: () => import("./otel/otel.ts"),
  },
  tap: document("TAP 14, with the steps as subtests", () => import("./tap/tap.ts")),
} satisfies Record<string, ReporterEntry>;

/** The name of a reporter. */
export type ReporterName = keyof typeof ENTRIES;

/** The reporters by name. The code of a reporter is loaded when a run uses it. */
export const REPORTERS: Readonly<Record<string, ReporterEntry>> = ENTRIES;

function document(description: string, load: ReporterEntry["load"]): ReporterEntry {
  return { description, writes: "document", load };
}

/** One `--reporter` of the command line: `junit=out.xml`. */
export interface ReporterRequest {
  /** A key of {@linkcode REPORTERS}. */
  name: string;
  /** The file to write; absent for standard output or the network. */
  file?: string;
}

/** Whether a reporter writes a document to standard output, so that nothing else may write there. */
export function needsStandardOutput({ name, file }: ReporterRequest): boolean {
  return file === undefined && REPORTERS[name]!.writes === "document";
}
