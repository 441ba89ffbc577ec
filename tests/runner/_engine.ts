// Loaded now, because the clock does not wait for modules.
import "node:async_hooks";
import "../../runner/expression/value_tree.ts";
import assert from "node:assert/strict";
import process from "node:process";
import { planCases, type PlannedCase, runCases, type RunOptions } from "../../runner/engine/run.ts";
import type { Recipe, ScriptBody } from "../../runner/language/model.ts";
import type { RecipeEvent, Script } from "../../runner/mod.ts";
import { Source } from "../../runner/mod.ts";
import { readRecipe } from "../../runner/recipe/read_recipe.ts";
import { openScript } from "../../runner/script/running_script.ts";
import type { RunnerClient } from "../../runner/steps/context.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** Settings of {@linkcode runEngine}; those of `runCases` are optional. */
export interface EngineSettings extends Partial<Omit<RunOptions, "client" | "report">> {
  /** The methods of the client that the recipes call, or why there is no connection. */
  client?: object;
  /** The recipes that `use` finds, by their names. */
  files?: Record<string, string>;
  /** Returns the cases to run. */
  plan?: (recipes: Recipe[]) => readonly PlannedCase[];
  /** Called with each event. */
  onEvent?: (event: RecipeEvent) => void;
}

/** What a run has reported, and its exit code. */
export interface EngineResult {
  exitCode: number;
  events: RecipeEvent[];
  /** How long the run took on its clock, in milliseconds. */
  ms: number;
  /** Returns how long after the start of the run an event happened, in milliseconds. */
  at(event: RecipeEvent): number;
}

/** Reads a recipe that has no errors. */
export async function readValid(
  name: string,
  text: string,
  files: Record<string, string> = {},
): Promise<Recipe> {
  const load = (name: string) => Promise.resolve({ name, text: files[name]! });
  const { recipe, diagnostics } = await readRecipe(name, text, { load });
  assert.ok(recipe, diagnostics[0]?.message ?? "it has errors");
  return recipe;
}

/**
 * Runs recipes over a fake client, on a fake clock that skips to the next timer whenever nothing
 * else is left to do. Times are therefore exact.
 */
export async function runEngine(
  recipes: string | readonly (string | Recipe)[],
  settings: EngineSettings = {},
): Promise<EngineResult> {
  const { client = {}, files, plan = planCases, onEvent, ...options } = settings;
  const read = [recipes].flat().map((one, i) =>
    typeof one === "string" ? readValid(i === 0 ? "r.yaml" : `r${i + 1}.yaml`, one, files) : one
  );
  const cases = plan(await Promise.all(read));
  const clock = options.clock ?? new FakeClock();
  const began = clock.now();
  const events: RecipeEvent[] = [];
  const running = runCases(cases, {
    server: "none",
    random: () => 0.5,
    env: () => undefined,
    signal: new AbortController().signal,
    ...("openScript" in options ? {} : { openScript }),
    ...options,
    clock,
    client: client as RunnerClient,
    report(event) {
      events.push(event);
      onEvent?.(event);
    },
  });
  const { exitCode } = await skipUntil(running, clock as FakeClock);
  return {
    exitCode,
    events,
    ms: clock.now() - began,
    at: ({ ts }) => Date.parse(ts) - began,
  };
}

/** Returns a recipe in TypeScript, as if its module had been loaded. */
export function scriptRecipe(
  body: (t: Script) => Promise<void> | void,
  more: Partial<Recipe> = {},
): Recipe {
  return {
    name: "Script",
    source: new Source("r.recipe.ts", "export default recipe();\n"),
    script: body as ScriptBody,
    tags: [],
    timeout: undefined,
    vars: [],
    secrets: [],
    env: [],
    inputs: [],
    outputs: [],
    matrix: [],
    steps: [],
    always: [],
    channels: new Set(),
    eventIds: new Set(),
    uses: [],
    maintenance: [],
    ...more,
  };
}

/** Calls the listeners for unhandled errors that a run adds. */
export interface UnhandledErrors extends Disposable {
  /** Calls the listener with an error. */
  report(error: unknown): void;
  /** The number of listeners that were added and not removed. */
  readonly listeners: number;
}

/**
 * Collects the listeners for unhandled errors that a run adds, so that a test can call them: an error
 * that is really unhandled would fail the test.
 */
export function unhandledErrors(): UnhandledErrors {
  const { Deno } = globalThis as { Deno?: unknown };
  const target = Deno === undefined ? process : globalThis;
  const [add, remove] = Deno === undefined
    ? ["on", "off"] as const
    : ["addEventListener", "removeEventListener"] as const;
  const name = Deno === undefined ? "unhandledRejection" : "unhandledrejection";
  // deno-lint-ignore no-explicit-any
  const owner = target as any;
  const original = { add: owner[add], remove: owner[remove] };
  const listeners = new Set<(error: unknown) => void>();
  owner[add] = function (type: string, listener: (error: unknown) => void, ...rest: unknown[]) {
    if (type === name) listeners.add(listener);
    return original.add.call(this, type, listener, ...rest);
  };
  owner[remove] = function (type: string, listener: (error: unknown) => void) {
    if (type === name) listeners.delete(listener);
    return original.remove.call(this, type, listener);
  };
  return {
    report(error) {
      const event = { type: name, reason: error, preventDefault() {} };
      for (const listener of [...listeners]) listener(Deno === undefined ? error : event);
    },
    get listeners() {
      return listeners.size;
    },
    [Symbol.dispose]() {
      owner[add] = original.add;
      owner[remove] = original.remove;
    },
  };
}

/** Moves a clock from timer to timer until a promise settles. */
async function skipUntil<T>(promise: Promise<T>, clock: FakeClock): Promise<T> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let i = 0; !settled; i++) {
    if (i === 2_000) throw new Error(`it did not settle, with ${clock.pending} timers left`);
    // More than one turn of the event loop: steps of recipes in TypeScript yield to timers.
    for (let turn = 0; turn < 3 && !settled; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    const [next] = clock.due;
    if (!settled && next !== undefined) clock.advance(next);
  }
  return await promise;
}

/** The events of one type. */
export function ofType<T extends RecipeEvent["type"]>(
  { events }: Pick<EngineResult, "events">,
  type: T,
): Extract<RecipeEvent, { type: T }>[] {
  return events.filter((event) => event.type === type) as Extract<RecipeEvent, { type: T }>[];
}
