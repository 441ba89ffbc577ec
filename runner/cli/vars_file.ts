import { FileError, readDataFile } from "../../runtime/file.ts";
import { Diagnostics } from "../language/diagnostic.ts";
import { plainValue } from "../language/node.ts";
import { renderDiagnostic } from "../language/render_diagnostic.ts";
import { Source } from "../language/source.ts";
import { MAX_BYTES, readYaml } from "../language/yaml.ts";
import { UsageError } from "./args.ts";

/**
 * Reads variables from a YAML or JSON file.
 * @throws {UsageError} When the file cannot be read or is not a map.
 */
export async function readVarsFile(path: string): Promise<Map<string, unknown>> {
  let text: string;
  try {
    text = await readDataFile(path, "variables", MAX_BYTES);
  } catch (error) {
    if (error instanceof FileError) throw new UsageError(error.message);
    throw error;
  }
  const diagnostics = new Diagnostics(new Source(path, text));
  const root = await readYaml(diagnostics);
  if (diagnostics.failed) {
    const [first] = diagnostics.all();
    throw new UsageError(`Cannot read variables '${path}'\n${renderDiagnostic(first!)}`);
  }
  if (root?.kind !== "map") {
    throw new UsageError(`Cannot read variables '${path}': it is not a map`);
  }
  return new Map(root.entries.map(({ key, value }) => [key, plainValue(value)]));
}
