import type { Expression } from "../expression/expression.ts";
import type { Expectation } from "../expression/matcher.ts";
import type { Template } from "../expression/template.ts";
import type { CelType } from "../expression/types.ts";
import type { Phase } from "./scope.ts";
import type { Source, Span } from "./source.ts";

/** A recipe that has been read. */
export interface Recipe {
  /** The recipe's text. */
  source: Source;
  /** The name in reports; by default the name of the file. */
  name: string;
  /** What the recipe is for. */
  description?: string;
  /** The tags that `--tag` selects recipes by. */
  tags: string[];
  /** How long the steps may take together. */
  timeout: Template | undefined;
  /** The variables, in the order they are defined. */
  vars: Variable[];
  /** Environment variables whose values are masked in every output. */
  secrets: Declared[];
  /** Environment variables that expressions can use. */
  env: EnvVariable[];
  /** The inputs that another recipe passes with `use`. */
  inputs: Input[];
  /** The outputs that another recipe gets from `use`. */
  outputs: Output[];
  /** The recipes that the steps use. */
  uses: Recipe[];
  /** The cases, each with a value for every key; empty without `matrix`. */
  matrix: Record<string, unknown>[];
  /** The file with values for `vars`, one case for each row. */
  cases?: CasesFile;
  /** The rows of that file, once it has been read. */
  rows?: CaseRow[];
  /** The steps. */
  steps: Step[];
  /** The steps that run at the end, even after a failure. */
  always: Step[];
  /** Channels whose events are kept from the start; some contain expressions. */
  channels: ReadonlySet<string | Template>;
  /** The ids of steps whose `events` are used. */
  eventIds: ReadonlySet<string>;
  /** Why the recipe may fail, and until when. */
  quarantine?: Quarantine;
  /** When the recipe runs on its own. */
  schedule?: Schedule;
  /** Who is alerted when it fails. */
  alert?: AlertPlan;
  /** The times at which it does not run on its own. */
  maintenance: Maintenance[];
  /** Whom each of its runs on its own is told to. */
  heartbeat?: HeartbeatPlan;
  /** The function of a recipe written in TypeScript, which has no `steps` and no `always`. */
  script?: ScriptBody;
  /** The path of the module of a recipe written in TypeScript. */
  module?: string;
  /** The paths of the files that this module imports by relative paths, directly or not. */
  imports?: readonly string[];
  /** Where its `recipe(…)` is in the module, if that is known. */
  site?: number;
}

/** A file that a recipe names in `cases`. */
export interface CasesFile {
  /** The path, as the recipe names it. */
  path: string;
  /** Where it is named. */
  span: Span;
}

/** A row of that file. */
export interface CaseRow {
  /** The name of its case, besides that of the recipe. */
  name: string;
  /** Values that replace those of `vars`. */
  values: Record<string, unknown>;
}

/** A recipe in quarantine runs and is reported, but its failure does not fail the run. */
export interface Quarantine {
  /** Until when, as it is written: the last day, or a time. */
  until: string;
  /** When it ends, in milliseconds since 1970. */
  ends: number;
  /** Why the recipe may fail. */
  reason: string;
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

/** When the `schedule` command runs the recipe: by a cron pattern, or at equal distances. */
export interface Schedule {
  /** The cron pattern. */
  cron?: string;
  /** The time zone of the pattern. */
  timezone: string;
  /** The distance between two runs. */
  every?: Template;
  /** The longest random delay of a run. */
  jitter?: Template;
  /** The time from a run that failed to the next one. */
  everyWhileFailing?: Template;
}

/** When to send alerts about a recipe, and to whom. What it leaves out is in the settings. */
export interface AlertPlan {
  /** How many failures in a row raise the alert. */
  after?: Template;
  /** Raises it instead when so many runs have failed in a period. */
  within?: CountIn;
  /** How many passes in a row resolve it. */
  resolveAfter?: Template;
  /** How often to send a reminder while it is raised. */
  remind?: Template;
  /** An alert that changes so often in a period is flapping. */
  flapping?: CountIn;
  /** The receivers: names of targets, HTTP URLs, mail addresses. */
  to?: Receiver[];
}

/** How often something happens in a period. */
export interface CountIn {
  /** How often. */
  count: number;
  /** The period, in milliseconds. */
  ms: number;
}

/** Who gets an alert. */
export interface Receiver {
  /** The name of a target, an HTTP URL or a mail address. */
  name: Template;
  /** Where it is written. */
  span: Span;
}

/** Whom a recipe tells that it still runs, with the values of the service's keys. */
export interface HeartbeatPlan {
  /** The kind of service. */
  kind: "healthchecks" | "uptime_kuma" | "gatus" | "addresses";
  /** The values of its keys. */
  settings: ReadonlyMap<string, Template>;
}

/** A time in which a recipe does not run on its own: once, or repeatedly. */
export type Maintenance =
  | { from: number; to: number }
  | { cron: string; timezone: string; duration: Template };

/** A declared name. */
export interface Declared {
  /** The name. */
  name: string;
  /** Where it is declared. */
  span: Span;
}

/** A variable of a recipe. */
export interface Variable extends Declared {
  /** Its value; `undefined` if the user must set it. */
  value: Template | undefined;
  /** The type of its value. */
  type: CelType;
}

/** An environment variable that a recipe declares. */
export interface EnvVariable extends Declared {
  /** Its value if the environment does not have it. */
  default: string | undefined;
}

/** A value that a recipe takes from the recipe that uses it. */
export interface Input extends Declared {
  /** Its type. */
  type: CelType;
  /** Its value if none is passed. */
  default: unknown;
  /** Whether a value must be passed. */
  required: boolean;
}

/** A value that a recipe returns to the recipe that uses it. */
export interface Output extends Declared {
  /** The expression for the value. */
  expression: Expression;
  /** The type of the value. */
  type: CelType;
}

/** How a failed step is retried. */
export interface Retry {
  /** The number of attempts, including the first. */
  attempts: Template;
  /** The pause before the second attempt, which doubles before each further one. */
  backoff: Template | undefined;
  /** Decides whether a failure is retried. */
  onlyIf: Expression | undefined;
  /** Whether to repeat a write that the server may have received. */
  repeatWrites: boolean;
}

/** A step of a recipe. */
export interface Step {
  /** The name of its step kind, such as `enqueue`. */
  kind: string;
  /** The values of the keys of its kind. */
  // deno-lint-ignore no-explicit-any
  fields: any;
  /** Its number in reports: `3`, or `3.1` inside `parallel`. */
  number: string;
  /** The part of the recipe it belongs to. */
  phase: Phase;
  /** Where it is written. */
  span: Span;
  /** The id that its result is stored under. */
  id?: string;
  /** Its line in reports, if the author chose one. */
  name?: Template;
  /** The condition for running it. */
  if?: Expression;
  /** How long each attempt may take. */
  within?: Template;
  /** How it is retried. */
  retry?: Retry;
  /** The items it runs for. */
  forEach?: Template;
  /** For how many items it runs at the same time; one after the other if absent. */
  forEachParallel?: Template;
  /** What its result must satisfy. */
  expect?: Expectation[];
  /** Fields to add to its result. */
  outputs?: Map<string, Expression>;
  /** Whether the recipe goes on after it fails. */
  soft: boolean;
}
