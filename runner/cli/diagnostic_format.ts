import type { DiagnosticFormat } from "../language/diagnostic.ts";
import type { OptionSpec } from "./args.ts";
import { UsageError } from "./usage_error.ts";

/** The option that chooses how diagnostics are printed. */
export const FORMAT_OPTION: OptionSpec = {
  value: "FORMAT",
  choices: ["text", "json", "github"],
  description: "How errors are printed: text, json (one a line) or github (annotations).",
};

/**
 * How diagnostics are to be printed: as asked for, and as annotations in GitHub's CI.
 * @throws {UsageError}
 */
export function diagnosticFormat(
  asked: string | undefined,
  env: (name: string) => string | undefined,
): DiagnosticFormat {
  if (asked === undefined) return env("GITHUB_ACTIONS") === "true" ? "github" : "text";
  if (asked === "text" || asked === "json" || asked === "github") return asked;
  throw new UsageError(`--format takes text, json or github, not '${asked}'`);
}
