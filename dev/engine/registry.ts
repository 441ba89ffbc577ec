import type { CronDefinition, JobDefinition, WorkflowDefinition } from "../define.ts";

/** What a server knows how to do. */
export interface Definitions {
  jobs: readonly JobDefinition[];
  workflows: readonly WorkflowDefinition[];
  crons: readonly CronDefinition[];
}

/** Definitions by name; they can be replaced while the server runs. */
export class Registry {
  readonly jobs: Map<string, JobDefinition> = new Map();
  readonly workflows: Map<string, WorkflowDefinition[]> = new Map();
  readonly crons: Map<string, CronDefinition> = new Map();

  constructor(definitions: Definitions) {
    this.replace(definitions);
  }

  /** Forgets what is known and learns this. Work in progress goes on with what it began with. */
  replace(definitions: Definitions): void {
    this.jobs.clear();
    this.workflows.clear();
    this.crons.clear();
    for (const job of definitions.jobs) this.jobs.set(job.name, job);
    for (const cron of definitions.crons) this.crons.set(cron.name, cron);
    for (const workflow of definitions.workflows) {
      const others = (this.workflows.get(workflow.name) ?? [])
        .filter((other) => versionOf(other) !== versionOf(workflow));
      this.workflows.set(workflow.name, [...others, workflow]);
    }
  }

  /** A workflow's definition; without a version that of the highest. */
  workflow(name: string, version?: number): WorkflowDefinition | undefined {
    const versions = this.workflows.get(name) ?? [];
    if (version !== undefined) return versions.find((one) => versionOf(one) === version);
    return versions.toSorted((a, b) => versionOf(b) - versionOf(a))[0];
  }
}

/** A definition's version. */
export function versionOf(workflow: WorkflowDefinition): number {
  const version = workflow.options.version ?? 1;
  return version > 0 ? version : 1;
}
