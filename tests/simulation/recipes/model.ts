import { type Action, type RecipePlan, ROWS, type RunPlan, type StepPlan } from "./plan.ts";

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
const WITHOUT_SCRIPT = new Set(["parallel", "use", "set", "recall", "output", "mark"]);

/** How a recipe names the values that tell its cases apart. */
const TEMPLATES: Readonly<Record<string, string>> = {
  row: "${{ vars.row }}",
  place: "${{ matrix.place }}",
};

/** A step whose targets are chosen. */
export interface StepModel extends Omit<StepPlan, "condition"> {
  /** Its number in reports. */
  number: string;
  phase: "steps" | "always";
  /** What comes before its tag in what it creates, as templates: the case that it belongs to. */
  prefix: string;
  /** Whether it belongs to a recipe that another one uses. */
  isUsed: boolean;
  /** The id of its result, if it creates a job or a run, or uses a recipe. */
  id?: string;
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
  /** What tells its cases apart: text, or \`row\` or \`place\` for their values. */
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
}

/** A run of recipes whose targets are chosen. */
export interface RunModel {
  recipes: RecipeModel[];
  cases: CaseModel[];
}

/** Returns what a step that creates something calls it by, so that it is found in the store. */
export function tagOf({ phase, number }: StepModel, item?: number): string {
  return `${phase} ${number}${item === undefined ? "" : `/${item}`}`;
}

/** Chooses the targets of all steps of a run. */
export function modelOf(plan: RunPlan): RunModel {
  const cases = plan.recipes.reduce((sum, one) => sum + combinationsOf(one).length, 0);
  const isCrowded = plan.parallel > 1 && cases > 1;
  const { isVirtual } = plan;
  const recipes = plan.recipes.map((recipe, i) => recipeModel(recipe, i, { isCrowded, isVirtual }));
  return {
    recipes,
    cases: recipes.flatMap((recipe, i) =>
      combinationsOf(recipe.plan).map(({ values, names, row, place }) => ({
        ...{ recipe, row, place },
        name: `Simulated${names.length === 0 ? "" : ` [${names.join(", ")}]`}`,
        prefix: [...i === 0 ? [] : [`r${i + 1}`], ...values].map((part) => `${part} `).join(""),
      }))
    ),
  };
}

/** The values that tell the cases of a recipe apart, and how their names show them. */
function combinationsOf({ rows, matrix }: RecipePlan) {
  const lines: readonly ({ name?: string; row: string } | undefined)[] = rows
    ? ROWS[rows]
    : [undefined];
  return lines.flatMap((line) =>
    (matrix ?? [undefined]).map((place) => ({
      row: line?.row,
      place,
      values: [...line ? [line.row] : [], ...place === undefined ? [] : [place]],
      names: [
        ...line ? [line.name ?? `row=${line.row}`] : [],
        ...place === undefined ? [] : [`place=${place}`],
      ],
    }))
  );
}

/** Chooses the targets of the steps, and leaves out what the language does not allow. */
function recipeModel(
  plan: RecipePlan,
  index: number,
  { isCrowded, isVirtual }: { isCrowded: boolean; isVirtual: boolean },
): RecipeModel {
  const { steps, always, isScript, matrix, rows } = plan;
  const parts = [
    ...index === 0 ? [] : [`r${index + 1}`],
    ...rows ? ["row"] : [],
    ...matrix ? ["place"] : [],
  ];
  const prefix = parts.map((part) => `${TEMPLATES[part] ?? part} `).join("");
  let used: StepModel[] = [];
  let made: StepModel[] = [];
  const readUsed = (model: StepModel, plan: UseAction) => {
    const outer = { made, used };
    made = used = [];
    model.inner = read(plan.steps, "steps", `${model.number}.`, true);
    if (plan.gives) model.given = made.findLast(({ items }) => items === undefined);
    model.cleanUp = read(plan.always, "always", `${model.number}.`, true);
    ({ made, used } = outer);
    model.id = `u${model.number}`;
    used = [...used, model];
  };
  const read = (
    plans: readonly StepPlan[],
    phase: StepModel["phase"],
    before: string,
    isUsed = false,
  ): StepModel[] => {
    const known = made;
    const created: StepModel[] = [];
    const targets = new Set<StepModel>();
    const models = plans.map((plan, index): StepModel => {
      const isInner = before !== "" && !isUsed;
      // Steps side by side cannot use each other's results.
      const model = chosen(plan, isInner ? known : made, used, { phase, isScript });
      model.isUsed = isUsed;
      model.prefix = isUsed ? "${{ inputs.prefix }}" : prefix;
      model.number = `${before}${index + 1}`;
      // The recipe that is used listens by itself, and cases side by side could not be told apart by
      // what they listen to.
      if ((isUsed || isCrowded) && model.action.do === "events") {
        delete model.target;
        delete model.condition;
        model.action = { do: "sleep", ms: 5 };
      }
      const isAlone = !isInner &&
        (model.action.do === "advance" ? isVirtual && !isUsed : !isCrowded);
      if (!isAlone && ["stats", "advance"].includes(model.action.do)) {
        model.action = { do: "sleep", ms: 5 };
      }
      // Which of two steps side by side is first is not certain.
      if (isInner && (model.action.do === "set" || model.action.do === "recall")) {
        delete model.target;
        model.action = { do: "assert", holds: true, tells: false };
      }
      // Two readers of one job could not be told apart by what they ask.
      if (isInner && model.target && targets.has(model.target)) {
        delete model.target;
        model.action = { do: "assert", holds: true, tells: false };
      }
      if (model.target) targets.add(model.target);
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
    if (before !== "" && !isUsed) made = [...known, ...created];
    return models;
  };
  return {
    file: `r${index === 0 ? "" : index + 1}.${isScript ? "recipe.ts" : "yaml"}`,
    plan,
    prefix: parts,
    steps: read(steps, "steps", ""),
    always: read(always, "always", ""),
  };
}

type UseAction = Extract<Action, { do: "use" }>;

function chosen(
  { condition, ...plan }: StepPlan,
  made: readonly StepModel[],
  used: readonly StepModel[],
  { phase, isScript }: { phase: StepModel["phase"]; isScript: boolean },
): StepModel {
  const model: StepModel = {
    ...plan,
    phase,
    ...{ number: "", prefix: "", isUsed: false, inner: [], cleanUp: [] },
  };
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
  if (isScript || action.do !== "enqueue" && action.do !== "start") model.marks = false;
  if (model.items !== undefined) model.marks = false;
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
      : action.do === "output"
      ? used.filter(({ given }) => action.of !== "made" || given)
      : action.do === "mark"
      ? single.filter(({ marks }) => marks)
      : action.do === "events"
      ? single.filter((one) => canHaveEventsOn(one, action.channel))
      : single;
    model.target = at(candidates, action.pick);
    if (!model.target) model.action = { do: "assert", holds: true, tells: false };
  }
  if ("isById" in action && (isScript || model.target?.items !== undefined)) action.isById = false;
  if (action.do === "get") {
    const isRun = model.target?.action.do === "start";
    if (isScript || isRun && !["running", "completed", "failed"].includes(action.wants ?? "")) {
      delete action.wants;
    }
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
