import { stringify } from "yaml";
import { channelOf } from "./channel_events.ts";
import { type RecipeModel, type RunModel, type StepModel, tagOf } from "./model.ts";

const API = "${{ secrets.API }}";
const KEY = "${{ secrets.KEY }}";

/** The default of what the recipes send of their environment, and that of the recipes they use. */
export const PLACES = { own: "at home", used: "inside" };
/** The default of an input of the recipes that others use. */
export const LEVEL = 7;

/** The variables of every recipe. */
export const VARS = { n: 2, list: [1, { a: "b" }], state: "none" };

/** Lines of an `expect`, each with what holds and what does not. */
export const EXPECTATIONS: readonly (readonly [subject: string, holds: unknown, not: unknown])[] = [
  ["vars.n", 2, 3],
  ["vars.list", [1, { a: "b" }], [1, { a: "c" }]],
  ["vars.list", { contains: { a: "b" } }, { contains: 2 }],
  ["vars.list", { length: 2 }, { length: 3 }],
  ["vars.n", { gt: 1 }, { gt: 2 }],
  ["vars.n", { gte: 2, lte: 2 }, { gte: 2, lt: 2 }],
  ["vars.n", { one_of: [1, 2] }, { one_of: [1, 3] }],
  ["vars.list", { not: [2] }, { not: [1, { a: "b" }] }],
];

/** Writes the recipes that the recipes of a run use as YAML, by the names of their files. */
export function usedYaml({ recipes }: RunModel): Record<string, string> {
  return Object.fromEntries(
    recipes.flatMap((recipe) =>
      recipe.steps.filter(({ action }) => action.do === "use").map((step) => [
        fileOf(recipe, step),
        stringify({
          secrets: ["API", "KEY"],
          env: { PLACE: PLACES.used },
          inputs: { prefix: { default: "" }, level: { type: "integer", default: LEVEL } },
          outputs: {
            level: "inputs.level",
            state: "vars.state",
            ...(step.given === undefined ? {} : { made: `${step.given.id}.state + ""` }),
          },
          vars: VARS,
          steps: step.inner.map((one) => yamlStep(one, recipe)),
          ...(step.cleanUp.length === 0
            ? {}
            : { always: step.cleanUp.map((one) => yamlStep(one, recipe)) }),
        }, { lineWidth: 0 }),
      ])
    ),
  );
}

function fileOf({ file }: RecipeModel, { number }: StepModel): string {
  return `used${number}-${file}`;
}

/**
 * Writes a recipe as YAML.
 * @param began When the world began, in milliseconds since 1970.
 */
export function yamlOf(recipe: RecipeModel, began: number): string {
  const { steps, always, plan: { timeout, matrix, rows } } = recipe;
  const quarantine = quarantineOf(recipe, began);
  return stringify({
    ...(matrix === undefined ? {} : { matrix: { place: [...matrix] } }),
    ...(rows === undefined ? {} : { cases: rows }),
    name: "Simulated",
    ...(quarantine === undefined ? {} : { quarantine }),
    secrets: ["API", "KEY"],
    env: { PLACE: PLACES.own },
    vars: { ...VARS, ...(rows === undefined ? {} : { row: "no row" }) },
    ...(timeout === undefined ? {} : { timeout: `${timeout}ms` }),
    steps: steps.map((one) => yamlStep(one, recipe)),
    ...(always.length === 0 ? {} : { always: always.map((one) => yamlStep(one, recipe)) }),
  }, { lineWidth: 0 });
}

/** Returns the quarantine of a recipe, as it is written. */
export function quarantineOf(
  { plan: { quarantine } }: RecipeModel,
  began: number,
): { until: string; reason: string } | undefined {
  if (quarantine === undefined) return undefined;
  return { until: new Date(began + quarantine).toISOString(), reason: "nobody mends it" };
}

function yamlStep(step: StepModel, recipe: RecipeModel): Record<string, unknown> {
  const { id, within, soft, retry, items, side, marks, condition } = step;
  return {
    ...(id === undefined ? {} : { id }),
    ...fieldsOf(step, recipe),
    ...(condition === undefined ? {} : { if: conditionOf(condition) }),
    ...(within === undefined ? {} : { within: `${within}ms` }),
    ...(soft ? { soft } : {}),
    ...(items === undefined ? {} : forEachOf(items, side)),
    ...(marks ? { outputs: { mark: "result.state" } } : {}),
    ...(retry === undefined ? {} : {
      retry: {
        attempts: retry.attempts,
        backoff: `${retry.backoff}ms`,
        ...(retry.repeats ? { repeat_writes: true } : {}),
        ...(retry.isPicky ? { only_if: "error.kind == 'connection'" } : {}),
      },
    }),
    ...expectOf(step),
  };
}

function expectOf({ action, expects, expectation }: StepModel): Record<string, unknown> {
  const [subject, holds, not] = EXPECTATIONS[expectation]!;
  const lines = {
    ...(expects === undefined ? {} : { [subject]: expects ? holds : not }),
    ...(action.do === "get" && action.wants !== undefined
      ? { 'result.state + ""': action.wants }
      : {}),
  };
  return Object.keys(lines).length === 0 ? {} : { expect: lines };
}

