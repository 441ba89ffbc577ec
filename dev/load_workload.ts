import { isRecord } from "../protocol/mod.ts";
import { someText } from "../runtime/check_options.ts";
import type { JobDefinition, WorkflowDefinition } from "./define.ts";
import type { CronDefinition } from "./define_cron.ts";
import { versionOf } from "./engine/registry.ts";
import { checkArgument } from "./options_error.ts";
import type { Workload } from "./options.ts";

type Definition = JobDefinition | WorkflowDefinition | CronDefinition;

/**
 * Thrown when a file cannot be loaded as a workload.
 *
 * @example
 * ```ts
 * import { loadWorkload, WorkloadError } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(loadWorkload("no_such_file.ts"), WorkloadError);
 * ```
 */
export class WorkloadError extends Error {
  /** Always `"bad_workload"`. */
  readonly code = "bad_workload";

  /** Creates an error for a file. */
  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`Cannot load workload '${file}': ${reason}`, options);
    this.name = "WorkloadError";
  }
}

/**
 * Imports a file as a workload. It uses the exports `jobs`, `workflows`, `crons`, `tokens`,
 * `queues`, `concurrency` and `backoff`, the default export (a workload or a list of definitions),
 * and every other export that is a definition.
 *
 * @example
 * ```ts
 * import { createDevServer, loadWorkload } from "@dispatch/sdk/dev";
 *
 * async function start(file: string) {
 *   return await createDevServer(await loadWorkload(file));
 * }
 * ```
 *
 * @param version Runtimes cache imports; another version imports the file again.
 * @throws {WorkloadError} If the file cannot be imported or has no definitions.
 */
export async function loadWorkload(file: string, version?: string): Promise<Workload> {
  checkArgument("load workload", "file", file, someText);
  return (await loadWithReset(file, version)).workload;
}

/** A workload, and the functions that its file exports for its state. */
export interface ResettableWorkload {
  /** The workload. */
  workload: Workload;
  /** Gives the state of the file's modules its first values. */
  reset?: () => unknown;
  /** Gives what a process has in memory its first values. */
  restart?: () => unknown;
}

/**
 * Imports a file as a workload, together with its `reset` and `restart`.
 * @throws {WorkloadError} If the file cannot be imported or has no definitions.
 */
export async function loadWithReset(file: string, version?: string): Promise<ResettableWorkload> {
  const url = fileUrl(file);
  if (version !== undefined) url.searchParams.set("version", version);
  let module: Record<string, unknown>;
  try {
    // Bun ignores the query of a file URL, but not the query of a path.
    module = await import(
      "Bun" in globalThis ? decodeURIComponent(url.pathname) + url.search : url.href
    );
  } catch (cause) {
    throw new WorkloadError(file, `the import failed: ${(cause as Error).message}`, { cause });
  }
  const workload = toWorkload(module);
  if (workload.jobs!.length + workload.workflows!.length + workload.crons!.length === 0) {
    throw new WorkloadError(file, "it exports no job, workflow or cron entry");
  }
  const { reset, restart } = module;
  return {
    workload,
    ...(typeof reset === "function" ? { reset: () => reset() } : {}),
    ...(typeof restart === "function" ? { restart: () => restart() } : {}),
  };
}

/** Returns the URL of a file. A relative path starts at the working directory. */
export function fileUrl(file: string): URL {
  const globals = globalThis as { Deno?: { cwd(): string }; process?: { cwd(): string } };
  const cwd = globals.Deno?.cwd() ?? globals.process?.cwd() ?? "/";
  const base = cwd.replaceAll("\\", "/").replace(/\/*$/, "/");
  const path = file.replaceAll("\\", "/");
  return new URL(path, `file://${base.startsWith("/") ? "" : "/"}${encodeURI(base)}`);
}

const SETTINGS = ["tokens", "queues", "concurrency", "backoff"];

function toWorkload(module: Record<string, unknown>): Workload {
  const definitions = new Map<string, Definition>();
  const settings: Record<string, unknown> = {};
  const collect = (value: unknown): void => {
    if (isDefinition(value)) definitions.set(keyOf(value), value);
    else if (Array.isArray(value)) value.forEach(collect);
    else if (isRecord(value)) Object.values(value).filter(isDefinition).forEach(collect);
  };
  const collectExports = (exports: Record<string, unknown>): void => {
    for (const [name, value] of Object.entries(exports)) {
      if (name === "default") continue;
      if (SETTINGS.includes(name)) settings[name] = value;
      else collect(value);
    }
  };
  const { default: main } = module;
  if (isRecord(main) && !isDefinition(main)) collectExports(main);
  else collect(main);
  collectExports(module);
  const all = [...definitions.values()];
  return {
    ...settings,
    jobs: all.filter((definition) => definition.kind === "job"),
    workflows: all.filter((definition) => definition.kind === "workflow"),
    crons: all.filter((definition) => definition.kind === "cron"),
  };
}

/** Identifies a definition, so that one that is exported twice counts once. */
function keyOf(definition: Definition): string {
  const version = definition.kind === "workflow" ? versionOf(definition) : 1;
  return `${definition.kind} ${definition.name} ${version}`;
}

function isDefinition(value: unknown): value is Definition {
  if (!isRecord(value) || typeof value.name !== "string") return false;
  return value.kind === "job" || value.kind === "workflow" || value.kind === "cron";
}
