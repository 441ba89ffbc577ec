import { Ajv, type ValidateFunction } from "ajv";
import { XMLValidator } from "fast-xml-parser";
import { Parser } from "tap-parser";
import type { RecipeEvent, RunSummary } from "../../../runner/mod.ts";
import { eventSchema } from "../../../runner/report/json/event_schema.ts";
import { summarySchema } from "../../../runner/report/json/summary_schema.ts";
import { REPORTERS } from "../../../runner/report/registry.ts";
import { encodeBase64 } from "../../../protocol/base64.ts";
import { dataOf } from "../../report/_html.ts";
import { READERS } from "../../report/_readers.ts";
import { reportOf } from "../../report/_report.ts";

const [isEvent, isSummary] = [eventSchema(), summarySchema()].map((schema) =>
  new Ajv().compile(schema)
) as [ValidateFunction, ValidateFunction];

/** The reporters that write text. */
const NAMES = Object.keys(REPORTERS).filter((name) => REPORTERS[name]!.writes !== "network");

/** What each document must be, besides readable: returns what is wrong with it. */
const CHECKS: Readonly<Record<string, (report: string, end: string) => string | undefined>> = {
  github: (report) =>
    report.split("\n").find((line) => line !== "" && !/^::(error|warning|notice) .*::/.test(line)),
  json(report, end) {
    const summary = JSON.parse(report) as RunSummary;
    if (!isSummary(summary)) return JSON.stringify(isSummary.errors);
    const statuses = summary.cases.map(({ status }) => status as string);
    return end === "passed"
      ? statuses.find((one) => one !== end)
      : statuses.includes(end)
      ? undefined
      : `it says ${statuses}`;
  },
  jsonl(report) {
    for (const line of report.trimEnd().split("\n")) {
      if (!isEvent(JSON.parse(line))) return `${line} ${JSON.stringify(isEvent.errors)}`;
    }
  },
  junit(report, end) {
    const valid = XMLValidator.validate(report);
    if (valid !== true) return valid.err.msg;
    const wanted = end === "passed" ? 0 : 1;
    const bad = report.match(/<(failure|error|skipped)\b/g)?.length ?? 0;
    return Math.min(bad, 1) === wanted ? undefined : `it has ${bad} failures of a case that ${end}`;
  },
  tap(report, end) {
    const parser = new Parser({ strict: true });
    let isOk = false;
    parser.on("complete", ({ ok }) => isOk = ok);
    parser.end(report);
    // A run that was interrupted is no pass, whatever became of its cases.
    const isPass = end === "passed" && !report.includes("Bail out!");
    return isOk === isPass ? undefined : `it says ${isOk ? "ok" : "not ok"}`;
  },
  html(report, end) {
    const { run } = dataOf(report);
    return end === "skipped" || JSON.stringify(run).includes(end) ? undefined : "no outcome";
  },
};

/** Writes every document about a run; returns what is wrong with them. */
export async function* checkDocuments(
  events: readonly RecipeEvent[],
  secrets: readonly string[],
): AsyncIterable<string> {
  const ends = events.flatMap((event) =>
    event.type === "case.finished"
      ? [event.status]
      : event.type === "case.skipped"
      ? ["skipped"]
      : []
  );
  const end = ends.find((status) => status !== "passed") ?? "passed";
  const forms = secrets.flatMap(formsOf);
  for (const name of NAMES) {
    try {
      const report = await reportOf(name, events);
      const leak = forms.find((form) => report.includes(form));
      if (leak !== undefined) yield `${name} shows the secret ${JSON.stringify(leak)}`;
      if (name !== "github") READERS[name as keyof typeof READERS](report);
      const problem = CHECKS[name]?.(report, end);
      if (problem !== undefined) yield `${name} is not valid: ${problem}`;
    } catch (error) {
      yield `${name} is not valid: ${error}`;
    }
  }
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
  ];
  return [...new Set(forms)];
}
