import { XMLParser, XMLValidator } from "fast-xml-parser";
import { Ajv } from "ajv";
import { type CTRFReport, schema as ctrfSchema } from "ctrf";
import { deepEqual, equal } from "node:assert/strict";
import { marked, type Tokens } from "marked";
import { Parser } from "tap-parser";
import type { RecipeEvent, RunSummary } from "../../runner/mod.ts";
import type { ReporterName } from "../../runner/report/registry.ts";
import { dataOf } from "./_html.ts";

/** Returns the names of the failed cases in a report, as programs that read its format see them. */
export type Reader = (report: string) => string[];

/** Compiled once: `validate` of the package compiles the schema each time, which takes 50 ms. */
const isCtrf = new Ajv({
  formats: { "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/, uuid: true, uri: true },
}).compile(ctrfSchema);

/**
 * A reader of each report that is text. It fails if the report is not complete and valid. A new
 * reporter does not compile without one.
 */
export const READERS: Record<Exclude<ReporterName, "otel">, Reader> = {
  console: (report) =>
    Array.from(report.matchAll(/^✗ (.*?) +10 ms {2}r\.yaml$/gm), (line) => line[1]!),
  ctrf(report) {
    const document = JSON.parse(report) as CTRFReport;
    deepEqual(isCtrf(document) ? [] : isCtrf.errors, []);
    return document.results.tests.map(({ name }) => name);
  },
  github: (report) =>
    report.split("\n").filter((line) => line !== "").map((line) => {
      const [, title] = /^::error (?:[^,:]*,)*title=([^,:]*)::[^\n]*$/.exec(line)!;
      return title!.replace(/%(0A|0D|25|3A|2C)/g, decodeURIComponent);
    }),
  html: (report) => dataOf(report).run.cases.map((row) => row[1] as string),
  json: (report) => (JSON.parse(report) as RunSummary).cases.map(({ name }) => name),
  jsonl: (report) =>
    report.trimEnd().split("\n").map((line) => JSON.parse(line) as RecipeEvent)
      .flatMap((event) => event.type === "case.finished" ? [event.name] : []),
  junit(report) {
    equal(XMLValidator.validate(report), true);
    const names: string[] = [];
    new XMLParser({
      ignoreAttributes: false,
      attributeNamePrefix: "",
      htmlEntities: true,
      updateTag(tag, _path, attributes) {
        if (tag === "testcase") names.push(attributes.name!);
        return true;
      },
    }).parse(report);
    return names;
  },
  markdown(report) {
    // A run of which no case has started has no table.
    const table = marked.lexer(report).find(({ type }) => type === "table") as Tokens.Table;
    return (table?.rows ?? []).map(([, name]) =>
      name!.tokens.filter(({ type }) => type !== "html")
        .map((token) => token.raw.startsWith("`") ? (token as Tokens.Codespan).text : token.raw)
        .join("")
        .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code))
    );
  },
  tap(report) {
    const names: string[] = [];
    const parser = new Parser({ strict: true });
    parser.on("assert", ({ name }) => names.push(name));
    parser.on("extra", (line) => equal(line, "", "not TAP"));
    parser.end(report);
    return names;
  },
};
