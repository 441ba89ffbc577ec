import type { Node } from "../language/node.ts";
import type { ParseContext } from "../language/parse_context.ts";
import { readTemplate } from "../language/read_template.ts";
import { isFieldName } from "../language/scope.ts";

/** The most cases a matrix may have; more are probably a mistake. */
export const MAX_CASES = 10_000;

/** The most lists a matrix may have. */
const MAX_KEYS = 100;

/** Reads `matrix` into its cases: the combinations of its lists, in source order. */
export function readMatrix(node: Node, context: ParseContext): Record<string, unknown>[] {
  if (node.kind !== "map") {
    context.wrongType(node, "`matrix`", "a map of lists");
    return [];
  }
  if (node.entries.length > MAX_KEYS) {
    const message = `\`matrix\` has more than ${MAX_KEYS} keys`;
    context.diagnostics.error("too-large", node.entries[MAX_KEYS]!.keySpan, message);
    return [];
  }
  let count = 1;
  const lists: [key: string, values: unknown[]][] = [];
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
    count *= value.items.length;
    if (count > MAX_CASES) {
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
    lists.push([key, values]);
  }
  if (node.entries.length > 0) return combinations(lists, count);
  context.diagnostics.error("wrong-value", node, "`matrix` must not be empty");
  return [];
}

/** The combinations of the values of lists. The last list varies fastest. */
function combinations(
  lists: readonly (readonly [key: string, values: readonly unknown[]])[],
  count: number,
): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, index) => {
    let rest = index;
    const chosen = lists.toReversed().map(([key, values]): [string, unknown] => {
      const value = values[rest % values.length];
      rest = Math.floor(rest / values.length);
      return [key, value];
    });
    return Object.fromEntries(chosen.toReversed());
  });
}
