import { type RecipeModel, type RunModel, type StepModel, WRITES } from "./model.ts";
import { type Action, type RecipePlan, ROWS, type RunPlan, type StepPlan } from "./plan.ts";

/** The kinds of steps that can have an `expect`. */
const EXPECTING = new Set([
  ...Object.keys(WRITES),
  ...["advance", "ask", "events", "get", "log", "parallel", "set", "sleep", "stats", "use", "wait"],
]);

/** The kinds of steps that scripts do not have. */
const WITHOUT_SCRIPT = new Set(["use", "set", "recall", "output", "mark", "list"]);

/** How a recipe names the values that tell its cases apart. */
const TEMPLATES: Readonly<Record<string, string>> = {
  row: "${{ vars.row }}",
  place: "${{ matrix.place }}",
  n: "${{ matrix.n }}",
};

/** Chooses the targets of all steps of a run. */
export function modelOf(plan: RunPlan): RunModel {
  const cases = plan.recipes.reduce((sum, one) => sum + combinationsOf(one).length, 0);
  const isCrowded = plan.parallel > 1 && cases > 1;
  const { isVirtual } = plan;
  const recipes = plan.recipes.map((recipe, i) => recipeModel(recipe, i, { isCrowded, isVirtual }));
  return {
    recipes,
    cases: recipes.flatMap((recipe, i) =>
      combinationsOf(recipe.plan).map(({ values, names, row, place, n }) => ({
        ...{ recipe, row, place, n },
        name: `Simulated${names.length === 0 ? "" : ` [${names.join(", ")}]`}`,
        prefix: [...i === 0 ? [] : [`r${i + 1}`], ...values].map((part) => `${part} `).join(""),
      }))
    ),
  };
}

/** The values that tell the cases of a recipe apart, and how their names show them. */
function combinationsOf({ rows, matrix, numbers }: RecipePlan) {
  const numbered = matrix && numbers;
  const lines: readonly ({ name?: string; row: string } | undefined)[] = rows
    ? ROWS[rows]
    : [undefined];
  return lines.flatMap((line) =>
    (matrix ?? [undefined]).flatMap((place) =>
      (numbered ?? [undefined]).map((n) => ({
        row: line?.row,
        place,
        n,
        values: [line?.row, place, n].filter((value) => value !== undefined),
        names: [
          ...line ? [line.name ?? `row=${line.row}`] : [],
          ...place === undefined ? [] : [`place=${place}`],
          ...n === undefined ? [] : [`n=${n}`],
        ],
      }))
    )
  );
}

/** Chooses the targets of the steps, and leaves out what the language does not allow. */
function recipeModel(
  plan: RecipePlan,
  index: number,
  { isCrowded, isVirtual }: { isCrowded: boolean; isVirtual: boolean },
): RecipeModel {
  const { steps, always, isScript, matrix, numbers, rows } = plan;
  const parts = [
    ...index === 0 ? [] : [`r${index + 1}`],
    ...rows ? ["row"] : [],
    ...matrix ? ["place"] : [],
    ...matrix && numbers ? ["n"] : [],
  ];
  const prefix = parts.map((part) => `${TEMPLATES[part] ?? part} `).join("");
  let used: StepModel[] = [];
  let made: StepModel[] = [];
  const readUsed = (model: StepModel, plan: UseAction, isBeside: boolean) => {
    const outer = { made, used };
    const about = { isUsed: true, isCleanUp: model.isCleanUp, isBeside };
    made = used = [];
    model.inner = read(plan.steps, "steps", `${model.number}.`, about);
    if (plan.gives) model.given = made.findLast(({ items }) => items === undefined);
    model.cleanUp = read(plan.always, "always", `${model.number}.`, about);
    ({ made, used } = outer);
    model.id = `${model.isCleanUp ? "au" : "u"}${model.number.replaceAll(".", "_")}`;
    used = [...used, model];
  };
  const read = (
    plans: readonly StepPlan[],
    phase: StepModel["phase"],
    before: string,
    { isUsed = false, isInner = false, isBeside = false, isCleanUp = phase === "always" } = {},
  ): StepModel[] => {
    const known = made;
    const created: StepModel[] = [];
    const targets = new Set<StepModel>();
    const models = plans.map((plan, index): StepModel => {
      // Steps side by side cannot use each other's results.
      const model = chosen(plan, isInner ? known : made, used, { phase, isScript });
      model.isUsed = isUsed;
      model.isCleanUp = isCleanUp;
      model.prefix = isUsed ? "${{ inputs.prefix }}" : prefix;
      model.number = `${before}${index + 1}`;
      // The recipe that is used listens by itself, and cases side by side could not be told apart by
      // what they listen to.
      if ((isUsed || isCrowded) && model.action.do === "events") {
        delete model.target;
        delete model.condition;
        model.action = { do: "sleep", ms: 5 };
      }
      const isAlone = !isBeside &&
        (model.action.do === "advance" ? isVirtual && !isUsed : !isCrowded);
      if (!isAlone && ["stats", "advance"].includes(model.action.do)) {
        model.action = { do: "sleep", ms: 5 };
      }
      // Which of two steps side by side is first is not certain.
      if (isInner && (model.action.do === "set" || model.action.do === "recall")) {
        delete model.target;
        model.action = NOTHING;
      }
      // Two readers of one job could not be told apart by what they ask.
      if (isInner && model.target && targets.has(model.target)) {
        delete model.target;
        model.action = NOTHING;
      }
      if (model.target) targets.add(model.target);
      // A wait beside it may learn of another state first.
      if (isInner && model.condition?.state !== undefined) delete model.condition;
      // An `assert` with an `expect` is one assertion.
      if (!EXPECTING.has(model.action.do)) delete model.expects;
      if (model.action.do === "use") readUsed(model, model.action, isBeside);
      if (model.action.do === "parallel") {
        model.inner = read(model.action.steps, phase, `${model.number}.`, {
          isUsed,
          isInner: true,
          isBeside: true,
          isCleanUp,
        });
      }
      if (model.action.do === "enqueue" || model.action.do === "start") {
        model.id = `${phase === "steps" ? "s" : "a"}${model.number.replaceAll(".", "_")}`;
        created.push(model);
        if (!isInner) made = [...made, model];
      }
      return model;
    });
    if (isInner) made = [...known, ...created];
    return models;
  };
  const body = read(steps, "steps", "");
  const last = body.at(-1);
  if (isScript && last && LOOSE.has(last.action.do)) last.isLoose = last.expectation % 3 === 0;
  return {
    file: `r${index === 0 ? "" : index + 1}.${isScript ? "recipe.ts" : "yaml"}`,
    plan,
    prefix: parts,
    steps: body,
    always: read(always, "always", ""),
  };
}

