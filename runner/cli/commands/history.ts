import type { Clock } from "../../../runtime/clock.ts";
import { type CaseKey, fileKey } from "../../history/case_key.ts";
import { HistoryError } from "../../history/error.ts";
import type { RecordedCheck } from "../../health/recorded_checks.ts";
import { HistoryStore, RUNS_PER_CASE, type StoredRun } from "../../history/store.ts";
import { sparkline, summarize } from "../../history/summary.ts";
import { formatDuration } from "../../language/duration.ts";
import { printable } from "../../language/render_diagnostic.ts";
import type { Output } from "../../report/reporter.ts";
import { safeJson } from "../../report/safe_text.ts";
import { makeStyle } from "../../report/terminal.ts";
import { UsageError } from "../args.ts";
import { type Command, NOTHING_TO_DO } from "../command.ts";
import { historyPath } from "../open_history.ts";

/** The history file when neither `--history` nor `DISPATCH_HISTORY` names one. */
const DEFAULT_FILE = ".dispatch/history.db";
/** How many runs of a case are listed. */
const LISTED_RUNS = 20;

/** A case with its runs, newest first. */
interface CaseRuns {
  key: CaseKey;
  runs: StoredRun[];
  /** Whether to list each run, not only the summary. */
  isDetailed: boolean;
}

/** `history`: lists recorded runs. */
export const history: Command = {
  usage: "history [file | directory | name]…",
  description: "List the runs that --history recorded, by case, and the uptime of checks.",
  examples: (program) => [
    `${program} history --history history.db`,
    `${program} history recipes/ --history history.db --format json`,
  ],
  options: {
    history: {
      value: "FILE",
      description: `The history file. Default: DISPATCH_HISTORY, or ${DEFAULT_FILE}.`,
    },
    case: { value: "NAME", repeat: true, description: "Only cases with this name; list each run." },
    format: {
      value: "FORMAT",
      choices: ["text", "json"],
      description: "How to list cases: text, or json (one per line).",
    },
  },
  details: `
The height of a bar is the duration of a run, newest on the right; ✗ is a run
that did not pass.
Exit codes: 0 listed; 2 the history does not exist or cannot be read;
4 no matching case.
`,
  async run(args, { out, err, env, clock }) {
    const { format = "text" } = args.values;
    if (format !== "text" && format !== "json") {
      throw new UsageError(`--format must be text or json, not '${format}'`);
    }
    const path = historyPath(args, env) ?? DEFAULT_FILE;
    const cases = await readCases(path, clock, args.positional, args.lists.case ?? []);
    for (const one of cases) {
      if (format === "json") out.write(`${safeJson(toJson(one))}\n`);
      else out.write(toText(one, out), "styled");
    }
    const { recordedChecks } = await import("../../health/recorded_checks.ts");
    const matches = matcher(args.positional, args.lists.case ?? []);
    const checks = await recordedChecks(path, clock, matches, LISTED_RUNS);
    for (const one of checks) {
      if (format === "json") out.write(`${safeJson(checkJson(one))}\n`);
      else out.write(checkText(one, out), "styled");
    }
    if (cases.length + checks.length > 0) return 0;
    err.write(`Nothing to list: no matching case in '${path}'\n`);
    return NOTHING_TO_DO;
  },
};

/**
 * Reads the cases that match the command line.
 *
 * @param words Files, directories, or parts of case names.
 * @param names Parts of case names.
 */
async function readCases(
  path: string,
  clock: Clock,
  words: readonly string[],
  names: readonly string[],
): Promise<CaseRuns[]> {
  let store: HistoryStore | undefined;
  try {
    store = await HistoryStore.open(path, { create: false, clock, warn: () => {} });
    const cases: CaseRuns[] = [];
    for (const key of store.cases().filter(matcher(words, names))) {
      const matchesFile = words.some((word) => isInside(key.file, fileKey(word)));
      const isDetailed = names.length > 0 || (words.length > 0 && !matchesFile);
      const runs = store.runs(key, RUNS_PER_CASE);
      if (runs.length > 0) cases.push({ key, runs, isDetailed });
    }
    return cases;
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    const hint = error.code === "missing" ? "; a run with --history creates it" : "";
    throw new UsageError(`${error.message}${hint}`);
  } finally {
    store?.close();
  }
}

/** Whether a case or a check matches the command line. */
function matcher(words: readonly string[], names: readonly string[]): (key: CaseKey) => boolean {
  return (key) => {
    const isNamed = (word: string) => isInside(key.file, fileKey(word)) || matchesName(key, word);
    if (words.length > 0 && !words.some(isNamed)) return false;
    return names.length === 0 || names.some((name) => matchesName(key, name));
  };
}

