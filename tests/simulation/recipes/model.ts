import type { Action, RecipePlan, StepPlan } from "./plan.ts";

/** The kinds of steps that change the server, with the client's method that each calls. */
export const WRITES: Readonly<Record<string, string>> = {
  enqueue: "enqueue",
  start: "startWorkflow",
  publish: "publishEvent",
  call: "call",
  cancel: "cancelJob",
};

/** The kinds of steps that can have an `expect`. */
const EXPECTING = new Set([...Object.keys(WRITES), "get", "log", "sleep", "stats"]);

/** The kinds of steps that scripts do not have. */
const WITHOUT_SCRIPT = new Set(["parallel", "use", "set", "recall"]);

/** A step whose targets are chosen. */
export interface StepModel extends Omit<StepPlan, "condition"> {
  /** Its number in reports. */
  number: string;
  phase: "steps" | "always";
  /** Whether the recipe has a matrix. */
  hasMatrix: boolean;
  /** The id of its result, if it creates a job or a run. */
  id?: string;
  /** The step that created the job or run that this step reads, changes or waits for. */
  target?: StepModel;
  /** Without a state, the step only needs the other one to have a result. */
  condition?: { step: StepModel; state?: string };
  /** The steps of a `parallel`, or of the recipe that the step uses. */
  inner: StepModel[];
  /** The `always` of the recipe that the step uses. */
  cleanUp: StepModel[];
}

/** A recipe whose targets are chosen. */
export interface RecipeModel {
  /** The value of the matrix in each case; without a matrix there is one case. */
  cases: readonly (string | undefined)[];
  steps: StepModel[];
  always: StepModel[];
}

/** Returns what a step that creates something calls it by, so that it is found in the store. */
export function tagOf({ phase, number }: StepModel, item?: number): string {
  return `${phase} ${number}${item === undefined ? "" : `/${item}`}`;
}

/** Chooses the targets of the steps, and leaves out what the language does not allow. */
export function modelOf({ steps, always, isScript, matrix }: RecipePlan): RecipeModel {
  let made: StepModel[] = [];
  const readUsed = (model: StepModel, plan: { steps: StepPlan[]; always: StepPlan[] }) => {
    const outer = made;
    made = [];
    model.inner = read(plan.steps, "steps", `${model.number}.`, true);
    model.cleanUp = read(plan.always, "always", `${model.number}.`, true);
    made = outer;
  };
  const read = (
    plans: readonly StepPlan[],
    phase: StepModel["phase"],
    prefix: string,
    isUsed = false,
  ): StepModel[] => {
    const known = made;
    const created: StepModel[] = [];
    const used = new Set<StepModel>();
    const models = plans.map((plan, index): StepModel => {
      const isInner = prefix !== "" && !isUsed;
      // Steps side by side cannot use each other's results.
      const model = chosen(plan, isInner ? known : made, { phase, isScript });
      model.hasMatrix = matrix !== undefined;
      // The steps of a recipe that is used have no matrix to tell their cases apart by.
      if (matrix && model.action.do === "use") model.action = { do: "sleep", ms: 5 };
      model.number = `${prefix}${index + 1}`;
      // The recipe that is used listens by itself.
      if (isUsed && model.action.do === "events") {
        delete model.target;
        delete model.condition;
        model.action = { do: "sleep", ms: 5 };
      }
      // Cases side by side could not be told apart by what they listen to.
      if (matrix && matrix.parallel > 1 && model.action.do === "events") {
        delete model.target;
        delete model.condition;
        model.action = { do: "sleep", ms: 5 };
      }
      if ((isInner || matrix) && model.action.do === "stats") model.action = { do: "sleep", ms: 5 };
      // Which of two steps side by side is first is not certain.
      if (isInner && (model.action.do === "set" || model.action.do === "recall")) {
        delete model.target;
        model.action = { do: "assert", holds: true, tells: false };
      }
      // Two readers of one job could not be told apart by what they ask.
      if (isInner && model.target && used.has(model.target)) {
        delete model.target;
        model.action = { do: "assert", holds: true, tells: false };
      }
      if (model.target) used.add(model.target);
      // A wait beside it may learn of another state first.
      if (isInner && model.condition?.state !== undefined) delete model.condition;
      // An `assert` with an `expect` is one assertion.
      if (!EXPECTING.has(model.action.do)) delete model.expects;
      if (model.action.do === "use") readUsed(model, model.action);
      if (model.action.do === "parallel") {
        model.inner = read(model.action.steps, phase, `${model.number}.`);
      }
      if (model.action.do === "enqueue" || model.action.do === "start") {
        model.id = `${phase === "steps" ? "s" : "a"}${model.number.replace(".", "_")}`;
        created.push(model);
        if (!isInner) made = [...made, model];
      }
      return model;
    });
    if (prefix !== "" && !isUsed) made = [...known, ...created];
    return models;
  };
  return {
    cases: matrix?.values ?? [undefined],
    steps: read(steps, "steps", ""),
    always: read(always, "always", ""),
  };
}

