import type { Expression } from "../expression/expression.ts";
import type { Expectation } from "../expression/matcher.ts";
import type { Template } from "../expression/template.ts";
import type { CelType } from "../expression/types.ts";
import type { Phase } from "./scope.ts";
import type { Source, Span } from "./source.ts";

/** A recipe that has been read. */
export interface Recipe {
  /** Its text. */
  source: Source;
  /** What people call it; the file's name where it says nothing. */
  name: string;
  /** What it is for. */
  description?: string;
  /** Words to choose recipes by. */
  tags: string[];
  /** How long all of `steps` may take, in milliseconds. */
  timeout: Template | undefined;
  /** Its variables, in the order they are defined. */
  vars: Variable[];
  /** Environment variables that are masked everywhere. */
  secrets: Declared[];
  /** Environment variables that expressions can see. */
  env: EnvVariable[];
  /** What another recipe hands in with `use`. */
  inputs: Input[];
  /** What another recipe gets back. */
  outputs: Output[];
  /** The recipes that its steps use. */
  uses: Recipe[];
  /** The cases, each with a value for every key; empty without `matrix`. */
  matrix: Record<string, unknown>[];
  /** The steps. */
  steps: Step[];
  /** Steps that run in any case. */
  always: Step[];
  /** Channels whose events are needed from the beginning; some are written with expressions. */
  channels: ReadonlySet<string | Template>;
  /** Ids whose `events` an expression reads. */
  eventIds: ReadonlySet<string>;
  /** When it runs by itself. */
  schedule?: Schedule;
  /** Who is told when it fails. */
  alert?: AlertPlan;
  /** When it does not run by itself. */
  maintenance: Maintenance[];
  /** The function of a recipe written in TypeScript, which has no `steps` and no `always`. */
  script?: ScriptBody;
  /** The path of its module, where it has one. */
  module?: string;
}

/** The function of a recipe written in TypeScript. Only the script host knows its argument. */
export type ScriptBody = (t: never) => Promise<void> | void;

/** A recipe that another recipe names in `use`. */
export interface UsedRecipe {
  /** The recipe, if it can be used. */
  recipe?: Recipe;
  /** Why it cannot be used. */
  problem?: string;
}

/** When a recipe runs by itself. */
export interface Schedule {
  /** The pattern of its times. */
  cron: string;
  /** The time zone the pattern is meant in. */
  timezone: string;
  /** How much later it may begin at most. */
  jitter?: Template;
}

/** Who is told when a recipe fails. */
export interface AlertPlan {
  /** How many failures in a row raise it. */
  after?: Template;
  /** How many passes in a row resolve it. */
  resolveAfter?: Template;
  /** How often it is repeated while it lasts. */
  remind?: Template;
  /** Where it goes: http(s) addresses are posted to, mail addresses are only named. */
  to: Template[];
}

/** A time in which a recipe does not run by itself: a fixed one, or one that comes back. */
export type Maintenance =
  | { from: number; to: number }
  | { cron: string; timezone: string; duration: Template };

/** A name that is declared. */
export interface Declared {
  /** The name. */
  name: string;
  /** Where. */
  span: Span;
}

/** A variable of a recipe. */
export interface Variable extends Declared {
  /** Its value; `undefined` when it has to be given. */
  value: Template | undefined;
  /** The type of its value. */
  type: CelType;
}

/** An environment variable. */
export interface EnvVariable extends Declared {
  /** Its value where the environment has none. */
  default: string | undefined;
}

/** Something another recipe hands in. */
export interface Input extends Declared {
  /** Its type. */
  type: CelType;
  /** Its value where none is handed in. */
  default: unknown;
  /** Whether it must be handed in. */
  required: boolean;
}

/** Something another recipe gets back. */
export interface Output extends Declared {
  /** Its value. */
  expression: Expression;
  /** The type of its value. */
  type: CelType;
}

/** How a step is tried again. */
export interface Retry {
  /** How often it is tried in all. */
  attempts: Template;
  /** The pause before the second attempt; it doubles. */
  backoff: Template | undefined;
  /** Whether a failure is worth another attempt. */
  onlyIf: Expression | undefined;
  /** Whether a write that may have arrived is sent again. */
  repeatWrites: boolean;
}

/** One step. */
export interface Step {
  /** The name of its step kind, such as `enqueue`. */
  kind: string;
  /** The keys of its kind. */
  // deno-lint-ignore no-explicit-any
  fields: any;
  /** Its number for people: `3`, and `3.1` inside `parallel`. */
  number: string;
  /** The part of the recipe it belongs to. */
  phase: Phase;
  /** Where it begins. */
  span: Span;
  /** The name of what it leaves. */
  id?: string;
  /** Its line in a report, where its author gave one. */
  name?: Template;
  /** Whether it runs. */
  if?: Expression;
  /** How long it may take. */
  within?: Template;
  /** How it is tried again. */
  retry?: Retry;
  /** The items it runs for. */
  forEach?: Template;
  /** What is expected once it has run. */
  expect?: Expectation[];
  /** Fields added to what it leaves. */
  outputs?: Map<string, Expression>;
  /** Whether the recipe goes on when it fails. */
  soft: boolean;
}
