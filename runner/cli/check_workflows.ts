import { type Diagnostic, Diagnostics } from "../language/diagnostic.ts";
import type { Recipe } from "../language/model.ts";
import { withUsed } from "../recipe/used_recipes.ts";
import { withNested } from "../steps/step_kinds.ts";
import { workflowHint } from "../steps/unknown_workflow.ts";
import { literalName } from "./check_server_names.ts";

/**
 * Finds workflows in recipes that a server which runs elsewhere does not have.
 *
 * @param names Returns the names of its workflows, if it can tell; called if there is one to check.
 */
export async function checkWorkflows(
  recipes: readonly Recipe[],
  names: () => Promise<readonly string[] | undefined>,
): Promise<Diagnostic[]> {
  const started = [...withUsed(recipes)].flatMap(({ source, steps, always }) =>
    withNested([...steps, ...always]).flatMap((step) => {
      const written = step.kind === "start" && literalName(step.fields.start, step);
      return written ? [{ ...written, source }] : [];
    })
  );
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
