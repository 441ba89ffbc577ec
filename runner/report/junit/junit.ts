import {
  caseLines,
  failureLines,
  runLine,
  shown,
  shownInLine,
  stepLine,
  verdict,
} from "../plain_text.ts";
import type { CaseSummary, RunSummary } from "../run_summary.ts";
import { SummaryReporter } from "../summary_reporter.ts";
import { xmlAttributes, xmlText } from "./xml.ts";

/**
 * A run as JUnit XML, as Jenkins, GitLab and others read it: a suite for each recipe's file, a test
 * case for each case. Written when the run has ended.
 */
export class JUnitReporter extends SummaryReporter {
  protected override write(run: RunSummary): void {
    const files = Map.groupBy(run.cases, ({ file }) => file);
    const { failures, errors } = countsOf(run.cases);
    this.output.write('<?xml version="1.0" encoding="UTF-8"?>\n');
    const attributes = xmlAttributes({
      name: run.interrupted ? `dispatch (${runLine(run)})` : "dispatch",
      tests: run.cases.length,
      failures,
      errors,
      time: seconds(run.duration_ms),
    });
    this.output.write(`<testsuites${attributes}>\n`);
    for (const [file, cases] of files) this.#suite(file, cases, run);
    this.output.write("</testsuites>\n");
  }

  #suite(file: string, cases: readonly CaseSummary[], run: RunSummary): void {
    const began = cases.find(({ started_at }) => started_at !== undefined)?.started_at;
    const attributes = xmlAttributes({
      name: shownInLine(file),
      tests: cases.length,
      ...countsOf(cases),
      time: seconds(cases.reduce((sum, { duration_ms }) => sum + duration_ms, 0)),
      // The format has no zone; it is UTC.
      ...(began === undefined ? {} : { timestamp: began.slice(0, 19) }),
    });
    this.output.write(`  <testsuite${attributes}>\n    <properties>\n`);
    for (const [name, value] of propertiesOf(cases, run)) {
      const property = xmlAttributes({ name: shownInLine(name), value: shownInLine(value) });
      this.output.write(`      <property${property}/>\n`);
    }
    this.output.write("    </properties>\n");
    for (const one of cases) this.output.write(testCase(file, one));
    this.output.write("  </testsuite>\n");
  }
}

function testCase(file: string, one: CaseSummary): string {
  const attributes = xmlAttributes({
    name: shownInLine(one.name),
    classname: shownInLine(file),
    time: seconds(one.duration_ms),
  });
  const parts = [
    ...outcomeOf(one),
    element("system-out", {}, caseLines(one)),
    element("system-err", {}, one.warnings.map((text) => `warning: ${shown(text)}`)),
  ].filter((part) => part !== "");
  const inner = parts.map((part) => `      ${part}\n`).join("");
  return inner === ""
    ? `    <testcase${attributes}/>\n`
    : `    <testcase${attributes}>\n${inner}    </testcase>\n`;
}

/** The elements that say how a case ended; none for one that passed. */
function outcomeOf(one: CaseSummary): string[] {
  const { status, failure, flaky, steps } = one;
  const message = verdict(one);
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
      return [element("skipped", { message, type: one.reason ?? type }, [])];
    case "passed":
      // As Surefire tells of a test that passed when it was run again.
      return !flaky
        ? []
        : steps.flatMap((step) =>
          step.retries.map(({ attempt, failure: { kind, ...rest } }) => {
            const what = `attempt ${attempt} of ${stepLine(step)}`;
            const trace = element("stackTrace", {}, failureLines({ kind, ...rest }));
            const head = xmlAttributes({ message: shownInLine(rest.message), type: kind });
            const out = element("system-out", {}, [what]);
            return `<flakyFailure${head}>${trace}${out}</flakyFailure>`;
          })
        );
  }
}

function element(
  name: string,
  attributes: Readonly<Record<string, string>>,
  lines: readonly string[],
): string {
  const head = `${name}${xmlAttributes(attributes)}`;
  if (lines.length > 0) return `<${head}>${xmlText(lines.join("\n"))}</${name}>`;
  return Object.keys(attributes).length === 0 ? "" : `<${head}/>`;
}

/** What only a suite has room for: the format knows no properties of a test case. */
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
  const count = (...wanted: CaseSummary["status"][]) =>
    cases.filter(({ status }) => wanted.includes(status)).length;
  return {
    failures: count("failed", "unchecked"),
    errors: count("errored"),
    skipped: count("skipped", "interrupted"),
  };
}

function seconds(ms: number): string {
  return (Math.max(0, ms) / 1000).toFixed(3);
}
