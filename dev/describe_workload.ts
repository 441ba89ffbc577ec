import type { HandlerNames } from "./_handler_names.ts";
import type { WorkflowDefinition } from "./define.ts";
import { queueLimits, Registry } from "./engine/registry.ts";
import type { Workload } from "./options.ts";
import type { StandardSchema } from "./schema.ts";

/** What a server with a workload knows, for checks of recipes before anything is sent. */
export class WorkloadDescription {
  /** The names of the jobs. */
  readonly jobs: readonly string[];
  /** The names of the workflows. */
  readonly workflows: readonly string[];
  /** The queues that the workers read. */
  readonly queues: readonly string[];
  readonly #workload: Workload;
  readonly #registry = new Registry();

  /** Describes a workload. */
  constructor(workload: Workload) {
    this.#workload = workload;
    this.#registry.replace(workload);
    this.jobs = [...new Set(workload.jobs?.map(({ name }) => name))];
    this.workflows = [...new Set(workload.workflows?.map(({ name }) => name))];
    this.queues = [...queueLimits(workload).keys()];
  }

  /** The schema of a job's payload. */
  payloadOf(job: string): StandardSchema | undefined {
    return this.#registry.job(job)?.options.payload;
  }

  /** The schema of a workflow's input. */
  inputOf(workflow: string): StandardSchema | undefined {
    return this.#registry.workflow(workflow)?.options.input;
  }

  /**
   * Returns the events that workflows wait for if that of this name is certainly none of them. The
   * source of the workflows may not show all, because a name is computed.
   */
  async eventsWithout(event: string): Promise<string[] | undefined> {
    return await namesWithout(this.#workload.workflows ?? [], event, ({ events }) => events);
  }

  /** Returns the events that workflows wait for, as far as their sources show them. */
  async events(): Promise<string[]> {
    const { namesIn } = await import("./_handler_names.ts");
    const all = (this.#workload.workflows ?? []).flatMap(({ handler }) => [
      ...namesIn(Function.prototype.toString.call(handler))?.events ?? [],
    ]);
    return [...new Set(all)];
  }

  /** Returns the checkpoints of a workflow's runs if that of this name is certainly none of them. */
  async checkpointsWithout(workflow: string, checkpoint: string): Promise<string[] | undefined> {
    const own = this.#workload.workflows?.filter(({ name }) => name === workflow) ?? [];
    // The third step of a `parallel` is `parallel:<group>:2`.
    const name = checkpoint.replace(/^(parallel|child|spawn):(.*):\d+$/, "$1:$2");
    return await namesWithout(own, name, ({ checkpoints }) => checkpoints);
  }
}

async function namesWithout(
  workflows: readonly WorkflowDefinition[],
  name: string,
  select: (names: HandlerNames) => ReadonlySet<string>,
): Promise<string[] | undefined> {
  const sources = workflows.map(({ handler }) => Function.prototype.toString.call(handler));
  // Most names are right, so that the sources need not be read.
  if (sources.some((source) => /["'`]/.test(name) || hasText(source, name))) return undefined;
  const { namesIn } = await import("./_handler_names.ts");
  const all: string[] = [];
  for (const source of sources) {
    const names = namesIn(source);
    if (!names) return undefined;
    all.push(...select(names));
  }
  return all.includes(name) ? undefined : [...new Set(all)];
}

function hasText(source: string, text: string): boolean {
  return ['"', "'", "`"].some((quote) => source.includes(quote + text + quote));
}
