import { DIAGNOSTIC_CODES, type DiagnosticCode } from "../../language/codes.ts";
import { didYouMean } from "../../../runtime/suggest.ts";
import { UsageError, wrapWords } from "../args.ts";
import type { Command } from "../command.ts";

/** `explain`: explains the codes of diagnostics. */
export const explain: Command = {
  usage: "explain [code]…",
  description: "Explain error codes of recipes; without a code, list all of them.",
  examples: (program) => [`${program} explain`, `${program} explain unknown-key`],
  options: {},
  run({ positional }, { out }) {
    const codes = Object.keys(DIAGNOSTIC_CODES) as DiagnosticCode[];
    if (positional.length === 0) {
      const width = Math.max(...codes.map((code) => code.length));
      for (const code of codes) {
        out.write(`${code.padEnd(width)}  ${DIAGNOSTIC_CODES[code].title}\n`);
      }
      return Promise.resolve(0);
    }
    for (const [i, code] of positional.entries()) {
      if (!Object.hasOwn(DIAGNOSTIC_CODES, code)) {
        const suggestion = didYouMean(code, codes);
        throw new UsageError(`Unknown code ${code}${suggestion ? `; ${suggestion}` : ""}`);
      }
      const { title, explanation } = DIAGNOSTIC_CODES[code as DiagnosticCode];
      out.write(`${i > 0 ? "\n" : ""}${code}: ${title}\n\n${wrapWords(explanation).join("\n")}\n`);
      out.write(`\nSee docs/recipes.md#${code}\n`);
    }
    return Promise.resolve(0);
  },
};
