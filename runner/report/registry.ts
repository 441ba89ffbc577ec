import type { Output, Reporter } from "./reporter.ts";

/** What reporters are made with. */
export interface ReporterContext {
  /** Where it writes. */
  output: Output;
  /** Whether only failures and the summary are wanted. */
  quiet: boolean;
}

/** The reporters by name; each is loaded when it is asked for. */
export const REPORTERS: Readonly<
  Record<string, (context: ReporterContext) => Promise<Reporter>>
> = {
  console: async ({ output, quiet }) => {
    const { ConsoleReporter } = await import("./console.ts");
    return new ConsoleReporter(output, { quiet });
  },
  json: async ({ output }) => {
    const { JsonReporter } = await import("./json.ts");
    return new JsonReporter(output);
  },
};