function chosen(
  { condition, ...plan }: StepPlan,
  made: readonly StepModel[],
  { phase, isScript }: { phase: StepModel["phase"]; isScript: boolean },
): StepModel {
  const model: StepModel = { ...plan, phase, number: "", hasMatrix: false, inner: [], cleanUp: [] };
  const action = model.action = { ...plan.action } as Action;
  const isWrite = action.do in WRITES && action.do !== "cancel";
  if (isScript) {
    delete model.retry;
    delete model.items;
    // The result of a soft step that failed cannot be used.
    if (isWrite) model.soft = false;
    delete model.expects;
    if (WITHOUT_SCRIPT.has(action.do)) model.action = { do: "sleep", ms: 20 };
  }
  if (!isWrite) delete model.items;
  if (["wait", "events", "parallel", "use"].includes(action.do)) delete model.retry;
  if (action.do === "parallel" || action.do === "log") model.soft = false;
  const single = made.filter(({ items }) => items === undefined);
  const isAboutOne = action.do === "events" &&
    (action.where === "own" || action.channel === "job" || action.channel === "workflow");
  const needsTarget = !(action.do === "set" && action.tells) &&
    (action.do !== "events" || isAboutOne);
  if ("pick" in action && model.action === action && needsTarget) {
    const candidates = action.do === "wait"
      ? made
      : action.do === "cancel"
      ? single.filter((one) => one.action.do === "enqueue")
      : action.do === "events"
      ? single.filter((one) => canHaveEventsOn(one, action.channel))
      : single;
    model.target = at(candidates, action.pick);
    if (!model.target) model.action = { do: "assert", holds: true, tells: false };
  }
  if (action.do === "wait" && model.target) {
    const states = model.target.action.do === "start"
      ? ["running", "completed", "failed"]
      : undefined;
    const allowed = (state: string) => !states || states.includes(state);
    const until = action.until?.filter(allowed);
    action.until = until?.length ? until : undefined;
    if (!states || model.target.items !== undefined) action.untilStep = undefined;
    if (action.untilStep !== undefined) action.until = undefined;
    const ends = action.until ?? ["completed"];
    if (action.failOn && (!allowed(action.failOn) || ends.includes(action.failOn))) {
      action.failOn = undefined;
    }
  }
  // An assertion of a script is not a call that could have settings.
  if (isScript && (model.action.do === "assert" || model.action.do === "compare")) {
    model.soft = false;
    delete model.within;
  }
  // Most would wait until the time of the recipe is over.
  if (model.action.do === "events" && plan.within === undefined && action.do === "events") {
    if (action.pick < 5) model.within = 1_500;
  }
  // What `always` is about may not have run.
  const conditional = condition && at(single, condition.pick);
  const isConditional = phase === "always" || model.action.do === "events";
  if (isConditional && model.target) model.condition = { step: model.target };
  else if (conditional && !isScript) {
    model.condition = { step: conditional, state: condition!.state };
  }
  return model;
}

function canHaveEventsOn({ action }: StepModel, channel: string): boolean {
  if (channel === "job" || channel === "jobs" || channel === "queue") {
    return action.do === "enqueue";
  }
  return channel === "firehose" || action.do === "start";
}

function at(models: readonly StepModel[], pick: number): StepModel | undefined {
  return models.length === 0 ? undefined : models[models.length - 1 - pick % models.length];
}
