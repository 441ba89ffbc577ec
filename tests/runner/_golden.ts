import { listDirectory } from "../../runtime/file.ts";
import { runnerCli } from "./_cli.ts";

/** Recipes that others use; they show no diagnostic of their own. */
const USED = new Set(["used", "circle"]);
/**
 * The command that reports a code. Without options `check` looks neither at the environment nor for
 * the targets of alerts.
 */
const REPORTED_BY: Readonly<Record<string, string>> = {
  "missing-secret": "run",
  "missing-variable": "run",
  "unknown-target": "schedule",
};

/** The recipe in tests/golden that shows each code. That of `cannot-read` does not exist. */
export async function goldenRecipes(): Promise<Map<string, string>> {
  const recipes = new Map([["cannot-read", "tests/golden/cannot-read.yaml"]]);
  for (const file of await listDirectory("tests/golden")) {
    const [, name] = /^(.+)\.(?:yaml|ts)$/.exec(file) ?? [];
    if (name !== undefined && !USED.has(name)) recipes.set(name, `tests/golden/${file}`);
  }
  return recipes;
}

/** The file that holds what the command line prints for a code's recipe. */
export function goldenTextFile(code: string): string {
  return `tests/golden/${code}.txt`;
}

/** What the command line prints for a code's recipe, and the codes it reports. */
export async function goldenText(
  code: string,
  file: string,
): Promise<{ exitCode: number; text: string; codes: string[] }> {
  const command = REPORTED_BY[code] ?? "check";
  const { code: exitCode, out, err } = await runnerCli([command, file]);
  const json = await runnerCli([command, "--format", "json", file]);
  const lines = json.out.split("\n").filter((line) => line !== "");
  const codes = lines.map((line) => JSON.parse(line).code);
  return { exitCode, text: out + err, codes };
}