/** What a script may leave without awaiting it. */
const LOOSE = new Set(["enqueue", "start", "publish", "call", "sleep", "wait", "get", "stats"]);

/** What a step does instead of something that it cannot do. */
const NOTHING: Extract<Action, { do: "assert" }> = {
  ...{ do: "assert", holds: true, tells: false },
  ...{ conditions: 1, lines: 0, wrong: 0 },
};

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
    ...{ number: "", prefix: "", isUsed: false, isCleanUp: false, isLoose: false },
    ...{ inner: [], cleanUp: [] },
  };
  const action = model.action = { ...plan.action } as Action;
  const isWrite = action.do in WRITES && action.do !== "cancel";
  if (isScript) {
    delete model.retry;
    delete model.items;
    // The result of a soft step that failed cannot be used.
    if (isWrite) model.soft = false;
    delete model.expects;
    if ("lacks" in action) delete action.lacks;
    // In a script these are assertions about other things.
    if (WITHOUT_SCRIPT.has(action.do)) {
      model.action = action.do === "output"
        ? { do: "throw" }
        : "state" in action
        ? { ...NOTHING, holds: action.state !== "running" }
        : { do: "sleep", ms: 20 };
    }
    if (action.do === "parallel") {
      model.soft = false;
      delete model.within;
      // What a function of `t.always` has not awaited would run beside the next one.
      if (phase === "always") model.action = { do: "sleep", ms: 20 };
    }
  }
  if (!isWrite) delete model.items;
  if (isScript || action.do !== "enqueue" && action.do !== "start") model.marks = false;
  if (model.items !== undefined) model.marks = false;
  if (["wait", "events"].includes(action.do)) delete model.retry;
  const single = made.filter(({ items }) => items === undefined);
  const isAboutOne = action.do === "events" &&
    (action.where === "own" || action.channel === "job" || action.channel === "workflow");
  const needsTarget = !(action.do === "set" && action.tells) &&
    (action.do !== "events" || isAboutOne);
  if ("pick" in action && model.action === action && needsTarget) {
    const candidates = action.do === "wait"
      ? made
      : action.do === "cancel" || action.do === "ask"
      ? single.filter((one) => one.action.do === "enqueue")
      : action.do === "output"
      ? used.filter(({ given }) => action.of !== "made" || given)
      : action.do === "list"
      ? made.filter(({ items }) => items !== undefined)
      : action.do === "mark"
      ? single.filter(({ marks }) => marks)
      : action.do === "events"
      ? single.filter((one) => canHaveEventsOn(one, action.channel))
      : single;
    model.target = at(candidates, action.pick);
    if (!model.target) model.action = NOTHING;
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
    const isForRun = action.asks === "steps";
    const isForJob = action.asks === "retries";
    if (isForRun && !states || isForJob && states || action.untilStep !== undefined) {
      action.asks = undefined;
    }
    if (action.asks !== undefined) action.until = undefined;
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
