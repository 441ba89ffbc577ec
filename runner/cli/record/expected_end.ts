import type { ChangingValues } from "./changing_values.ts";
import type { RecipeValues } from "./recipe_values.ts";
import { type Checkpoint, isEventWait, type RecordedRun, spawnedId } from "./recorded_run.ts";

/** What a run is expected to be at its end. */
export interface ExpectedEnd {
  expect: Record<string, unknown>;
  /** What is not expected, because it cannot be the same again or cannot be read. */
  remarks: string[];
}

/** Describes the end of a run for an `expect`: its state, error, output, checkpoints and results. */
export function expectedEnd(
  { run, isJson, checkpoints }: RecordedRun,
  id: string,
  values: RecipeValues,
  changing: ChangingValues,
): ExpectedEnd {
  const remarks: string[] = [];
  const expect: Record<string, unknown> = { [`${id}.state`]: run.state };
  if (run.error) expect[`${id}.error`] = expectedError(run.error, values, changing);
  const obstacle = (value: unknown, isOpaque: boolean) =>
    isOpaque
      ? "is not JSON"
      : changing.isIn(value)
      ? "has ids or times"
      : hasInexact(value)
      ? "has a whole number beyond 2^53"
      : values.masks(value)
      ? "has something that is masked"
      : undefined;
  if (run.output !== undefined && run.output !== null) {
    const why = obstacle(run.output, !isJson.output);
    if (why !== undefined) remarks.push(`The output ${why}, so it is not expected.`);
    else expect[`${id}.output`] = { equals: values.value(run.output) };
  }
  const names = checkpoints.map(({ name }) => name);
  const groups = concurrentGroups(names, run.error ?? "");
  const isConcurrent = (name: string) => groups.some(({ prefix }) => name.startsWith(prefix));
  const filters = groups.map(({ prefix }) => `!s.step_name.startsWith(${values.quoted(prefix)})`);
  const filter = filters.length === 0 ? "" : `.filter(s, ${filters.join(" && ")})`;
  expect[`${id}.steps${filter}.map(s, s.step_name)`] = names
    .filter((name) => !isConcurrent(name)).map((name) => values.text(name));
  for (const { prefix, isComplete } of groups) {
    const key = `${id}.steps.filter(s, s.step_name.startsWith(${values.quoted(prefix)}))`;
    const length = names.filter((name) => name.startsWith(prefix)).length;
    const group = prefix.slice(0, -1);
    if (isComplete) expect[key] = { length };
    else remarks.push(`Which steps of ${group} completed before one failed can differ.`);
  }
  const children = names.filter((name) => name.startsWith("child:"));
  for (const child of new Set(children.map((name) => name.replace(/:\d+$/, "")))) {
    remarks.push(
      `The timeline does not say which run ${child} was: events that it took are not recorded.`,
    );
  }
  for (const checkpoint of checkpoints) {
    const { name, data, isOpaque } = checkpoint;
    const path = `${id}.steps.filter(s, s.step_name == ${values.quoted(name)})[0].data`;
    if (spawnedId(checkpoint) !== undefined || data === undefined || data === null) continue;
    if (isEventWait(checkpoint)) {
      // Which event it was; the payload is that of any event of its name that is on the server.
      const event = data as { name?: unknown };
      if (name.startsWith("waitany:")) expect[`${path}.name`] = values.value(event.name);
    } else if (!isIncomplete(checkpoint, groups)) {
      const why = obstacle(data, isOpaque);
      if (why === undefined) expect[path] = { equals: values.value(data) };
      else remarks.push(`The result of ${name} ${why}, so it is not expected.`);
    }
  }
  return { expect, remarks };
}

/** Whether a value has a whole number that may have lost digits. */
function hasInexact(value: unknown): boolean {
  if (typeof value === "number") return Number.isInteger(value) && !Number.isSafeInteger(value);
  return typeof value === "object" && value !== null && Object.values(value).some(hasInexact);
}

/** The error, or a pattern if it has parts that change. */
function expectedError(error: string, values: RecipeValues, changing: ChangingValues): unknown {
  const parts = changing.split(error);
  if (parts.length === 1 && !values.masks(error)) return values.text(error);
  const patterns = parts.map((part) =>
    values.plain(part).replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replaceAll("\\*\\*\\*", ".*")
  );
  return { matches: `^${patterns.join("\\S+")}$` };
}

/** Checkpoints that are saved in any order. */
interface ConcurrentGroup {
  /** The beginning of their names. */
  prefix: string;
  /** Whether all of the group completed. */
  isComplete: boolean;
}

function concurrentGroups(names: readonly string[], error: string): ConcurrentGroup[] {
  const groups = new Map<string, boolean>();
  for (const name of names) {
    const parallel = /^parallel:.+(?=:\d+$)/s.exec(name)?.[0];
    if (parallel !== undefined) groups.set(`${parallel}:`, names.includes(parallel));
    const child = /^child:(.+):\d+$/s.exec(name)?.[1];
    if (child !== undefined) {
      const isComplete = names.includes(`fanout:${child}`);
      // Otherwise it is one of several children that ran one after the other.
      if (isComplete || /\bfanout\b/.test(error)) groups.set(`child:${child}:`, isComplete);
    }
    if (name.startsWith("waitall:")) groups.set("waitall:", true);
  }
  return [...groups].map(([prefix, isComplete]) => ({ prefix, isComplete }));
}

function isIncomplete({ name }: Checkpoint, groups: readonly ConcurrentGroup[]): boolean {
  return groups.some(({ prefix, isComplete }) => !isComplete && name.startsWith(prefix));
}
