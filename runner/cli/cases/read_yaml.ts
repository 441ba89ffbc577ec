import { type Diagnostic, Diagnostics } from "../../language/diagnostic.ts";
import { plainValue } from "../../language/node.ts";
import type { Source } from "../../language/source.ts";
import { readYaml } from "../../language/yaml.ts";
import { type Row, RowsError } from "./rows.ts";

/** How many times as large as a recipe a file of rows may be: 10,000 rows with ten variables. */
const SCALE = 10;

/**
 * Reads the rows of a YAML file: a list of maps. A mistake in the YAML itself is in `diagnostics`.
 * @throws {RowsError} If it is something else.
 */
export async function readYamlRows(
  source: Source,
): Promise<{ rows: Row[]; diagnostics: Diagnostic[] }> {
  const diagnostics = new Diagnostics(source);
  const root = await readYaml(diagnostics, SCALE);
  if (diagnostics.failed) return { rows: [], diagnostics: diagnostics.all() };
  if (root?.kind !== "list") {
    throw new RowsError("the cases must be a list of maps", { start: 0, end: 1 });
  }
  const rows = root.items.map((item): Row => {
    if (item.kind !== "map") throw new RowsError("a case must be a map", item);
    const cells = item.entries.map(({ key, keySpan, value }) => ({
      name: key,
      nameSpan: keySpan,
      span: { start: value.start, end: value.end },
      input: { value: plainValue(value) },
    }));
    return { span: { start: item.start, end: item.end }, cells };
  });
  return { rows, diagnostics: diagnostics.all() };
}
