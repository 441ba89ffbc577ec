import { Ajv, type ValidateFunction } from "ajv";
import { XMLValidator } from "fast-xml-parser";
import { Parser } from "tap-parser";
import type { CTRFReport } from "ctrf";
import type { CaseStatus, RecipeEvent, RunSummary } from "../../../runner/mod.ts";
import { isExcused } from "../../../runner/events/failure.ts";
import { eventSchema } from "../../../runner/report/json/event_schema.ts";
import { summarySchema } from "../../../runner/report/json/summary_schema.ts";
import { readStream } from "../../helpers/read_stream.ts";
import { REPORTERS } from "../../../runner/report/registry.ts";
import { encodeBase64 } from "../../../protocol/base64.ts";
import { dataOf } from "../../report/_html.ts";
import { READERS } from "../../report/_readers.ts";
import { reportOf } from "../../report/_report.ts";
import { checkContents } from "./document_contents.ts";
import { type Outcome, outcomesIn } from "./streams.ts";

const [isEvent, isSummary] = [eventSchema(), summarySchema()].map((schema) =>
  new Ajv().compile(schema)
) as [ValidateFunction, ValidateFunction];

/** The reporters that write text. */
const NAMES = Object.keys(REPORTERS).filter((name) => REPORTERS[name]!.writes !== "network");

type Check = (
  report: string,
  outcomes: readonly Outcome[],
  events: readonly RecipeEvent[],
) => unknown;

