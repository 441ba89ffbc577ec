import type { Diagnostic } from "../language/diagnostic.ts";
import type { Recipe } from "../language/model.ts";
import { withUsed } from "../recipe/used_recipes.ts";
import { withNested } from "../steps/step_kinds.ts";
import type { ServerOptions } from "./server.ts";

/** A server that runs elsewhere. */
export type Elsewhere = Pick<ServerOptions, "url" | "token">;

/** How long to wait for the admin API, which not every server has, in milliseconds. */
const ADMIN_TIMEOUT = 2_000;

/** Finds workflows in recipes that a server which runs elsewhere is known not to have. */
export async function unknownWorkflows(
  recipes: readonly Recipe[],
  server: Elsewhere,
  signal: AbortSignal,
): Promise<Diagnostic[]> {
  const startsAny = [...withUsed(recipes)].some(({ script, steps, always }) =>
    script || withNested([...steps, ...always]).some(({ kind }) => kind === "start")
  );
  if (!startsAny) return [];
  const { checkWorkflows } = await import("./check_workflows.ts");
  return await checkWorkflows(recipes, () => workflowNames(server, signal));
}

/** Returns the names of the workflows of a server that runs elsewhere, if it has an admin API. */
export async function workflowNames(
  { url, token }: Elsewhere,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  if (url === undefined) return undefined;
  try {
    const { DispatchAdmin } = await import("../../client/http/dispatch_admin.ts");
    using admin = new DispatchAdmin({ url, token, maxRetries: 0 });
    return await admin.workflows({ signal, timeout: ADMIN_TIMEOUT });
  } catch {
    // Most servers have no such API. What depends on the names is then said by the server itself.
    return undefined;
  }
}
