import { isExcused } from "../../events/failure.ts";
import {
  attemptLine,
  caseLines,
  caseVerdict,
  failureLines,
  quarantineText,
  runVerdict,
  safeLine,
  safeText,
  stepLine,
  UniqueNames,
} from "../plain_text.ts";
import type { Output, Reporter, ReporterContext } from "../reporter.ts";
import type { CaseSummary, RunSummary } from "../run_summary.ts";
import { ciCommandsToEntities } from "../safe_text.ts";
import { summaryReporter } from "../summarizer.ts";

/**
 * Opens the `junit` reporter. When the run has ended it writes JUnit XML with a suite for each
 * recipe file and a test case for each case.
 */
export function openReporter({ output }: ReporterContext): Reporter {
  return summaryReporter((run) => writeRun(run, output));
}

function writeRun(run: RunSummary, output: Output): void {
  const files = Map.groupBy(run.cases, ({ file }) => file);
  const { failures, errors } = countsOf(run.cases);
  output.write('<?xml version="1.0" encoding="UTF-8"?>\n');
  const attributes = xmlAttributes({
    name: run.interrupted || run.failed_by ? `dispatch (${runVerdict(run)})` : "dispatch",
    tests: run.cases.length,
    failures,
    errors,
    time: seconds(run.duration_ms),
  });
  output.write(`<testsuites${attributes}>\n`);
  const names = new UniqueNames();
  for (const [file, cases] of files) writeSuite(file, cases, run, output, names);
  output.write("</testsuites>\n");
}

function writeSuite(
  file: string,
  cases: readonly CaseSummary[],
  run: RunSummary,
  output: Output,
  names: UniqueNames,
): void {
  const startedAt = cases.find(({ started_at }) => started_at !== undefined)?.started_at;
  const attributes = xmlAttributes({
    name: safeLine(file),
    tests: cases.length,
    ...countsOf(cases),
    time: seconds(cases.reduce((sum, { duration_ms }) => sum + duration_ms, 0)),
    // The schema allows no time zone; the time is UTC.
    ...(startedAt === undefined ? {} : { timestamp: startedAt.slice(0, 19) }),
  });
  output.write(`  <testsuite${attributes}>\n    <properties>\n`);
  for (const [name, value] of propertiesOf(cases, run)) {
    const property = xmlAttributes({ name: safeLine(name), value: safeLine(value) });
    output.write(`      <property${property}/>\n`);
  }
  output.write("    </properties>\n");
  for (const summary of cases) output.write(testCase(file, summary, names));
  output.write("  </testsuite>\n");
}

function testCase(file: string, summary: CaseSummary, names: UniqueNames): string {
  const classname = safeLine(file);
  const attributes = xmlAttributes({
    name: names.next(safeLine(summary.name), classname),
    classname,
    time: seconds(summary.duration_ms),
  });
  const elements = [
    ...outcomeOf(summary),
    element("system-out", {}, caseLines(summary)),
    element("system-err", {}, summary.warnings.map((text) => `warning: ${safeText(text)}`)),
  ].filter((part) => part !== "");
  const inner = elements.map((part) => `      ${part}\n`).join("");
  return inner === ""
    ? `    <testcase${attributes}/>\n`
    : `    <testcase${attributes}>\n${inner}    </testcase>\n`;
}

/** The elements for the status of a case; none if it passed at the first attempt. */
function outcomeOf(summary: CaseSummary): string[] {
  const { status, flaky, quarantine, failure } = summary;
  if (quarantine && isExcused(summary)) {
    // Readers fail a build for a failure, and a quarantine must not.
    const message = `${quarantineText(quarantine)}; ${status}: ${caseVerdict(summary)}`;
    return [element("skipped", { message, type: failure?.kind ?? status }, [])];
  }
  const elements = ownOutcome(summary);
  if (status === "passed") {
    return flaky ? [...earlierAttempts(summary, "flaky"), ...flakyFailures(summary)] : [];
  }
  return [...elements, ...earlierAttempts(summary, "rerun")];
}

