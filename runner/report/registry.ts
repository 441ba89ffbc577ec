import type { Clock } from "../../runtime/clock.ts";
import type { Output, Reporter } from "./reporter.ts";

/** What reporters are made with. */
export interface ReporterContext {
  /** Where it writes. */
  output: Output;
  /** Whether only failures and the summary are wanted. */
  quiet: boolean;
  /** Whether frames are written to standard error while the run goes on. */
  verbose: boolean;
  /** Where time comes from. */
  clock: Clock;
  /** Reads the environment. */
  env(name: string): string | undefined;
}

/** The reporters by name; each is loaded when it is asked for. */
export const REPORTERS: Readonly<
  Record<string, (context: ReporterContext) => Promise<Reporter>>
> = {
  console: async (context) => (await import("./console/console.ts")).openConsole(context),
  github: async (context) => {
    const { GitHubReporter } = await import("./github/github.ts");
    return new GitHubReporter(context);
  },
  html: async ({ output }) => {
    const { HtmlReporter } = await import("./html/html.ts");
    return new HtmlReporter(output);
  },
  json: async ({ output }) => {
    const { JsonReporter } = await import("./json/summary.ts");
    return new JsonReporter(output);
  },
  jsonl: async ({ output }) => {
    const { JsonLinesReporter } = await import("./json/lines.ts");
    return new JsonLinesReporter(output);
  },
  junit: async ({ output }) => {
    const { JUnitReporter } = await import("./junit/junit.ts");
    return new JUnitReporter(output);
  },
  markdown: async ({ output }) => {
    const { MarkdownReporter } = await import("./markdown/markdown.ts");
    return new MarkdownReporter(output);
  },
  otel: async (context) => {
    const { OpenTelemetryReporter } = await import("./otel/otel.ts");
    return await OpenTelemetryReporter.open(context);
  },
  tap: async ({ output }) => {
    const { TapReporter } = await import("./tap/tap.ts");
    return new TapReporter(output);
  },
};
