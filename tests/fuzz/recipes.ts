/**
 * Checks mutated recipes: `deno run -A tests/fuzz/recipes.ts [count] [seed]`. No text may make the
 * checks throw, hang or mark a place outside of the file.
 *
 * @module
 */
import { pathToFileURL } from "node:url";
import { readRecipe } from "../../runner/recipe/read_recipe.ts";
import { renderDiagnostic } from "../../runner/language/render_diagnostic.ts";
import { seededRandom } from "../../runtime/random.ts";
import { listDirectory, readTextFile } from "../../runtime/file.ts";
import { mainModulePath, processArgs } from "../../runtime/process.ts";

/** A text that the checks cannot handle. */
export interface Finding {
  text: string;
  problem: string;
}

/** Pieces of text that the parsers treat specially. */
const PIECES = [
  ...["${{", "}}", "{", "}", "[", "]", ":", " :", ": ", "- ", "-", "\n", "\n  ", "\t", "#", " # "],
  ...[
    '"',
    "'",
    "\\",
    "|",
    ">",
    "|-\n",
    "&a ",
    "*a",
    "!!str ",
    "!x ",
    "<<: ",
    "? ",
    "---\n",
    "...\n",
  ],
  ...["%YAML 1.1\n", "\u0000", "\uFEFF", "\r", "\u2028", "😀", "\ud800", "e\u0301", "\u202e", "９"],
  ...["0012", "1e999", "-0", ".inf", "NaN", "null", "~", "true", "yes", "9007199254740993", "0x1F"],
  ...[
    "steps:",
    "always:",
    "wait:",
    "assert:",
    "expect:",
    "parallel:",
    "use: x",
    "for_each:",
    "if:",
  ],
  ...["id: a", "vars", "vars.", ".", "()", "(", ")", "&&", "||", "==", "? 1 : 2", ".exists(x, x)"],
  ...[
    "has(",
    "size(",
    "uuid()",
    "[0]",
    ".?a",
    '"""',
    "r'",
    "b'",
    "1.5",
    "in",
    "__proto__",
    "constructor",
  ],
  ...["toString: 1", "hasOwnProperty", "matrix:", "schedule: {cron: '* * * * *'}", "within: 1s"],
];

/** The texts of all recipes in the repository, including the golden ones. */
export async function corpus(): Promise<string[]> {
  const texts: string[] = [];
  for (const directory of ["recipes", "tests/golden"]) {
    for (const name of await listDirectory(directory)) {
      if (name.endsWith(".yaml")) texts.push(await readTextFile(`${directory}/${name}`));
    }
  }
  return texts;
}

/** Mutates texts; a seed reproduces the mutations. */
export function* mutations(
  texts: readonly string[],
  count: number,
  seed: number,
): Generator<string> {
  const random = seededRandom(seed);
  for (let i = 0; i < count; i++) {
    let text = pick(texts, random);
    for (let n = 1 + Math.floor(random() * 4); n > 0; n--) text = mutate(text, texts, random);
    yield text;
  }
}

/** Checks mutations of the repository's recipes, and returns up to `limit` findings. */
export async function fuzz(count: number, seed: number, limit = 10): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const text of mutations(await corpus(), count, seed)) {
    const problem = await problemOf(text);
    if (problem !== undefined) findings.push({ text, problem });
    if (findings.length === limit) break;
  }
  return findings;
}

async function problemOf(text: string): Promise<string | undefined> {
  try {
    const { recipe, diagnostics } = await readRecipe("fuzz.yaml", text);
    if (!recipe && !diagnostics.some(({ severity }) => severity === "error")) {
      return "there is neither a recipe nor an error";
    }
    for (const diagnostic of diagnostics) {
      const { start, end } = diagnostic.span;
      if (!(start >= 0 && end >= start && end <= text.length + 1)) {
        return `${diagnostic.code} is marked from ${start} to ${end} of ${text.length}`;
      }
      const shown = renderDiagnostic(diagnostic);
      // deno-lint-ignore no-control-regex
      if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(shown)) return "a control character is printed";
      if (/\n\s+at .*:\d+:\d+/.test(shown)) return `a stack trace is printed: ${shown}`;
    }
    return undefined;
  } catch (error) {
    return (error as Error).stack ?? String(error);
  }
}

function mutate(text: string, corpus: readonly string[], random: () => number): string {
  const at = Math.floor(random() * (text.length + 1));
  const to = Math.min(text.length, at + Math.floor(random() * random() * 40));
  switch (Math.floor(random() * 7)) {
    case 0:
      return text.slice(0, at) + text.slice(to);
    case 1:
      return text.slice(0, at) + pick(PIECES, random) + text.slice(at);
    case 2:
      return text.slice(0, at) + pick(PIECES, random) + text.slice(to);
    case 3:
      return text.slice(0, to) + text.slice(at);
    case 4: {
      const lines = text.split("\n");
      const i = Math.floor(random() * lines.length);
      const [line] = lines.splice(i, 1);
      lines.splice(Math.floor(random() * (lines.length + 1)), 0, line!);
      return lines.join("\n");
    }
    case 5: {
      const other = pick(corpus, random).split("\n");
      const lines = text.split("\n");
      lines.splice(Math.floor(random() * lines.length), 0, pick(other, random));
      return lines.join("\n");
    }
    default: {
      const words = text.split(/\b/);
      words[Math.floor(random() * words.length)] = pick(words, random);
      return words.join("");
    }
  }
}

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)]!;
}

if (pathToFileURL(mainModulePath() ?? "").href === import.meta.url) {
  const [count = "100000", seed = "1"] = processArgs();
  const findings = await fuzz(Number(count), Number(seed));
  for (const { text, problem } of findings) {
    // deno-lint-ignore no-console
    console.log(`${problem}\n----\n${text}\n====`);
  }
  // deno-lint-ignore no-console
  console.log(`${count} mutations, ${findings.length} findings`);
}
