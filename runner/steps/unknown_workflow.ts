import { didYouMean } from "../../runtime/suggest.ts";

/** Returns which workflow may be meant, or which there are. */
export function workflowHint(name: string, known: readonly string[]): string {
  return didYouMean(name, known) ??
    `the server has ${known.length === 0 ? "no workflows" : known.join(", ")}`;
}

/**
 * Returns a hint for the error of a `start` if the server does not know the workflow.
 *
 * @param names Returns the names of the server's workflows, if it can tell.
 */
export async function unknownWorkflowHint(
  error: unknown,
  name: string,
  names: () => Promise<readonly string[] | undefined>,
): Promise<string | undefined> {
  const { message, code } = error as Error & { code?: unknown };
  if (typeof code !== "number" || !/\bno workflow registered\b/.test(message)) return undefined;
  const known = await names();
  return known && workflowHint(name, known);
}
