import { marked, type Tokens } from "marked";
import type { CTRFReport } from "ctrf";
import { isDeepStrictEqual } from "node:util";
import type { RecipeEvent, RunSummary } from "../../../runner/mod.ts";
import { CASE_STATUSES } from "../../../runner/report/html/report_data.ts";
import { dataOf } from "../../report/_html.ts";

type EventOf<T extends RecipeEvent["type"]> = Extract<RecipeEvent, { type: T }>;

/** What happened in an attempt of a case. */
interface ToldAttempt {
  logs: string[];
  warnings: string[];
  /** How many steps failed, and how many of these are soft. */
  failures: number;
  softFailures: number;
  end?: EventOf<"case.finished" | "case.retried">;
}

/** A case, as the events tell it. */
interface ToldCase {
  number: number;
  attempts: ToldAttempt[];
  /** Absent if the case was started. */
  skipped?: EventOf<"case.skipped">;
}

/** A run, as its events tell it. */
interface ToldRun {
  /** By their numbers. */
  cases: ToldCase[];
  /** The warnings that belong to no case. */
  warnings: string[];
  end: EventOf<"run.finished">;
}

function runIn(events: readonly RecipeEvent[]): ToldRun {
  const cases: ToldCase[] = [];
  const warnings: string[] = [];
  const attempt = (): ToldAttempt => ({ logs: [], warnings: [], failures: 0, softFailures: 0 });
  for (const event of events) {
    if (event.type === "warning" && event.case === undefined) warnings.push(event.text);
    if (!("case" in event) || event.case === undefined) continue;
    const one = cases[event.case] ??= { number: event.case, attempts: [] };
    if (event.type === "case.started") one.attempts.push(attempt());
    if (event.type === "case.skipped") one.skipped = event;
    const last = one.attempts.at(-1);
    if (!last) continue;
    if (event.type === "case.finished" || event.type === "case.retried") last.end = event;
    if (event.type === "log") last.logs.push(event.text);
    if (event.type === "warning") last.warnings.push(event.text);
    if (event.type !== "step.finished" || !event.failure) continue;
    last.failures++;
    if (event.soft) last.softFailures++;
  }
  return { cases, warnings, end: events.at(-1) as EventOf<"run.finished"> };
}

/** How a case has ended that was started. */
function endOf({ attempts }: ToldCase): EventOf<"case.finished"> | undefined {
  return attempts.at(-1)?.end as EventOf<"case.finished"> | undefined;
}

function isExcused(one: ToldCase): boolean {
  const { quarantine, status } = endOf(one) ?? {};
  return quarantine !== undefined && (status === "failed" || status === "errored");
}

type Check = (report: string, run: ToldRun) => unknown;

