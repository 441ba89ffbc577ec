import type { Diagnostic } from "../recipe/diagnostic.ts";
import { renderDiagnostic } from "../recipe/render_diagnostic.ts";
import type { Output } from "../report/reporter.ts";
import { makeStyle } from "../report/style.ts";

/** Prints diagnostics and a line that counts them. */
export function printDiagnostics(diagnostics: readonly Diagnostic[], output: Output): void {
  const style = makeStyle(output.color);
  for (const diagnostic of diagnostics) {
    output.write(`${renderDiagnostic(diagnostic, style)}\n\n`);
  }
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  const files = new Set(errors.map(({ source }) => source.name)).size;
  const codes = [...new Set(errors.map(({ code }) => code))];
  const where = files === 1 ? "" : ` in ${files} files`;
  output.write(
    `${errors.length} ${errors.length === 1 ? "error" : "errors"}${where}; nothing was run. ` +
      `More: runner.ts explain ${codes.slice(0, 3).join(" ")}\n`,
  );
}
