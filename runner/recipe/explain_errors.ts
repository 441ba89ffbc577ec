import type { CelFault } from "../expression/cel.ts";
import {
  backWhile,
  describeTypes,
  explainFault,
  explainOverload,
} from "../expression/explain_fault.ts";
import { describeType, type RecordType, RESULT_TYPES } from "../expression/types.ts";
import type { DiagnosticCode } from "../language/codes.ts";
import { didYouMean } from "../../runtime/suggest.ts";

/** A hint for a syntax error: the CEL form of another language's word, or the parser's message. */
export function syntaxHint(text: string, fault: CelFault): string {
  if (text[fault.start] === "=") return "use `==` to compare";
  if (/[“”„‘’]/.test(text[fault.start] ?? "")) return "use straight quotes for text";
  const from = backWhile(text, fault.start, /\w/);
  const word = text.slice(from, fault.start) + /^\w*/.exec(text.slice(fault.start))![0];
  // The parser reads `not` as a name, and complains about the word after it.
  const isAfterNot = /(?:^|[^\w.])not\s+$/.test(text.slice(0, from));
  const other = isAfterNot ? "not" : word;
  return (Object.hasOwn(OTHER_WORDS, other) ? OTHER_WORDS[other] : undefined) ??
    explainFault(fault);
}

const OTHER_WORDS: Record<string, string> = {
  and: "use `&&` for and",
  or: "use `||` for or",
  not: "use `!` for not",
  is: "use `==` to compare",
  var: "did you mean `vars`?",
};

/** The names that other languages have for the size of a list. */
const SIZES: ReadonlySet<string> = new Set(["length", "count", "len"]);

/** The diagnostic for a type error. */
export interface ExplainedError {
  /** The diagnostic's code. */
  code: DiagnosticCode;
  /** The diagnostic's message. */
  message: string;
  /** A hint. */
  label: string | undefined;
}

/** The names that the explanation of a type error can suggest. */
export interface TypeErrorContext {
  /** The types that single steps leave. */
  records: Iterable<RecordType>;
  /** The names of all functions and macros. */
  functions: readonly string[];
}

/** Turns a type error of the expression language into a diagnostic; `text` is what it marks. */
export function explainTypeError(
  fault: CelFault,
  text: string,
  { records, functions }: TypeErrorContext,
): ExplainedError {
  switch (fault.code) {
    case "no_such_key": {
      const known: RecordType[] = [...records, ...Object.values(RESULT_TYPES)];
      const names = new Set(known.flatMap((record) => Object.keys(record.fields)));
      return {
        code: "unknown-field",
        message: `there is no field \`${text}\``,
        label: didYouMean(text, names),
      };
    }
    case "no_such_overload":
      return {
        code: "type-mismatch",
        message: `\`${text}\` cannot be evaluated`,
        label: explainOverload(fault.summary) ?? fault.summary,
      };
    case "no_matching_overload": {
      const name = /'(?:[^']*\.)?(\w+)\(/.exec(fault.summary)?.[1] ?? text;
      const exists = functions.includes(name);
      return {
        code: "unknown-function",
        message: exists
          ? `\`${name}\` does not take these arguments`
          : `there is no function \`${name}\``,
        label: exists
          ? describeArguments(fault.summary)
          : SIZES.has(name)
          ? "did you mean `size`?"
          : didYouMean(name, functions),
      };
    }
    default:
      if (fault.code === "cannot_index_type") {
        const type = /'(.*)'/.exec(fault.summary)?.[1] ?? "dyn";
        return {
          code: "type-mismatch",
          message: `\`${text}\` cannot be evaluated`,
          label: `${describeType(type)} has no items or fields`,
        };
      }
      if (fault.summary.startsWith("List index must be int")) {
        if (!/^\w+$/.test(text)) {
          return {
            code: "type-mismatch",
            message: `\`${text}\` cannot be evaluated`,
            label: "the index of an item is a whole number",
          };
        }
        return {
          code: "unknown-field",
          message: `a list has no \`${text}\``,
          label: SIZES.has(text)
            ? "use `size(…)` for the number of items"
            : `take it from one item, \`[0].${text}\`, or from all, \`.all(x, x.${text} == …)\``,
        };
      }
      return {
        code: "type-mismatch",
        message: `\`${text}\` cannot be evaluated`,
        label: fault.summary.charAt(0).toLowerCase() + fault.summary.slice(1),
      };
  }
}

function describeArguments(summary: string): string | undefined {
  const types = /\((.*)\)'$/.exec(summary)?.[1];
  if (types === undefined) return undefined;
  return types === "" ? "it takes an argument" : `called with ${describeTypes(types)}`;
}
