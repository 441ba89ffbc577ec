import { currentDirectory } from "../../runtime/process.ts";
import { type Diagnostic, type DiagnosticFormat, diagnosticJson } from "../language/diagnostic.ts";
import { renderDiagnostic } from "../language/render_diagnostic.ts";
import { pathInRepository, workflowCommand } from "../report/github/workflow_command.ts";
import type { Output } from "../report/reporter.ts";
import { safeJson } from "../report/safe_text.ts";
import { makeStyle } from "../report/terminal.ts";
import type { CommandContext } from "./command.ts";

/** Prints diagnostics. As text, they end with a line that counts the errors. */
export async function printDiagnostics(
  diagnostics: readonly Diagnostic[],
  format: DiagnosticFormat,
  { out, err, env, program }: Pick<CommandContext, "out" | "err" | "env" | "program">,
): Promise<void> {
  if (format === "json") {
    for (const diagnostic of diagnostics) {
      out.write(`${safeJson(diagnosticJson(diagnostic))}\n`);
    }
    return;
  }
  await printText(diagnostics, err, program);
  if (format === "github") {
    const workspace = env("GITHUB_WORKSPACE");
    for (const diagnostic of diagnostics) {
      out.write(`${annotation(diagnostic, workspace)}\n`, "command");
    }
  }
}

/** How many diagnostics are printed as text; `--format json` prints all of them. */
const MAX_PRINTED = 100;

async function printText(
  diagnostics: readonly Diagnostic[],
  output: Output,
  program: CommandContext["program"],
): Promise<void> {
  const style = makeStyle(output.color);
  for (const diagnostic of diagnostics.slice(0, MAX_PRINTED)) {
    output.write(`${renderDiagnostic(diagnostic, style)}\n\n`, "styled");
  }
  if (diagnostics.length > MAX_PRINTED) {
    output.write(`… and ${diagnostics.length - MAX_PRINTED} more\n\n`);
  }
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  const files = new Set(errors.map(({ source }) => source.name)).size;
  const codes = [...new Set(errors.map(({ code }) => code))];
  const where = files === 1 ? "" : ` in ${files} files`;
  output.write(
    `${errors.length} ${errors.length === 1 ? "error" : "errors"}${where}; nothing was run. ` +
      `For details: ${await program()} explain ${codes.slice(0, 3).join(" ")}\n`,
  );
}

/** A diagnostic as an annotation of GitHub Actions. */
function annotation(diagnostic: Diagnostic, workspace: string | undefined): string {
  const { file, line, column, severity, code, message, label } = diagnosticJson(diagnostic);
  return workflowCommand({
    level: severity,
    title: code,
    message: label === undefined ? message : `${message}; ${label}`,
    file: pathInRepository(file, currentDirectory(), workspace),
    line,
    column,
  });
}
