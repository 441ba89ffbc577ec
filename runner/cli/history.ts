import { systemClock } from "../../runtime/clock.ts";
import { HistoryError } from "../history/error.ts";
import { sparkline, summarize } from "../history/summary.ts";
import { type CaseKey, fileKey } from "../history/identity.ts";
import { HistoryStore, KEPT_RUNS, type KeptRun } from "../history/store.ts";
import { formatDuration } from "../language/duration.ts";
import { printable } from "../language/render_diagnostic.ts";
import type { Output } from "../report/reporter.ts";
import { makeStyle } from "../report/terminal.ts";
import type { Command } from "./command.ts";
import { historyFile } from "./keep_history.ts";
import { UsageError } from "./usage_error.ts";

/** Where a history is looked for when nobody says. */
const DEFAULT_FILE = ".dispatch/history.db";
/** How many runs are shown. */
const SHOWN = 20;

/** A case with its runs, the latest one first. */
interface CaseRuns {
  key: CaseKey;
  runs: KeptRun[];
  /** Whether each run is shown. */
  inFull: boolean;
}

/** Lists what a history holds. */
export const history: Command = {
  usage: "history [file | directory | name]…",
  description: "Lists the runs that --history has kept, by case; a name shows each run.",
  options: {
    history: { value: "FILE", description: `The history; DISPATCH_HISTORY, or ${DEFAULT_FILE}.` },
    case: { value: "NAME", repeat: true, description: "Only cases of this name, with each run." },
    format: {
      value: "FORMAT",
      choices: ["text", "json"],
      description: "How cases are listed: text, or json (one a line).",
    },
    help: { short: "h", description: "Shows this." },
  },
  details: `
Bars are as high as runs took long, the latest one at the right; ✗ is one that did not pass.
Exit codes: 0 listed; 2 there is no history, or it cannot be read; 4 nothing in it was meant.
`,
  async run(args, { out, err, env }) {
    const { format = "text" } = args.values;
    if (format !== "text" && format !== "json") {
      throw new UsageError(`--format takes text or json, not '${format}'`);
    }
    const file = historyFile(args, env) ?? DEFAULT_FILE;
    const cases = await readCases(file, args.positional, args.lists.case ?? []);
    for (const one of cases) {
      out.write(format === "json" ? `${JSON.stringify(jsonOf(one))}\n` : textOf(one, out));
    }
    if (cases.length > 0) return 0;
    err.write(`Nothing to list: no case in '${file}' was meant\n`);
    return 4;
  },
};

/** The cases that were meant: below files and directories, or of a name. */
async function readCases(
  file: string,
  words: readonly string[],
  names: readonly string[],
): Promise<CaseRuns[]> {
  let store: HistoryStore | undefined;
  try {
    const now = systemClock.now();
    store = await HistoryStore.open(file, { create: false, now, tell: () => {} });
    const cases: CaseRuns[] = [];
    for (const key of store.cases()) {
      const byFile = words.some((word) => isBelow(key.file, fileKey(word)));
      if (words.length > 0 && !byFile && !words.some((word) => isNamed(key, word))) continue;
      if (names.length > 0 && !names.some((name) => isNamed(key, name))) continue;
      const inFull = names.length > 0 || (words.length > 0 && !byFile);
      const runs = store.runs(key, KEPT_RUNS);
      if (runs.length > 0) cases.push({ key, runs, inFull });
    }
    return cases;
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    const hint = error.code === "missing" ? "; a run with --history begins one" : "";
    throw new UsageError(`${error.message}${hint}`);
  } finally {
    store?.close();
  }
}

function isNamed(key: CaseKey, name: string): boolean {
  return key.name.toLowerCase().includes(name.toLowerCase());
}

function isBelow(file: string, wanted: string): boolean {
  return wanted === "" || file === wanted || file.startsWith(`${wanted}/`);
}

function jsonOf({ key, runs, inFull }: CaseRuns): unknown {
  const recent = runs.slice(0, inFull ? KEPT_RUNS : SHOWN).map(({ at, steps, ...run }) => ({
    at: new Date(at).toISOString(),
    ...run,
    ...(inFull ? { steps } : {}),
  }));
  return { ...summarize(key, runs), recent };
}

function textOf({ key, runs, inFull }: CaseRuns, out: Output): string {
  const style = makeStyle(out.color);
  const { passed, failed, flaky, median_ms, last } = summarize(key, runs);
  const counts = [
    `${runs.length} ${runs.length === 1 ? "run" : "runs"}`,
    style.good(`${passed} passed`),
    failed > 0 ? style.error(`${failed} failed`) : "",
    flaky > 0 ? style.warning(`${flaky} flaky`) : "",
    median_ms === undefined ? "" : `median ${formatDuration(median_ms)}`,
    `last ${last.status} ${when(last.at)}`,
  ];
  const lines = [
    `${style.strong(printable(key.name))}  ${style.dim(printable(`${key.file} on ${key.server}`))}`,
    `  ${sparkline(runs.slice(0, SHOWN))}  ${counts.filter((part) => part !== "").join(", ")}`,
  ];
  for (const run of inFull ? runs.slice(0, SHOWN) : []) {
    const mark = run.status === "passed" ? style.good("✓") : style.error("✗");
    const failing = run.steps.find(({ status }) => status !== "passed");
    lines.push(
      `  ${mark} ${when(new Date(run.at).toISOString())}  ${
        formatDuration(run.duration_ms).padStart(8)
      }  ${run.status}${run.flaky ? style.warning(", flaky") : ""}${
        failing ? style.dim(`  step ${failing.number}: ${printable(failing.label)}`) : ""
      }`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** `2026-11-24 09:00:05Z` */
function when(at: string): string {
  return at.replace("T", " ").replace(/\.\d+Z$/, "Z");
}