/** The attempts before the last one, as Surefire reports the runs of a test that was run anew. */
function earlierAttempts({ retries = [] }: CaseSummary, word: "flaky" | "rerun"): string[] {
  return retries.map((attempt) => {
    const { status, failure = { kind: "thrown", message: status, lines: [] } } = attempt;
    const name = `${word}${status === "errored" ? "Error" : "Failure"}`;
    const attributes = xmlAttributes({ message: safeLine(failure.message), type: failure.kind });
    const trace = element("stackTrace", {}, failureLines(failure));
    const out = element("system-out", {}, [attemptLine(attempt)]);
    return `<${name}${attributes}>${trace}${out}</${name}>`;
  });
}

/** The element for the last attempt of a case that did not pass. */
function ownOutcome(summary: CaseSummary): string[] {
  const { status, failure } = summary;
  const message = caseVerdict(summary);
  const type = failure?.kind ?? status;
  const lines = failure ? failureLines(failure) : [message];
  switch (status) {
    case "failed":
    case "unchecked":
      return [element("failure", { message, type }, lines)];
    case "errored":
      return [element("error", { message, type }, lines)];
    case "interrupted":
      return [element("skipped", { message: `interrupted: ${message}`, type }, [])];
    case "skipped":
      return [element("skipped", { message, type: summary.reason ?? type }, [])];
    case "passed":
      return [];
  }
}

/** The failed attempts of a flaky case, as Surefire reports a test that passed in a rerun. */
function flakyFailures({ steps }: CaseSummary): string[] {
  return steps.flatMap((step) =>
    step.retries.map(({ attempt, failure: { kind, ...rest } }) => {
      const attributes = xmlAttributes({ message: safeLine(rest.message), type: kind });
      const trace = element("stackTrace", {}, failureLines({ kind, ...rest }));
      const out = element("system-out", {}, [`attempt ${attempt} of ${stepLine(step)}`]);
      return `<flakyFailure${attributes}>${trace}${out}</flakyFailure>`;
    })
  );
}

/** The properties of a suite; the schema allows none on a test case. */
function* propertiesOf(
  cases: readonly CaseSummary[],
  run: RunSummary,
): Generator<readonly [name: string, value: string]> {
  yield ["server", run.server];
  if (run.interrupted) yield ["interrupted", "true"];
  for (const tag of new Set(cases.flatMap(({ tags }) => tags))) yield ["tag", tag];
  for (const { name, matrix = {} } of cases) {
    for (const [key, value] of Object.entries(matrix)) {
      yield [`matrix.${key} of ${name}`, typeof value === "string" ? value : JSON.stringify(value)];
    }
  }
}

function countsOf(
  cases: readonly CaseSummary[],
): { failures: number; errors: number; skipped: number } {
  const excused = cases.filter(isExcused).length;
  const count = (...statuses: CaseSummary["status"][]) =>
    cases.filter((one) => statuses.includes(one.status) && !isExcused(one)).length;
  return {
    failures: count("failed", "unchecked"),
    errors: count("errored"),
    skipped: count("skipped", "interrupted") + excused,
  };
}

function seconds(ms: number): string {
  return (Math.max(0, ms) / 1000).toFixed(3);
}

function element(
  name: string,
  attributes: Readonly<Record<string, string>>,
  lines: readonly string[],
): string {
  const tag = `${name}${xmlAttributes(attributes)}`;
  if (lines.length > 0) return `<${tag}>${xmlText(lines.join("\n"))}</${name}>`;
  return Object.keys(attributes).length === 0 ? "" : `<${tag}/>`;
}

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\t": "&#9;",
  "\n": "&#10;",
};

/** Escapes text between tags. It escapes `>` too, because XML forbids `]]>` there. */
function xmlText(text: string): string {
  return ciCommandsToEntities(text.replace(/[&<>]/g, (char) => ENTITIES[char]!));
}

/** Formats attributes. It escapes line feeds and tabs, which parsers would turn into spaces. */
function xmlAttributes(attributes: Readonly<Record<string, string | number>>): string {
  return Object.entries(attributes).map(([name, value]) =>
    ` ${name}="${
      ciCommandsToEntities(String(value).replace(/[&<>"\t\n]/g, (char) => ENTITIES[char]!))
    }"`
  ).join("");
}