/** Compares what documents say with the events: returns what is wrong. */
const CHECKS: Readonly<Record<string, Check>> = {
  console: (report, run) => hasVerdict(report, run) ?? countsLines(report, run, "warning: "),
  tap(report, run) {
    const logs = run.cases.flatMap(({ attempts }) => attempts).flatMap((one) => one.logs).length;
    const said = report.match(/^# log \d/gm)?.length ?? 0;
    return hasVerdict(report, run) ?? countsLines(report, run, "# warning: ") ??
      differs(said, logs);
  },
  json(report, { cases, warnings }) {
    const summary = JSON.parse(report) as RunSummary;
    const told = (texts: readonly { text: string }[]) => texts.map(({ text }) => text);
    const said = summary.cases.map((one) => [
      ...(one.retries ?? []).map((it) => [it.attempt, it.status, it.duration_ms, it.failure]),
      ...[one.status, one.flaky, one.duration_ms, one.failure, one.attempts],
      ...[...one.retries ?? [], one].map((it) => [told(it.logs), it.warnings]),
    ]);
    const right = cases.map((one) => {
      const { attempts, skipped } = one;
      const { status, flaky = false, duration_ms = 0, failure, attempts: count } = endOf(one) ?? {};
      return [
        ...attempts.slice(0, -1).map(({ end }, i) => {
          return [i + 1, end!.status, end!.duration_ms, end!.failure];
        }),
        ...[skipped ? "skipped" : status, flaky, duration_ms, failure, count],
        ...(skipped ? [[[], []]] : attempts.map((it) => [it.logs, it.warnings])),
      ];
    });
    return differs(said, right) ?? differs(summary.warnings, warnings);
  },
  ctrf(report, run) {
    const { tests, summary } = (JSON.parse(report) as CTRFReport).results;
    const said = tests.map(({ duration, retries, retryAttempts, stderr, steps = [] }) => {
      const failed = steps.filter(({ extra }) => extra?.message !== undefined).length;
      return [duration, retries, retryAttempts?.length, stderr?.length, failed];
    });
    const right = run.cases.map((one) => {
      const { attempts } = one;
      const earlier = attempts.length > 1 ? attempts.length - 1 : undefined;
      const { failures = 0, warnings } = attempts.at(-1) ?? {};
      const count = warnings?.length || undefined;
      return [endOf(one)?.duration_ms ?? 0, earlier, earlier, count, failures];
    });
    const { exit_code } = run.end;
    return differs(said, right) ?? hasVerdict(report, run) ??
      differs(summary.extra?.exit_code, exit_code);
  },
  junit(report, run) {
    const { cases, end: { duration_ms } } = run;
    const attribute = (tag: string, name: string) =>
      [...report.matchAll(new RegExp(`<${tag}\\s[^>]*?\\b${name}="([^"]*)"`, "g"))]
        .map(([, value]) => Number(value));
    const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
    const count = (statuses: readonly string[]) =>
      cases.filter((one) => !isExcused(one) && statuses.includes(endOf(one)?.status ?? "")).length;
    const counts = [cases.length, count(["failed", "unchecked"]), count(["errored"])];
    const names = ["tests", "failures", "errors"];
    return differs(names.flatMap((name) => attribute("testsuites", name)), counts) ??
      differs(names.map((name) => sum(attribute("testsuite", name))), counts) ??
      differs(attribute("testsuites", "time"), [duration_ms / 1_000]) ??
      differs(
        attribute("testcase", "time"),
        cases.map((one) => (endOf(one)?.duration_ms ?? 0) / 1_000),
      ) ?? countsLines(report, { ...run, warnings: [] }, "warning: ");
  },
  github(report, { cases, warnings, end }) {
    const said = ["error", "warning", "notice"].map((level) =>
      report.split("\n").filter((line) => line.startsWith(`::${level} `)).length
    );
    const isBad = (one: ToldCase) =>
      ["failed", "errored", "unchecked"].includes(endOf(one)?.status ?? "");
    const remarks = cases.flatMap(({ attempts }) => attempts).reduce(
      (sum, one) => sum + one.warnings.length,
      cases.reduce((sum, { attempts }) => sum + (attempts.at(-1)?.softFailures ?? 0), 0),
    );
    const right = [
      Number(end.interrupted) + Number(end.failed_by === "flaky") +
      cases.filter((one) => isBad(one) && !isExcused(one)).length,
      cases.filter(isExcused).length + remarks + warnings.length,
      cases.filter((one) => endOf(one)?.flaky).length,
    ];
    return differs(said, right.map((count) => Math.min(count, 10)));
  },
  markdown(report, run) {
    const tokens = marked.lexer(report);
    const table = tokens.find(({ type }) => type === "table") as Tokens.Table | undefined;
    const said = (table?.rows ?? []).map(([result]) => result!.text.replaceAll("*", ""));
    const right = run.cases.map((one) => {
      const { status, flaky, quarantine } = endOf(one) ?? { status: "skipped" as const };
      return `${WORDS[status]}${flaky ? ", flaky" : ""}${quarantine ? ", in quarantine" : ""}`;
    });
    const titles = tokens.flatMap((one) => one.type === "heading" && one.depth > 2 ? [one] : [])
      .map((one) => one.depth === 3 ? one.text : one.text.replace(/:.*/, ""));
    const isBad = (one: ToldCase) => !one.skipped && endOf(one)?.status !== "passed";
    const section = (title: string, some: readonly ToldCase[]) =>
      some.length === 0 ? [] : [title, ...some.map((one) => WORDS[endOf(one)!.status])];
    const { cases, warnings } = run;
    const hasWarnings = warnings.length > 0 ||
      cases.some(({ attempts }) => attempts.some((one) => one.warnings.length > 0));
    return hasVerdict(report, run) ?? differs(said, right) ?? differs(titles, [
      ...section("Not passed", cases.filter((one) => isBad(one) && !isExcused(one))),
      ...section("Failed in quarantine", cases.filter(isExcused)),
      ...cases.some((one) => endOf(one)?.flaky) ? ["Flaky"] : [],
      ...hasWarnings ? ["Warnings"] : [],
    ]);
  },
  html(report, { cases, warnings, end }) {
    const { run, cases: details } = dataOf(report);
    const verdict = end.interrupted
      ? "interrupted"
      : end.counts.failed > 0 || end.failed_by === "flaky"
      ? "failed"
      : end.counts.errored > 0
      ? "errored"
      : end.exit_code === 0
      ? "passed"
      : "unchecked";
    const said = run.cases.map(([, , , status, , , duration, flags], i) => [
      CASE_STATUSES[status],
      flags & ~2,
      duration,
      details[i]!.attempts?.length ?? 0,
      details[i]!.warnings?.length ?? 0,
    ]);
    const right = cases.map((one) => {
      const { status, flaky, duration_ms, quarantine } = endOf(one) ?? { duration_ms: 0 };
      const reason = one.skipped?.reason === "bail" ? "skipped" : "interrupted";
      const flags = (flaky ? 1 : 0) + (one.skipped ? 4 : 0) + (quarantine ? 16 : 0);
      const told = one.attempts.reduce((sum, it) => sum + it.warnings.length, 0);
      return [status ?? reason, flags, duration_ms, Math.max(0, one.attempts.length - 1), told];
    });
    return differs(said, right) ??
      differs([run.verdict, run.exitCode, run.duration], [
        verdict,
        end.exit_code,
        end.duration_ms,
      ]) ??
      differs(run.warnings, warnings) ?? differs(run.counts, end.counts);
  },
};

/** The words of Markdown for the outcomes of cases. */
const WORDS: Readonly<Record<string, string>> = {
  passed: "passed",
  failed: "failed",
  errored: "could not run",
  unchecked: "checked nothing",
  interrupted: "interrupted",
  skipped: "not started",
};

/** Whether a document has the counts of the run in words: returns what is missing. */
function hasVerdict(report: string, { end: { counts, interrupted, failed_by } }: ToldRun) {
  const { flaky, warnings } = counts;
  const note = flaky === 0 ? "" : ` (${flaky} flaky${failed_by ? ", which fails the run" : ""})`;
  const words = Object.entries({
    [`passed${note}`]: counts.passed,
    failed: counts.failed,
    "could not run": counts.errored,
    "failed in quarantine": counts.quarantined ?? 0,
    "checked nothing": counts.unchecked,
    skipped: counts.skipped,
    interrupted: counts.interrupted,
    [warnings === 1 ? "warning" : "warnings"]: warnings,
  }).filter(([, count]) => count > 0).map(([word, count]) => `${count} ${word}`);
  const text = `${interrupted ? "Interrupted: " : ""}${words.join(", ")} in `;
  return report.includes(text) ? undefined : `it does not say ${text}`;
}

/** Whether a document has a line for each warning: returns how many are missing. */
function countsLines(report: string, { cases, warnings }: ToldRun, mark: string) {
  const told = cases.flatMap(({ attempts }) => attempts).flatMap((one) => one.warnings);
  const missing = told.length + warnings.length - (report.split(mark).length - 1);
  return missing > 0 ? `it leaves out ${missing} warnings` : undefined;
}

function differs(said: unknown, right: unknown): string | undefined {
  // What is absent is null in JSON.
  const [one, other] = [said, right].map((it) => JSON.parse(JSON.stringify(it) ?? "null"));
  if (isDeepStrictEqual(one, other)) return undefined;
  return `it says ${JSON.stringify(one)}, not ${JSON.stringify(other)}`;
}

/** Returns what a document says otherwise than the events of its run, if anything. */
export function checkContents(
  name: string,
  report: string,
  events: readonly RecipeEvent[],
): unknown {
  return CHECKS[name]?.(report, runIn(events));
}
