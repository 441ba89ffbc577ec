import type { Definitions } from "../../client/definitions.ts";
import { mainModulePath } from "../../runtime/process.ts";
import { type CallSite, callSite } from "../events/call_site.ts";
import type { Script } from "./api.ts";

/** Settings of a recipe that is written in TypeScript. */
export interface RecipeOptions {
  /** What it is for. */
  description?: string;
  /**
   * Words to choose recipes by.
   * @default {[]}
   */
  tags?: string[];
  /**
   * How long its steps may take, such as `1m`.
   * @default {"5m"}
   */
  timeout?: string;
  /**
   * Variables with their values; `--var name=value` replaces one.
   * @default {{}}
   */
  vars?: Record<string, unknown>;
  /**
   * Environment variables that are masked in every output.
   * @default {[]}
   */
  secrets?: string[];
  /**
   * Environment variables, with the values they have where the environment has none.
   * @default {{}}
   */
  env?: Record<string, string | undefined>;
  /**
   * Channels whose events are kept from the beginning, for waits that begin later.
   * @default {[]}
   */
  channels?: string[];
}

/** What a recipe does. */
// deno-lint-ignore no-explicit-any
export type RecipeBody<S extends Definitions = any> = (t: Script<S>) => Promise<void> | void;

/** A recipe that is written in TypeScript: the default export of its module. */
export class RecipeScript {
  /** What people call it. */
  readonly name: string;
  /** Its settings. */
  readonly options: RecipeOptions;
  /** What it does. */
  readonly body: RecipeBody;
  /** The values it is run with, one case each; absent where it is made without `each`. */
  readonly matrix: readonly Record<string, unknown>[] | undefined;
  /** Where `recipe` was called. */
  readonly site: CallSite | undefined;

  /** Made by `recipe`. */
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
  }
}

/** Makes recipes. */
export interface MakeRecipe {
  /** A recipe without settings. */
  <S extends Definitions = Definitions>(name: string, body: RecipeBody<S>): RecipeScript;
  /** A recipe with settings. */
  <S extends Definitions = Definitions>(
    name: string,
    options: RecipeOptions,
    body: RecipeBody<S>,
  ): RecipeScript;
  /** A recipe that runs once for each of these values, which it finds in `t.matrix`. */
  each(matrix: readonly Record<string, unknown>[]): Omit<MakeRecipe, "each"> & {
    <S extends Definitions = Definitions>(name: string, body: RecipeBody<S>): RecipeScript;
    <S extends Definitions = Definitions>(
      name: string,
      options: RecipeOptions,
      body: RecipeBody<S>,
    ): RecipeScript;
  };
}

/**
 * Creates the `recipe` function.
 *
 * @param runAsProgram Runs the recipe of a module that is the program itself: `bun order.recipe.ts`.
 */
export function createRecipe(runAsProgram: (file: string) => void): MakeRecipe {
  return Object.assign(withMatrix(undefined), {
    each: (matrix: readonly Record<string, unknown>[]) => withMatrix(matrix),
  });

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