function forEachOf(items: number, side: number): Record<string, unknown> {
  const list = Array.from({ length: items }, (_, i) => i);
  return { for_each: side === 1 ? list : { items: list, parallel: side } };
}

function conditionOf({ step, state }: NonNullable<StepModel["condition"]>): string {
  if (state !== undefined) return stateIs(step, state);
  return step.items === undefined ? `has(${step.id}.state)` : `size(${step.id}) > 0`;
}

function logTemplate(api: string, key: string, state: string): string {
  return `tells <b>${api} & "${key}" ]]> # | \`c\` ${state}`;
}

/** What reports show of the line that a step logs. */
export function loggedText(state: string | undefined): string {
  return logTemplate("***", "***", /^<.*>$/s.test(`${state}`) ? "<***>" : `${state}`);
}

/** How a step names the job or run that it is about. */
function targetOf({ action, target }: StepModel): unknown {
  const { id, action: { do: kind } } = target!;
  if (!("isById" in action) || !action.isById) return id;
  return kind === "enqueue" ? { job: `\${{ ${id}.job_id }}` } : { run: `\${{ ${id}.run_id }}` };
}

/** An expression whose states are not checked before the recipe runs. */
function stateIs({ id }: StepModel, state: string): string {
  return `${id}.state + "" == "${state}"`;
}

function fieldsOf(step: StepModel, recipe: RecipeModel): Record<string, unknown> {
  const { action, target } = step;
  const payload = () => {
    const own = step.items === undefined ? tagOf(step) : `${tagOf(step)}/\${{ item }}`;
    return {
      tag: step.prefix + own,
      state: "${{ vars.state }}",
      place: "${{ env.PLACE }}",
      ...(step.isUsed ? { level: "${{ inputs.level }}" } : {}),
      ...("tells" in action && action.tells ? { text: `<${API}>`, key: KEY } : {}),
    };
  };
  switch (action.do) {
    case "enqueue":
      return {
        enqueue: action.name,
        payload: payload(),
        ...(action.queue === undefined ? {} : { queue: action.queue }),
        ...(action.priority === undefined ? {} : { priority: action.priority }),
      };
    case "start":
      return { start: action.name, input: payload() };
    case "publish":
      return { publish: action.name, payload: payload() };
    case "call":
      return { call: "job.enqueue", data: { job: action.name, payload: payload() } };
    case "wait": {
      const { until, isExpression, untilStep, failOn } = action;
      const ends = isExpression && until
        ? `\${{ ${JSON.stringify(until)}.exists(s, s == it.state) }}`
        : until;
      return {
        wait: targetOf(step),
        ...(untilStep === undefined ? {} : { until_step: untilStep }),
        ...(until === undefined ? {} : { until: ends }),
        ...(failOn === undefined ? {} : { fail_on: failOn }),
      };
    }
    case "events": {
      const own = target && target.action.do === "enqueue" ? "job_id" : "run_id";
      const id = `\${{ ${target?.id}.${own} }}`;
      const where = {
        type: `event.type == "${action.type}"`,
        own: `event.data.${own} == ${target?.id}.${own}`,
        attempt: "event.data.attempt >= 1",
      };
      return {
        wait: {
          channel: channelOf(action, id),
          ...(action.where === undefined ? {} : { where: where[action.where] }),
          ...(action.count === undefined ? {} : { count: action.count }),
        },
      };
    }
    case "get":
    case "cancel":
      return { [action.do]: targetOf(step) };
    case "compare":
      return { assert: stateIs(target!, action.state) };
    case "assert":
      if (!action.tells) return { assert: action.holds ? "1 == 1" : "1 == 2" };
      return {
        name: `compares ${API}`,
        assert: action.holds
          ? "secrets.API + secrets.KEY != ''"
          : "secrets.API == secrets.KEY + 'z'",
      };
    case "log":
      return { log: logTemplate(API, KEY, "${{ vars.state }}") };
    case "set":
      return { set: { state: action.tells ? `<${API}>` : `\${{ ${target!.id}.state }}` } };
    case "recall":
      return { assert: `vars.state == "${action.state}"` };
    case "sleep":
      return { sleep: `${action.ms}ms` };
    case "advance":
      return { advance: `${action.ms}ms` };
    case "stats":
      return { stats: {} };
    case "parallel":
      return { parallel: step.inner.map((one) => yamlStep(one, recipe)) };
    case "use": {
      const { level } = action;
      const inputs = { prefix: step.prefix, ...(level === undefined ? {} : { level }) };
      return { use: fileOf(recipe, step), inputs };
    }
    case "output": {
      const { of, state } = action;
      return { assert: `${target!.id}.${of} == ${of === "level" ? LEVEL : JSON.stringify(state)}` };
    }
    case "mark":
      return { assert: `${target!.id}.mark + "" == "${action.state}"` };
  }
}
