import type { JobDefinition, WorkflowDefinition } from "../define.ts";
import type { Workload } from "../options.ts";

/** Looks up the job and workflow definitions of a server by name. */
export class Registry {
  readonly #jobs = new Map<string, JobDefinition>();
  readonly #workflows = new Map<string, WorkflowDefinition[]>();

  /** Replaces all definitions. Work in progress continues with the definition it began with. */
  replace({ jobs = [], workflows = [] }: Workload): void {
    this.#jobs.clear();
    this.#workflows.clear();
    for (const job of jobs) this.#jobs.set(job.name, job);
    for (const workflow of workflows) {
      const others = (this.#workflows.get(workflow.name) ?? [])
        .filter((other) => versionOf(other) !== versionOf(workflow));
      this.#workflows.set(workflow.name, [...others, workflow]);
    }
  }

  /** Finds a job's definition. */
  job(name: string): JobDefinition | undefined {
    return this.#jobs.get(name);
  }

  /** Lists the names of the workflows. */
  workflowNames(): string[] {
    return [...this.#workflows.keys()];
  }

  /** Finds a workflow's definition; without a version, the one with the highest version. */
  workflow(name: string, version?: number): WorkflowDefinition | undefined {
    const versions = this.#workflows.get(name) ?? [];
    if (version !== undefined) return versions.find((each) => versionOf(each) === version);
    return versions.toSorted((a, b) => versionOf(b) - versionOf(a))[0];
  }
}

/** Returns a definition's version, which is at least 1. */
export function versionOf(workflow: WorkflowDefinition): number {
  const version = workflow.options.version ?? 1;
  return version > 0 ? version : 1;
}

/** Returns the queues to work on, and how many jobs may run at a time in each. */
export function queueLimits({ queues, jobs = [], crons = [] }: Workload): Map<string, number> {
  if (queues && !Array.isArray(queues)) {
    return new Map(Object.entries(queues as Record<string, number>));
  }
  const named = [...jobs, ...crons].flatMap(({ options }) => options.queue ?? []);
  const names = (queues as readonly string[] | undefined) ?? ["default", ...named];
  return new Map(names.map((name) => [name, Infinity]));
}
