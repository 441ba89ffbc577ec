import type { Action, RecipePlan, StepPlan } from "./plan.ts";

/** The kinds of steps that change the server, with the client's method that each calls. */
export const WRITES: Readonly<Record<string, string>> = {
  enqueue: "enqueue",
  start: "startWorkflow",
  publish: "publishEvent",
  call: "call",
  cancel: "cancelJob",
};

/** Whether a step changes the server itself. */
export function isWrite({ action }: StepModel): boolean {
  return action.do in WRITES;
}

/** Whether a step creates something. */
export function isCreation(step: StepModel): boolean {
  return isWrite(step) && step.action.do !== "cancel";
}

/** The name of the job that a step enqueues for an item: that for the first can be one that fails. */
export function jobNameOf({ action, items, expectation }: StepModel, item?: number): string {
  const { name } = action as Extract<Action, { do: "enqueue" }>;
  return items !== undefined && expectation % 4 === 1 && item === 0 ? "fails" : name;
}

/** Whether a script catches the failure of a step, and goes on. */
export function isCaught({ action, expectation }: StepModel): boolean {
  return expectation % 4 === 3 && action.do !== "parallel";
}

/** Whether a step has other steps inside. */
export function hasInner({ action }: StepModel): boolean {
  return action.do === "parallel" || action.do === "use";
}

/** A step whose targets are chosen. */
export interface StepModel extends Omit<StepPlan, "condition"> {
  /** Its number in reports. */
  number: string;
  phase: "steps" | "always";
  /** What comes before its tag in what it creates, as templates: the case that it belongs to. */
  prefix: string;
  /** Whether it belongs to a recipe that another one uses. */
  isUsed: boolean;
  /** Whether it belongs to the `always` of its case, directly or not. */
  isCleanUp: boolean;
  /** The id of its result, if it creates a job or a run, or uses a recipe. */
  id?: string;
  /** Whether a script does not await it. It is the last one of its function. */
  isLoose: boolean;
  /** The step that created the job or run that this step reads, changes or waits for. */
  target?: StepModel;
  /** Without a state, the step only needs the other one to have a result. */
  condition?: { step: StepModel; state?: string };
  /** The steps of a `parallel`, or of the recipe that the step uses. */
  inner: StepModel[];
  /** The `always` of the recipe that the step uses. */
  cleanUp: StepModel[];
  /** The step whose state is an output of the recipe that the step uses. */
  given?: StepModel;
}

/** A recipe whose targets are chosen. */
export interface RecipeModel {
  /** Its file. */
  file: string;
  plan: RecipePlan;
  /** What tells its cases apart: text, or \`row\`, \`place\` or \`n\` for their values. */
  prefix: string[];
  steps: StepModel[];
  always: StepModel[];
}

/** A case of a run. */
export interface CaseModel {
  recipe: RecipeModel;
  name: string;
  /** What comes before the tags of what it creates. */
  prefix: string;
  row: string | undefined;
  place: string | undefined;
  n: number | undefined;
}

/** A run of recipes whose targets are chosen. */
export interface RunModel {
  recipes: RecipeModel[];
  cases: CaseModel[];
}

/** Returns the name of a step in reports: its phase and number. */
export function tagOf({ phase, number }: StepModel): string {
  return `${phase} ${number}`;
}

/** Returns the name of a step or one of its items in reports. */
export function keyOf(step: StepModel, item?: number): string {
  return item === undefined ? tagOf(step) : `${tagOf(step)}[${item}]`;
}

/** Returns what a step that creates something calls it by, so that it is found in the store. */
export function payloadTag(step: StepModel, item?: number | string): string {
  // The `always` of a recipe that is used has the numbers of steps of the outer `always`.
  const mark = step.isUsed && step.phase === "always" ? " used" : "";
  return `${tagOf(step)}${mark}${item === undefined ? "" : `/${item}`}`;
}
