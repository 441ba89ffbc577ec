import { UsageError } from "../args.ts";
import type { CommandContext } from "../command.ts";
import { loadResettable } from "../dev_file.ts";
import { referenceWorkload } from "../server.ts";

type ResettableWorkload = import("../../../dev/load_workload.ts").ResettableWorkload;

/** Gives each run a workload whose state is new. */
export type WorkloadSource = () => Promise<ResettableWorkload>;

/**
 * Returns where the workloads of a file come from. A file that exports `reset` is loaded once and
 * reset before each run; another file is loaded anew for each.
 */
export async function workloadSource(
  dev: string | undefined,
  context: CommandContext,
): Promise<WorkloadSource> {
  if (dev === undefined) return async () => ({ workload: await referenceWorkload() });
  const first = await loadResettable(dev, context);
  const { reset } = first;
  if (reset) {
    return async () => {
      try {
        await reset();
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new UsageError(`Cannot reset '${dev}': ${why}`);
      }
      return first;
    };
  }
  // The first load was to find out whether there is a `reset`; nothing has used its state yet.
  let unused: ResettableWorkload | undefined = first;
  return async () => {
    const workload = unused ?? await loadResettable(dev, context);
    unused = undefined;
    return workload;
  };
}
