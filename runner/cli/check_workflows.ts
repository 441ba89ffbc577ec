import { type Diagnostic, Diagnostics } from "../language/diagnostic.ts";
import type { Recipe } from "../language/model.ts";
import type { Source, Span } from "../language/source.ts";
import { withUsed } from "../recipe/used_recipes.ts";
import { workflowHint } from "../steps/unknown_workflow.ts";
import { literalName, writtenSteps } from "./check_server_names.ts";

/**
 * Finds workflows in recipes that a server which runs elsewhere does not have.
 *
 * @param names Returns the names of its workflows, if it can tell; called if there is one to check.
 */
export async function checkWorkflows(
  recipes: readonly Recipe[],
  names: () => Promise<readonly string[] | undefined>,
): Promise<Diagnostic[]> {
  const started: { name: string; place: Span; source: Source }[] = [];
  for (const recipe of withUsed(recipes)) {
    for (const step of await writtenSteps(recipe)) {
      const written = step.kind === "start" && literalName(step.fields.start, step);
      if (written) started.push({ ...written, source: recipe.source });
    }
  }
  const known = started.length === 0 ? undefined : await names();
  if (!known) return [];
  return started.filter(({ name }) => !known.includes(name)).flatMap(({ name, place, source }) => {
    const diagnostics = new Diagnostics(source);
    const label = workflowHint(name, known);
    diagnostics.error("unknown-workflow", place, `the server has no workflow \`${name}\``, {
      label,
    });
    return diagnostics.all();
  });
}
