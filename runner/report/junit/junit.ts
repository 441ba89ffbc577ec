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
import { writePieces } from "../report_file.ts";
import type { Reporter, ReporterContext } from "../reporter.ts";
import type { CaseSummary, RunSummary } from "../run_summary.ts";
import { ciCommandsToEntities } from "../safe_text.ts";
import { summaryReporter } from "../summarizer.ts";
import { TextStore } from "../text_store.ts";

/** What the document needs of a case. */
interface TestCase {
  name: string;
  file: string;
  /** What it adds to the counts of its suite. */
  outcome: Outcome;
  duration_ms: number;
  startedAt: string | undefined;
  tags: readonly string[];
  matrix: Readonly<Record<string, unknown>>;
  /** The number of the text of the elements in its own. */
  inner: number;
}

type Outcome = "passed" | "failures" | "errors" | "skipped";

/**
 * Opens the `junit` reporter. When the run has ended it writes JUnit XML with a suite for each
 * recipe file and a test case for each case.
 */
export function openReporter({ output }: ReporterContext): Reporter {
  const store = new TextStore();
  return summaryReporter(
    (summary) => testCaseOf(summary, store),
    (run, cases) => writePieces(output, () => documentOf(run, cases, store)),
  );
}

function testCaseOf(summary: CaseSummary, store: TextStore): TestCase {
  const { name, file, duration_ms, started_at: startedAt, tags, matrix = NO_MATRIX } = summary;
  const elements = [
    ...elementsOf(summary),
    element("system-out", {}, caseLines(summary)),
    element("system-err", {}, summary.warnings.map((text) => `warning: ${safeText(text)}`)),
  ].filter((part) => part !== "");
  const inner = store.add(elements.map((part) => `      ${part}\n`).join(""));
  return { name, file, outcome: outcomeOf(summary), duration_ms, startedAt, tags, matrix, inner };
}

const NO_MATRIX = {};

function outcomeOf(summary: CaseSummary): Outcome {
  const { status } = summary;
  if (isExcused(summary) || status === "skipped" || status === "interrupted") return "skipped";
  if (status === "passed") return "passed";
  return status === "errored" ? "errors" : "failures";
}

function* documentOf(
  run: RunSummary,
  cases: readonly TestCase[],
  store: TextStore,
): Generator<string> {
  const files = Map.groupBy(cases, ({ file }) => file);
  const { failures, errors } = countsOf(cases);
  yield '<?xml version="1.0" encoding="UTF-8"?>\n';
  const attributes = xmlAttributes({
    name: run.interrupted || run.failed_by ? `dispatch (${runVerdict(run)})` : "dispatch",
    tests: cases.length,
    failures,
    errors,
    time: seconds(run.duration_ms),
  });
  yield `<testsuites${attributes}>\n`;
  const names = new UniqueNames();
  for (const [file, cases] of files) {
    yield* suiteOf(file, cases, { run, names, store });
  }
  yield "</testsuites>\n";
}

function* suiteOf(
  file: string,
  cases: readonly TestCase[],
  { run, names, store }: { run: RunSummary; names: UniqueNames; store: TextStore },
): Generator<string> {
  const startedAt = cases.find(({ startedAt }) => startedAt !== undefined)?.startedAt;
  const classname = safeLine(file);
  const attributes = xmlAttributes({
    name: classname,
    tests: cases.length,
    ...countsOf(cases),
    time: seconds(cases.reduce((sum, { duration_ms }) => sum + duration_ms, 0)),
    // The schema allows no time zone; the time is UTC.
    ...(startedAt === undefined ? {} : { timestamp: startedAt.slice(0, 19) }),
  });
  yield `  <testsuite${attributes}>\n    <properties>\n`;
  for (const [name, value] of propertiesOf(cases, run)) {
    const property = xmlAttributes({ name: safeLine(name), value: safeLine(value) });
    yield `      <property${property}/>\n`;
  }
  yield "    </properties>\n";
  for (const { name, duration_ms, inner: number } of cases) {
    const attributes = xmlAttributes({
      name: names.next(safeLine(name), classname),
      classname,
      time: seconds(duration_ms),
    });
    const inner = store.get(number);
    yield inner === ""
      ? `    <testcase${attributes}/>\n`
      : `    <testcase${attributes}>\n${inner}    </testcase>\n`;
  }
  yield "  </testsuite>\n";
}

/** The elements for the status of a case; none if it passed at the first attempt. */
function elementsOf(summary: CaseSummary): string[] {
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
  cases: readonly TestCase[],
  run: RunSummary,
): Generator<readonly [name: string, value: string]> {
  yield ["server", run.server];
  if (run.interrupted) yield ["interrupted", "true"];
  for (const tag of new Set(cases.flatMap(({ tags }) => tags))) yield ["tag", tag];
  for (const { name, matrix } of cases) {
    for (const [key, value] of Object.entries(matrix)) {
      yield [`matrix.${key} of ${name}`, typeof value === "string" ? value : JSON.stringify(value)];
    }
  }
}

function countsOf(cases: readonly TestCase[]): Record<Exclude<Outcome, "passed">, number> {
  const count = (outcome: Outcome) => cases.filter((one) => one.outcome === outcome).length;
  return { failures: count("failures"), errors: count("errors"), skipped: count("skipped") };
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
