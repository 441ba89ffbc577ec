import type { Definitions } from "../../client/definitions.ts";
import { mainModulePath } from "../../runtime/process.ts";
import { type CallSite, callSite } from "../events/call_site.ts";
import type { Script } from "./api.ts";

/** Options of a recipe in TypeScript. */
export interface RecipeOptions {
  /** What the recipe is for. */
  description?: string;
  /**
   * Tags that select the recipe: `--tag smoke`.
   * @default {[]}
   */
  tags?: string[];
  /**
   * How long the steps may take, such as `1m`.
   * @default {"5m"}
   */
  timeout?: string;
  /**
   * Variables and their values. `--var name=value` replaces a value.
   * @default {{}}
   */
  vars?: Record<string, unknown>;
  /**
   * The names of environment variables whose values all output masks.
   * @default {[]}
   */
  secrets?: string[];
  /**
   * Environment variables, with defaults for those that are not set.
   * @default {{}}
   */
  env?: Record<string, string | undefined>;
  /**
   * Channels whose events are kept from the start of the recipe, for waits that come later.
   * @default {[]}
   */
  channels?: string[];
  /** Why the recipe may fail without failing the run, and until when: a day in UTC, or a time. */
  quarantine?: { until: string; reason: string };
  /**
   * When `schedule` runs the recipe.
   * @default {undefined}
   */
  schedule?: ScheduleOptions;
  /**
   * When to send alerts about failures, and to whom; what it leaves out is in the file of `--health`.
   * @default {undefined}
   */
  alert?: AlertOptions;
  /**
   * Times at which `schedule` does not run the recipe.
   * @default {[]}
   */
  maintenance?: MaintenanceOptions | MaintenanceOptions[];
  /**
   * Whom each run of `schedule` is told to: the ping address of healthchecks.io or its equals, or one
   * of the services and addresses that the reference of recipes names.
   * @default {undefined}
   */
  heartbeat?: string | Record<string, unknown>;
}

/**
 * When a recipe runs: by a cron pattern, or at equal distances.
 *
 * @example
 * ```ts
 * import type { ScheduleOptions } from "@dispatch/sdk/runner";
 *
 * const schedule: ScheduleOptions = { every: "1m", jitter: "5s", every_while_failing: "10s" };
 * ```
 */
export interface ScheduleOptions {
  /** A cron pattern: `minute hour day month weekday`, or six fields with seconds first. */
  cron?: string;
  /**
   * The time zone of the pattern, such as `Europe/Berlin`.
   * @default {"UTC"}
   */
  timezone?: string;
  /** The time between two runs, instead of a pattern, such as `30s`; at least 1 s. */
  every?: string;
  /**
   * The longest random delay of a run.
   * @default {"0s"}
   */
  jitter?: string;
  /** The time from a run that failed to the next one; at least 1 s. */
  every_while_failing?: string;
}

/**
 * When alerts are raised and resolved, and who is told.
 *
 * @example
 * ```ts
 * import type { AlertOptions } from "@dispatch/sdk/runner";
 *
 * const alert: AlertOptions = { after: 3, remind: "4h", to: "https://example.com/hook" };
 * ```
 */
export interface AlertOptions {
  /**
   * How many failures in a row raise the alert.
   * @default {1}
   */
  after?: number;
  /** How many failures in which period raise it, instead of `after`: `5 of 10m`. */
  within?: string;
  /**
   * How many passes in a row resolve it.
   * @default {1}
   */
  resolve_after?: number;
  /** The time between two reminders, such as `4h`; without it there are none. */
  remind?: string;
  /** How many changes in which period count as flapping: `6 of 1h`. */
  flapping?: string;
  /** The names of targets, HTTP URLs or mail addresses that are told. */
  to?: string | string[];
}

/**
 * A time in which a recipe does not run: from one time to another, or repeatedly.
 *
 * @example
 * ```ts
 * import type { MaintenanceOptions } from "@dispatch/sdk/runner";
 *
 * const maintenance: MaintenanceOptions = { cron: "0 3 * * 0", duration: "1h" };
 * ```
 */
export interface MaintenanceOptions {
  /** The start, in RFC 3339. */
  from?: string;
  /** The end, in RFC 3339. */
  to?: string;
  /** A cron pattern for the starts of a repeated maintenance. */
  cron?: string;
  /**
   * The time zone of the pattern.
   * @default {"UTC"}
   */
  timezone?: string;
  /** How long a repeated maintenance lasts, such as `1h`. */
  duration?: string;
}