/** What each document must be, besides readable: returns what is wrong with it. */
const CHECKS: Readonly<Record<string, Check>> = {
  github: (report) =>
    report.split("\n").find((line) => line !== "" && !/^::(error|warning|notice) .*::/.test(line)),
  json(report, outcomes, events) {
    const summary = JSON.parse(report) as RunSummary;
    if (!isSummary(summary)) return isSummary.errors;
    const steps = summary.cases.flatMap((one) =>
      one.steps.map(({ step, status, attempts, retries }) =>
        `${one.case}: ${step} ${status} ${attempts} ${retries.length}`
      )
    );
    const retried = summary.cases.flatMap(({ retries }) => retries ?? []).length;
    return differs(summary.cases.map(outcomeOf), outcomes) ??
      differs(steps.sort(), stepsOf(events)) ??
      differs([retried], [events.filter(({ type }) => type === "case.retried").length]);
  },
  ctrf(report, outcomes, events) {
    const { summary, tests } = (JSON.parse(report) as CTRFReport).results;
    const said = tests.map(({ rawStatus, extra }) =>
      outcomeOf({ status: rawStatus as CaseStatus, quarantine: extra?.quarantine })
    );
    const statuses = outcomes.map((outcome) => CTRF_STATUSES[outcome]);
    const count = (status: string) => statuses.filter((one) => one === status).length;
    const counts = {
      passed: count("passed"),
      failed: count("failed"),
      other: count("other"),
      skipped: count("skipped"),
    };
    const flaky = events.filter((event) => event.type === "case.finished" && event.flaky).length;
    const isFlaky = tests.filter((test) => test.flaky).length;
    if (isFlaky !== flaky || summary.flaky !== flaky) return `it has ${isFlaky} flaky cases`;
    for (const [name, number] of Object.entries(counts)) {
      const counted = summary[name as keyof typeof counts];
      if (counted !== number) return `it counts ${counted} ${name}, not ${number}`;
    }
    // A case that was not started because of an interruption is skipped, as are those after a failure.
    return differs(tests.map(({ status }) => status as string), statuses) ??
      differs(said, outcomes);
  },
  jsonl(report) {
    for (const line of report.trimEnd().split("\n")) {
      if (!isEvent(JSON.parse(line))) return `${line} ${JSON.stringify(isEvent.errors)}`;
    }
  },
  junit(report, outcomes) {
    const valid = XMLValidator.validate(report);
    if (valid !== true) return valid.err.msg;
    const count = (element: string) => report.match(new RegExp(`<${element}\\b`, "g"))?.length ?? 0;
    return differs([count("failure"), count("error"), count("skipped")], [
      countOf(outcomes, "failed") + countOf(outcomes, "unchecked"),
      countOf(outcomes, "errored"),
      countOf(outcomes, "skipped") + countOf(outcomes, "interrupted") +
      countOf(outcomes, "quarantined"),
    ]);
  },
  tap(report, outcomes) {
    const points = [...report.matchAll(/^(not ok|ok) \d+.*?( # (?:SKIP|TODO)\b.*)?$/gm)];
    const ok = points.filter(([, word]) => word === "ok").length;
    const todo = points.filter(([, , mark]) => mark?.startsWith(" # TODO")).length;
    const parser = new Parser({ strict: true });
    let isOk = false;
    parser.on("complete", (result) => isOk = result.ok);
    parser.end(report);
    const isBailedOut = report.includes("Bail out!");
    const isRight = isBailedOut ||
      outcomes.every((one) => TAP_OK.has(one) || one === "quarantined");
    if (isOk !== (isRight && !isBailedOut)) return `it says ${isOk ? "ok" : "not ok"}`;
    const fine = outcomes.filter((one) => TAP_OK.has(one)).length;
    return isBailedOut ? undefined : differs([ok, todo], [fine, countOf(outcomes, "quarantined")]);
  },
  html(report, outcomes) {
    const { run } = dataOf(report);
    const text = JSON.stringify(run);
    return outcomes.find((one) =>
      one !== "skipped" && one !== "quarantined" && !text.includes(one)
    );
  },
};

/** The steps of the last attempt of each case, in the words of the check of `json`. */
function stepsOf(events: readonly RecipeEvent[]): string[] {
  const steps = new Map<number, string[]>();
  const retries = new Map<string, number>();
  for (const event of events) {
    if (event.type === "case.started") steps.set(event.case, []);
    if (event.type !== "step.finished" && event.type !== "step.retried") continue;
    const { step, phase } = event;
    const key = `${event.case} ${phase} ${step}`;
    const retried = retries.get(key) ?? 0;
    if (event.type === "step.retried") {
      retries.set(key, retried + 1);
    } else {
      const { status, attempts } = event;
      retries.delete(key);
      steps.get(event.case)!.push(`${event.case}: ${step} ${status} ${attempts} ${retried}`);
    }
  }
  return [...steps.values()].flat().sort();
}

/** The outcomes that are `ok` in TAP. */
const TAP_OK: ReadonlySet<Outcome> = new Set<Outcome>(["passed", "skipped"]);

/** The words of CTRF for outcomes. */
const CTRF_STATUSES: Readonly<Record<Outcome, string>> = {
  passed: "passed",
  failed: "failed",
  errored: "failed",
  unchecked: "failed",
  interrupted: "other",
  quarantined: "other",
  skipped: "skipped",
};

function outcomeOf(
  { status, quarantine }: { status: CaseStatus | "skipped"; quarantine?: unknown },
): Outcome {
  return quarantine && (status === "failed" || status === "errored") ? "quarantined" : status;
}

function countOf(outcomes: readonly Outcome[], outcome: Outcome): number {
  return outcomes.filter((one) => one === outcome).length;
}

function differs(actual: readonly unknown[], wanted: readonly unknown[]): string | undefined {
  return `${actual}` === `${wanted}` ? undefined : `it says ${actual}, not ${wanted}`;
}

/** In one run of so many all documents are made from the stored stream, too. */
const REDRAWN = 8;

/** Writes every document about a run; returns what is wrong with them. */
export async function* checkDocuments(
  events: readonly RecipeEvent[],
  secrets: readonly string[],
  seed: number,
): AsyncIterable<string> {
  const outcomes = outcomesShown(events);
  const forms = secrets.flatMap(formsOf);
  const failures = failuresIn(events);
  const softFailures = softFailuresIn(events);
  const stored = seed % REDRAWN === 0
    ? readStream(await reportOf("jsonl", events)).events
    : undefined;
  for (const name of NAMES) {
    try {
      const report = await reportOf(name, events);
      const leak = forms.find((form) => report.includes(form));
      if (leak !== undefined) yield `${name} shows the secret ${JSON.stringify(leak)}`;
      const untold = (name === "github" ? toldByGitHub(failures, events) : failures)
        .find(({ words }) => !report.includes(words));
      if (untold) yield `${name} does not tell the failure ${untold.words}`;
      const soft = TELLING_SOFT.has(name) &&
        softFailures.find(({ words }) => !report.includes(words));
      if (soft) yield `${name} does not tell the soft failure ${soft.words}`;
      if (name !== "github") READERS[name as keyof typeof READERS](report);
      const problem = CHECKS[name]?.(report, outcomes, events) ??
        checkContents(name, report, events);
      if (problem) yield `${name} is not valid: ${JSON.stringify(problem)}`;
      if (stored && await reportOf(name, stored) !== report) {
        yield `${name} is another document when it is made from the stored stream`;
      }
    } catch (error) {
      yield `${name} is not valid: ${error}`;
    }
  }
}

/** The failure of a case. */
interface ToldFailure {
  /** What no document writes otherwise. */
  readonly words: string;
  readonly isExcused: boolean;
}

/** Returns the failures of cases, in the order of the cases. */
function failuresIn(events: readonly RecipeEvent[]): ToldFailure[] {
  const finished = events.filter((event) => event.type === "case.finished");
  return finished.toSorted((a, b) => a.case - b.case).flatMap((event) => {
    if (!event.failure || event.status === "interrupted") return [];
    return wordsOf(event.failure.message)
      .map((words) => ({ words, isExcused: isExcused(event) }));
  });
}

/** Returns the longest words of a message, if it has any. */
function wordsOf(message: string): string[] {
  const words = message.match(/[A-Za-z0-9][A-Za-z0-9 ]{4,}[A-Za-z0-9]/g) ?? [];
  return words.toSorted((a, b) => b.length - a.length).slice(0, 1);
}

/** The reporters that tell also what has failed softly. */
const TELLING_SOFT = new Set(["console", "ctrf", "html", "json", "jsonl", "junit", "tap"]);

/** Returns the soft failures in the last attempts of cases, and of steps with others inside. */
function softFailuresIn(events: readonly RecipeEvent[]): { words: string }[] {
  const soft = new Map<number, { inside: string; message: string }[]>();
  for (const event of events) {
    if (event.type === "case.started") soft.set(event.case, []);
    if (event.type === "step.retried") {
      const own = `${event.phase} ${event.step}.`;
      soft.set(event.case, soft.get(event.case)!.filter(({ inside }) => !inside.startsWith(own)));
    }
    if (event.type !== "step.finished" || !event.soft || !event.failure) continue;
    // The console prints what failed inside another step, and not that step.
    const isAround = event.kind === "parallel" || event.kind === "use";
    if (event.status === "interrupted" || isAround) continue;
    const inside = `${event.phase} ${event.step}`;
    soft.get(event.case)!.push({ inside, message: event.failure.message });
  }
  return [...soft.values()].flat().flatMap(({ message }) => wordsOf(message))
    .map((words) => ({ words }));
}

/** Besides failures, up to two errors are about the run. */
const MOST_UNCHECKED = 7;

/** GitHub shows ten annotations of a level, so only the first failure of each is sure to be told. */
function toldByGitHub(
  failures: readonly ToldFailure[],
  events: readonly RecipeEvent[],
): ToldFailure[] {
  const unchecked = events.filter((event) =>
    event.type === "case.finished" && event.status === "unchecked"
  );
  const levels = unchecked.length > MOST_UNCHECKED ? [true] : [true, false];
  return levels.flatMap((level) => failures.find(({ isExcused }) => isExcused === level) ?? []);
}

/** How documents show the cases, in their order: those that were not started are skipped. */
function outcomesShown(events: readonly RecipeEvent[]): Outcome[] {
  const skipped = new Set(events.flatMap((one) => one.type === "case.skipped" ? [one.case] : []));
  return [...outcomesIn(events)].toSorted(([a], [b]) => a - b)
    .map(([number, outcome]) => skipped.has(number) ? "skipped" : outcome);
}

/** The encodings in which a report could show a secret. */
export function formsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const xml = secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
  // The ends of base64 depend on what is around the secret.
  const base64 = ["", "x", "xy"].map((before) =>
    encodeBase64(before + secret).replace(/=+$/, "").slice(4, -2)
  );
  const forms = [
    ...[secret, json, JSON.stringify(json).slice(1, -1), encodeURIComponent(secret), xml],
    ...base64,
    // Each line of a key is as secret as the key.
    ...secret.split("\n").filter((line) => !line.startsWith("--")),
    ...URL.canParse(secret) ? [new URL(secret).password] : [],
  ];
  return [...new Set(forms)];
}
