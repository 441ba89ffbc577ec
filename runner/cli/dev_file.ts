import { abortable } from "../../runtime/abortable.ts";
import {
  firstLine,
  missingPackageHint,
  placeOfError,
  relativePath,
} from "../script/module_error.ts";
import { DevFileError } from "./args.ts";
import type { CommandContext } from "./command.ts";

type Workload = import("../../dev/mod.ts").Workload;
type ResettableWorkload = import("../../dev/load_workload.ts").ResettableWorkload;

/** How often each file was loaded in this process. */
const loads = new Map<string, number>();

/**
 * Loads a file of jobs and workflows. When it was loaded before, it is loaded anew, because it may
 * have changed.
 *
 * @throws {DevFileError} When the file cannot be loaded or exports no definitions.
 */
export async function loadDevFile(
  file: string,
  context: Pick<CommandContext, "guard" | "signal">,
): Promise<Workload> {
  return (await loadResettable(file, context)).workload;
}

/** Like {@linkcode loadDevFile}, together with the functions that the file exports for its state. */
export async function loadResettable(
  file: string,
  { guard, signal }: Pick<CommandContext, "guard" | "signal">,
): Promise<ResettableWorkload> {
  const [{ loadWithReset }, { provideOwnPackage }, { versionModules }] = await Promise.all([
    import("../../dev/load_workload.ts"),
    import("./own_package.ts"),
    import("../script/module_versions.ts"),
  ]);
  await provideOwnPackage(file);
  // What it imports is loaded anew if it has changed.
  await versionModules(file);
  const count = loads.get(file) ?? 0;
  loads.set(file, count + 1);
  guard?.start();
  try {
    return await abortable(loadWithReset(file, count === 0 ? undefined : String(count)), signal);
  } catch (error) {
    if (signal.aborted) throw error;
    guard?.take((error as Error).cause);
    throw devFileError(file, error);
  }
}

/** Returns the error to print for a file that cannot be loaded, with the place in the file. */
export function devFileError(file: string, error: unknown): unknown {
  const { code, message, cause } = error as Error & { code?: string };
  if (code !== "bad_workload") return error;
  if (!(cause instanceof Error)) return new DevFileError(message);
  const site = placeOfError(cause);
  const path = site && relativePath(site.file.replace(/\?version=\d+$/, ""));
  const place = path === undefined ? "" : ` (${path}:${site!.line}:${site!.column})`;
  const hint = missingPackageHint(cause);
  return new DevFileError(
    `Cannot load workload '${file}': the import failed: ${firstLine(cause)}${place}` +
      (hint === undefined ? "" : `: ${hint}`),
  );
}
