import type { CelFault } from "../expression/cel.ts";
import { describeTypes, explainOverload } from "../expression/explain_fault.ts";
import { type RecordType, RESULT_TYPES } from "../expression/types.ts";
import type { DiagnosticCode } from "../language/codes.ts";
import { didYouMean } from "../language/suggest.ts";

/** A type error in the words of recipes. */
export interface ExplainedError {
  /** The diagnostic's code. */
  code: DiagnosticCode;
  /** What is wrong. */
  message: string;
  /** A suggestion. */
  label: string | undefined;
}

/** What the expression language says of a wrong type, in the words of recipes. */
export function explainTypeError(
  fault: CelFault,
  text: string,
  records: Iterable<RecordType>,
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
        message: `\`${text}\` cannot be worked out`,
        label: explainOverload(fault.summary) ?? fault.summary,
      };
    case "no_matching_overload": {
      const name = /'(?:[^']*\.)?(\w+)\(/.exec(fault.summary)?.[1] ?? text;
      const exists = FUNCTIONS.includes(name);
      return {
        code: "unknown-function",
        message: exists
          ? `\`${name}\` does not take these values`
          : `there is no function \`${name}\``,
        label: exists ? explainCall(fault.summary) : didYouMean(name, FUNCTIONS),
      };
    }
    default:
      if (fault.summary.startsWith("List index must be int")) {
        return {
          code: "unknown-field",
          message: `a list has no \`${text}\``,
          label: `an item has: \`[0].${text}\`, or for all \`.all(x, x.${text} == …)\``,
        };
      }
      return {
        code: "type-mismatch",
        message: `\`${text}\` cannot be worked out`,
        label: fault.summary.charAt(0).toLowerCase() + fault.summary.slice(1),
      };
  }
}

const FUNCTIONS = [
  ...["uuid", "now", "random", "size", "has", "int", "double", "string", "bool", "type", "dyn"],
  ...["timestamp", "duration", "contains", "startsWith", "endsWith", "matches", "exists", "all"],
  ...["exists_one", "map", "filter", "join", "split", "indexOf", "lastIndexOf", "substring"],
  ...["lowerAscii", "upperAscii", "trim", "orValue", "hasValue", "value", "bytes", "uint"],
];

function explainCall(summary: string): string | undefined {
  const types = /\((.*)\)'$/.exec(summary)?.[1];
  if (types === undefined) return undefined;
  return types === "" ? "it takes an argument" : `given ${describeTypes(types)}`;
}