/** What a recipe of any copy of this package has, and how its recipes are made. */
const BRAND = Symbol.for("@dispatch/sdk/recipe");
const VERSION = 1;

/** The function of a recipe in TypeScript. */
// deno-lint-ignore no-explicit-any
export type RecipeBody<D extends Definitions = any> = (t: Script<D>) => Promise<void> | void;

/**
 * A recipe in TypeScript, the default or a named export of its module. The function `recipe` creates it.
 *
 * @example
 * ```ts
 * import { recipe, RecipeScript } from "@dispatch/sdk/runner";
 *
 * export const smoke: RecipeScript = recipe("Smoke", async (t) => {
 *   await t.wait(await t.enqueue("noop"));
 * });
 * ```
 */
export class RecipeScript {
  /** The recipe's name. */
  readonly name: string;
  /** The recipe's options. */
  readonly options: RecipeOptions;
  /** The recipe's function. */
  readonly body: RecipeBody;
  /** The values that it runs with, one case for each; absent without `recipe.each`. */
  readonly matrix: readonly Record<string, unknown>[] | undefined;
  /** The place that called `recipe`. */
  readonly site: CallSite | undefined;

  /** Creates a recipe; call `recipe` instead. */
  constructor(
    name: string,
    options: RecipeOptions,
    body: RecipeBody,
    matrix: readonly Record<string, unknown>[] | undefined,
    site: CallSite | undefined,
  ) {
    this.name = name;
    this.options = options;
    this.body = body;
    this.matrix = matrix;
    this.site = site;
    Object.defineProperty(this, BRAND, { value: VERSION });
  }
}

/**
 * Tells what a module has exported: a recipe, one that is made differently, or something else. The
 * recipe may be of another copy of this package: the one that is installed beside it.
 */
export function kindOfExport(value: unknown): "recipe" | "other-version" | "other" {
  const version = (value as Record<symbol, unknown> | null | undefined)?.[BRAND];
  if (version === undefined) return "other";
  return version === VERSION ? "recipe" : "other-version";
}

/** The type of the function `recipe`. */
export interface MakeRecipe {
  /** Declares a recipe. */
  <D extends Definitions = Definitions>(name: string, body: RecipeBody<D>): RecipeScript;
  /** Declares a recipe with options. */
  <D extends Definitions = Definitions>(
    name: string,
    options: RecipeOptions,
    body: RecipeBody<D>,
  ): RecipeScript;
  /** Returns a `recipe` whose recipes run once for each of the given values, as `t.matrix`. */
  each<M extends Record<string, unknown>>(matrix: readonly M[]): {
    <D extends Definitions = Definitions>(name: string, body: MatrixBody<D, M>): RecipeScript;
    <D extends Definitions = Definitions>(
      name: string,
      options: RecipeOptions,
      body: MatrixBody<D, M>,
    ): RecipeScript;
  };
}

/** A recipe's function with the types of the values in its matrix. */
export type MatrixBody<D extends Definitions, M> = (
  t: Parameters<RecipeBody<D>>[0] & { readonly matrix: Readonly<M> },
) => ReturnType<RecipeBody<D>>;

/**
 * Creates the function `recipe`.
 *
 * @param runAsProgram Runs the recipe of a module that is the program itself: `bun order.recipe.ts`.
 */
export function createRecipe(runAsProgram: (file: string) => void): MakeRecipe {
  return Object.assign(withMatrix(undefined), {
    each: (matrix: readonly Record<string, unknown>[]) => withMatrix(matrix),
  }) as MakeRecipe;

  function withMatrix(matrix: readonly Record<string, unknown>[] | undefined) {
    return (
      name: string,
      optionsOrBody: RecipeOptions | RecipeBody,
      body?: RecipeBody,
    ): RecipeScript => {
      const site = callSite();
      const file = site?.file;
      const script = typeof optionsOrBody === "function"
        ? new RecipeScript(name, {}, optionsOrBody, matrix, site)
        : new RecipeScript(name, optionsOrBody, body!, matrix, site);
      if (file !== undefined && file === mainModulePath()) runAsProgram(file);
      return script;
    };
  }
}
