import { FileError, readDataFile } from "../../../runtime/file.ts";
import { didYouMean } from "../../../runtime/suggest.ts";
import { type Diagnostic, Diagnostics } from "../../language/diagnostic.ts";
import type { CaseRow, Recipe } from "../../language/model.ts";
import { Source, type Span } from "../../language/source.ts";
import { MAX_CASES } from "../../recipe/read_matrix.ts";
import { UsageError } from "../args.ts";
import { convertInput } from "../variables.ts";
import { readCsvRows } from "./read_csv.ts";
import { readJsonRows } from "./read_json.ts";
import { readYamlRows } from "./read_yaml.ts";
import { type Row, RowsError } from "./rows.ts";

/** The most bytes that a file of cases may have. */
const MAX_BYTES = 32 << 20;
/** How many mistakes of a file are shown. */
const MAX_SHOWN = 100;
/** The column that names a case, unless it is a variable of the recipe. */
const NAME_COLUMN = "case";
/** The longest name of a case that is made from its values, in characters. */
const MAX_NAME = 100;

/**
 * Reads the file of a recipe's `cases` into its rows, with all mistakes in it.
 * @param path The path of the file, as the process can open it.
 */
export async function readCases(
  recipe: Recipe,
  path: string,
): Promise<{ rows: CaseRow[]; diagnostics: Diagnostic[] }> {
  const ofRecipe = new Diagnostics(recipe.source);
  let source: Source;
  try {
    source = new Source(path, await readDataFile(path, "cases", MAX_BYTES));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const code = error.code === "EFBIG" ? "too-large" : "cannot-read";
    ofRecipe.error(code, recipe.cases!.span, error.message);
    return { rows: [], diagnostics: ofRecipe.all() };
  }
  if (source.text.trim() === "") {
    ofRecipe.error("wrong-value", recipe.cases!.span, `'${path}' is empty`);
    return { rows: [], diagnostics: ofRecipe.all() };
  }
  const found = new Diagnostics(source);
  try {
    const { rows, diagnostics } = await readRows(source);
    if (diagnostics.length > 0) return { rows: [], diagnostics };
    const matrix = Math.max(1, recipe.matrix.length);
    if (rows.length === 0) {
      found.error("wrong-value", { start: 0, end: 1 }, "the file has no cases");
    } else if (rows.length * matrix > MAX_CASES) {
      const by = matrix > 1 ? `, with the ${matrix} of \`matrix\`` : "";
      const message = `more than ${MAX_CASES} cases${by}`;
      found.error("too-large", rows[Math.floor(MAX_CASES / matrix)]!.span, message);
    }
    if (found.failed) return { rows: [], diagnostics: found.all() };
    return { rows: checkRows(rows, recipe, found), diagnostics: shown(found) };
  } catch (error) {
    if (!(error instanceof RowsError)) throw error;
    found.error("wrong-value", error.span, error.message);
    return { rows: [], diagnostics: found.all() };
  }
}

async function readRows(source: Source): Promise<{ rows: Row[]; diagnostics: Diagnostic[] }> {
  if (/\.csv$/i.test(source.name)) return { rows: await readCsvRows(source), diagnostics: [] };
  if (/\.json$/i.test(source.name)) return { rows: readJsonRows(source), diagnostics: [] };
  return await readYamlRows(source);
}

/** Converts the values of rows to the types of the variables. */
function checkRows(rows: readonly Row[], recipe: Recipe, found: Diagnostics): CaseRow[] {
  const types = new Map(recipe.vars.map(({ name, type }) => [name, type]));
  const required = recipe.vars.filter(({ value }) => value === undefined);
  const hasNames = !types.has(NAME_COLUMN);
  return rows.map(({ span, cells }) => {
    const values: Record<string, unknown> = {};
    let name: string | undefined;
    for (const cell of cells) {
      const type = types.get(cell.name);
      const { input } = cell;
      if (hasNames && cell.name === NAME_COLUMN) {
        const value = "text" in input ? input.text : input.value;
        if (typeof value === "object") {
          found.error("wrong-type", cell.span, `\`${NAME_COLUMN}\` must be text`);
        }
        name = String(value);
      } else if (type === undefined) {
        const label = didYouMean(cell.name, [...types.keys()]) ?? "declare it under `vars`";
        const message = `unknown variable \`${cell.name}\``;
        found.error("unknown-variable", cell.nameSpan, message, { label });
      } else {
        try {
          values[cell.name] = convertInput(cell.name, input, type);
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
          found.error("wrong-type", cell.span, lowerFirst(error.message));
        }
      }
    }
    for (const { name } of required) {
      if (cells.some((cell) => cell.name === name)) continue;
      found.error("missing-variable", firstLine(span, found), `variable \`${name}\` has no value`);
    }
    return { name: name ?? nameOf(values), values };
  });
}

function nameOf(values: Record<string, unknown>): string {
  const parts = Object.entries(values).map(([name, value]) =>
    `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`
  );
  const text = parts.join(", ");
  return text.length <= MAX_NAME ? text : `${text.slice(0, MAX_NAME).toWellFormed()}…`;
}

/** The mistakes to show: the first ones, and how many there are besides. */
function shown(found: Diagnostics): Diagnostic[] {
  const all = found.all();
  const next = all[MAX_SHOWN];
  if (!next) return all;
  const message = `and ${all.length - MAX_SHOWN} more mistakes from here on`;
  return [...all.slice(0, MAX_SHOWN), { ...next, message }];
}

function firstLine({ start, end }: Span, { source }: Diagnostics): Span {
  const feed = source.text.indexOf("\n", start);
  return { start, end: feed === -1 ? end : Math.min(end, Math.max(feed, start + 1)) };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
