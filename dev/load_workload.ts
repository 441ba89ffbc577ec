import { isRecord } from "../protocol/mod.ts";
import type { CronDefinition, JobDefinition, WorkflowDefinition } from "./define.ts";
import type { Workload } from "./options.ts";

type Definition = JobDefinition | WorkflowDefinition | CronDefinition;

/** Thrown when a file is no workload. */
export class WorkloadError extends Error {
  /** Always `"bad_workload"`. */
  readonly code = "bad_workload";

  /** Names the file and what is wrong with it. */
  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`Cannot load workload: ${file} ${reason}`, options);
    this.name = "WorkloadError";
  }
}

/**
 * Imports a file's workload: its exports `jobs`, `workflows`, `crons`, `tokens`, `queues`,
 * `concurrency` and `backoff`, its default export (a workload, or a list of definitions), and every
 * other export that is a definition.
 *
 * @param version Of one file each version is imported once; another one imports it anew.
 * @throws {WorkloadError} When the file cannot be imported or defines nothing.
 */
export async function loadWorkload(file: string, version?: string): Promise<Workload> {
  const url = fileUrl(file);
  if (version !== undefined) url.searchParams.set("version", version);
  let module: Record<string, unknown>;
  try {
    // Bun forgets the query of a file's URL, but not that of its path.
    module = await import(
      "Bun" in globalThis ? decodeURIComponent(url.pathname) + url.search : url.href
    );
  } catch (cause) {
    throw new WorkloadError(file, `cannot be imported: ${(cause as Error).message}`, { cause });
  }
  const workload = workloadOf(module);
  if (workload.jobs!.length + workload.workflows!.length + workload.crons!.length === 0) {
    throw new WorkloadError(file, "exports no job, no workflow and no cron entry");
  }
  return workload;
}

/** A file's URL; a relative path begins at the working directory. */
export function fileUrl(file: string): URL {
  const globals = globalThis as { Deno?: { cwd(): string }; process?: { cwd(): string } };
  const cwd = globals.Deno?.cwd() ?? globals.process?.cwd() ?? "/";
  const base = cwd.replaceAll("\\", "/").replace(/\/*$/, "/");
  const path = file.replaceAll("\\", "/");
  return new URL(path, `file://${base.startsWith("/") ? "" : "/"}${encodeURI(base)}`);
}

function workloadOf(module: Record<string, unknown>): Workload {
  const found = new Map<string, Definition>();
  const collect = (value: unknown): void => {
    if (isDefinition(value)) found.set(`${value.kind} ${value.name} ${versionOf(value)}`, value);
    else if (Array.isArray(value)) value.forEach(collect);
    else if (isRecord(value)) {
      Object.values(value).forEach((inner) => isDefinition(inner) && collect(inner));
    }
  };
  const settings: Record<string, unknown> = {};
  const take = (exports: Record<string, unknown>): void => {
    for (const [name, value] of Object.entries(exports)) {
      if (name === "default") continue;
      if (SETTINGS.includes(name)) settings[name] = value;
      else collect(value);
    }
  };
  const { default: main } = module;
  if (isRecord(main) && !isDefinition(main)) take(main);
  else collect(main);
  take(module);
  const definitions = [...found.values()];
  return {
    ...settings,
    jobs: definitions.filter((one) => one.kind === "job"),
    workflows: definitions.filter((one) => one.kind === "workflow"),
    crons: definitions.filter((one) => one.kind === "cron"),
  };
}

const SETTINGS = ["tokens", "queues", "concurrency", "backoff"];

function versionOf(definition: Definition): number {
  return definition.kind === "workflow" ? definition.options.version ?? 1 : 1;
}

function isDefinition(value: unknown): value is Definition {
  if (!isRecord(value) || typeof value.name !== "string") return false;
  return value.kind === "job" || value.kind === "workflow" || value.kind === "cron";
}