/** A check as JSON, whose `figures` tell it from a case. */
function checkJson({ check, figures: { day, week, quarter }, bars, incident }: RecordedCheck) {
  return {
    ...{ server: check.server, file: check.file, name: check.name, check: check.id },
    figures: { "24h": day, "7d": week, "90d": quarter },
    recent: bars.toReversed().map(({ at, verdict, duration_ms }) => ({
      at: new Date(at).toISOString(),
      ...{ status: verdict, duration_ms },
    })),
    ...(incident ? { failing_since: new Date(incident.since).toISOString() } : {}),
  };
}

function checkText({ check, figures, bars, incident }: RecordedCheck, out: Output): string {
  const style = makeStyle(out.color);
  const { day, week, quarter } = figures;
  const periods = [["24 h", day], ["7 d", week], ["90 d", quarter]] as const;
  const uptime = periods.map(([name, { uptime: share }]) =>
    `${share === undefined ? "–" : formatShare(share)} in ${name}`
  );
  const times = [day, week, quarter].find(({ p50_ms }) => p50_ms !== undefined);
  const parts = [
    `uptime ${uptime.join(", ")}`,
    times ? `p50 ${formatDuration(times.p50_ms!)}, p95 ${formatDuration(times.p95_ms!)}` : "",
    incident
      ? style.error(`alert since ${formatTime(new Date(incident.since).toISOString())}`)
      : "",
  ];
  const line = sparkline(
    bars.toReversed().map(({ verdict, duration_ms }) => ({ status: verdict, duration_ms })),
  );
  const where = `${check.file} on ${check.server}, check ${check.id}`;
  return `${style.strong(printable(check.name))}  ${style.dim(printable(where))}\n  ${line}  ${
    parts.filter((part) => part !== "").join("; ")
  }\n`;
}

/** `99.95 %`. What is not all of it never looks like 100 %. */
function formatShare(share: number): string {
  return `${share === 1 ? "100" : Math.min(99.99, share * 100).toFixed(2)} %`;
}

function matchesName(key: CaseKey, name: string): boolean {
  return key.name.toLowerCase().includes(name.toLowerCase());
}

function isInside(file: string, wanted: string): boolean {
  return wanted === "" || file === wanted || file.startsWith(`${wanted}/`);
}

function toJson({ key, runs, isDetailed }: CaseRuns): unknown {
  const recent = runs.slice(0, isDetailed ? RUNS_PER_CASE : LISTED_RUNS)
    .map(({ at, steps, ...run }) => ({
      at: new Date(at).toISOString(),
      ...run,
      ...(isDetailed ? { steps } : {}),
    }));
  return { ...summarize(key, runs), recent };
}

function toText({ key, runs, isDetailed }: CaseRuns, out: Output): string {
  const style = makeStyle(out.color);
  const { passed, failed, flaky, median_ms, last } = summarize(key, runs);
  const counts = [
    `${runs.length} ${runs.length === 1 ? "run" : "runs"}`,
    style.good(`${passed} passed`),
    failed > 0 ? style.error(`${failed} failed`) : "",
    flaky > 0 ? style.warning(`${flaky} flaky`) : "",
    median_ms === undefined ? "" : `median ${formatDuration(median_ms)}`,
    `last ${last.status} ${formatTime(last.at)}`,
  ];
  const lines = [
    `${style.strong(printable(key.name))}  ${style.dim(printable(`${key.file} on ${key.server}`))}`,
    `  ${sparkline(runs.slice(0, LISTED_RUNS))}  ${
      counts.filter((part) => part !== "").join(", ")
    }`,
  ];
  for (const run of isDetailed ? runs.slice(0, LISTED_RUNS) : []) {
    const mark = run.status === "passed" ? style.good("✓") : style.error("✗");
    const failing = run.steps.find(({ status }) => status !== "passed");
    lines.push(
      `  ${mark} ${formatTime(new Date(run.at).toISOString())}  ${
        formatDuration(run.duration_ms).padStart(8)
      }  ${run.status}${run.flaky ? style.warning(", flaky") : ""}${
        failing ? style.dim(`  step ${failing.number}: ${printable(failing.label)}`) : ""
      }`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** `2026-11-24 09:00:05Z` */
function formatTime(at: string): string {
  return at.replace("T", " ").replace(/\.\d+Z$/, "Z");
}
