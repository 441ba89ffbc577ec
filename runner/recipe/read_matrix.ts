import type { Node } from "../language/node.ts";
import type { ParseContext } from "../language/parse_context.ts";
import { readTemplate } from "../language/read_template.ts";
import { isFieldName } from "../language/scope.ts";

/** The most cases a matrix may have; more are probably a mistake. */
export const MAX_CASES = 10_000;

/** Reads `matrix` into its cases: the combinations of its lists, in source order. */
export function readMatrix(node: Node, context: ParseContext): Record<string, unknown>[] {
  if (node.kind !== "map") {
    context.wrongType(node, "`matrix`", "a map of lists");
    return [];
  }
  let cases: Record<string, unknown>[] = [{}];
  for (const { key, keySpan, value } of node.entries) {
    if (!isFieldName(key)) {
      context.diagnostics.error("bad-id", keySpan, `\`${key}\` cannot be used as a name`);
    }
    if (value.kind !== "list") {
      context.wrongType(value, `\`${key}\``, "a list of values");
      continue;
    }
    if (value.items.length === 0) {
      context.diagnostics.error("wrong-value", value, `\`${key}\` must not be empty`);
      continue;
    }
    if (cases.length * value.items.length > MAX_CASES) {
      context.diagnostics.error(
        "wrong-value",
        keySpan,
        `\`matrix\` has more than ${MAX_CASES} cases`,
      );
      return [];
    }
    const values = value.items.map((item) => {
      const template = readTemplate(item, context, `\`${key}\``);
      if (template.kind === "literal") return template.value;
      context.diagnostics.error(
        "wrong-value",
        item,
        "the values of a matrix cannot contain ${{ }}",
      );
      return null;
    });
    cases = cases.flatMap((one) => values.map((value) => ({ ...one, [key]: value })));
  }
  if (node.entries.length > 0) return cases;
  context.diagnostics.error("wrong-value", node, "`matrix` must not be empty");
  return [];
}
