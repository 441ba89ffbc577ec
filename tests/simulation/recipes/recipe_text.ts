import { stringify } from "yaml";
import { assertionOf, EXPECTATIONS, SENT_TEMPLATES, VARS } from "./assertions.ts";
import { channelOf } from "./channel_events.ts";
import { type Action, LACKING, NO_VALUE, SAYS } from "./plan.ts";
import { jobNameOf, payloadTag, type RecipeModel, type RunModel, type StepModel } from "./model.ts";

const API = "${{ secrets.API }}";
const KEY = "${{ secrets.KEY }}";

/** The default of what the recipes send of their environment, and that of the recipes they use. */
export const PLACES = { own: "at home", used: "inside" };
/** The default of an input of the recipes that others use. */
export const LEVEL = 7;

/** The checkpoint and the part of an error that waits ask for. */
export const [ASKED_STEP, ASKED_ERROR] = ["one", "o"];

/** A variable with a secret, and what reports show of it. */
export const HIDDEN = { written: `<${API}>`, shown: "<***>" };

/** Writes the recipes that the recipes of a run use as YAML, by the names of their files. */
export function usedYaml({ recipes }: RunModel): Record<string, string> {
  return Object.fromEntries(
    recipes.flatMap((recipe) =>
      [...recipe.steps, ...recipe.always].flatMap((one) => [
        one,
        ...one.action.do === "parallel" ? one.inner : [],
      ]).filter(({ action }) => action.do === "use").map((
        step,
      ) => [
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

function fileOf({ file }: RecipeModel, { number, isCleanUp }: StepModel): string {
  return `used${isCleanUp ? "-last" : ""}${number}-${file}`;
}

/** What the names of all that a used recipe creates begin with, besides the prefix of its case. */
export function usedPrefix({ isCleanUp }: StepModel): string {
  return isCleanUp ? "last " : "";
}

/**
 * Writes a recipe as YAML.
 * @param began When the world began, in milliseconds since 1970.
 */
export function yamlOf(recipe: RecipeModel, began: number): string {
  const { steps, always, plan: { timeout, matrix, numbers, rows } } = recipe;
  const quarantine = quarantineOf(recipe, began);
  return stringify({
    ...(matrix === undefined
      ? {}
      : { matrix: { place: [...matrix], ...(numbers ? { n: [...numbers] } : {}) } }),
    ...(rows === undefined ? {} : { cases: rows }),
    name: "Simulated",
    ...(quarantine === undefined ? {} : { quarantine }),
    secrets: ["API", "KEY"],
    env: { PLACE: PLACES.own },
    vars: {
      ...VARS,
      hidden: HIDDEN.written,
      ...(rows === undefined ? {} : { row: "no row" }),
    },
    ...(timeout === undefined ? {} : { timeout: `\${{ ${timeout} }}ms` }),
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
  // Every second step has expressions for its numbers.
  const number = (value: number) => step.expectation % 2 === 0 ? value : `\${{ ${value} }}`;
  const duration = (ms: number) =>
    step.expectation % 3 === 0 ? `${number(ms / 1_000)}s` : `${number(ms)}ms`;
  return {
    ...(id === undefined ? {} : { id }),
    ...fieldsOf(step, recipe),
    ...(condition === undefined ? {} : { if: conditionOf(condition) }),
    ...(within === undefined ? {} : { within: duration(within) }),
    ...(soft ? { soft } : {}),
    ...(items === undefined ? {} : forEachOf(items, side)),
    ...(marks ? { outputs: { mark: "result.state" } } : {}),
    ...(retry === undefined ? {} : {
      retry: {
        attempts: number(retry.attempts),
        backoff: duration(retry.backoff),
        ...(retry.repeats ? { repeat_writes: true } : {}),
        ...(retry.isPicky ? { only_if: "error.kind == 'connection'" } : {}),
      },
    }),
    ...expectOf(step),
  };
}

function expectOf({ action, expects, expectation }: StepModel): Record<string, unknown> {
  if (action.do === "assert") return {};
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
  // One list in two is that of an expression.
  const written = items % 2 === 0 ? list : `\${{ ${JSON.stringify(list)} }}`;
  return { for_each: side === 1 ? written : { items: written, parallel: side } };
}

function conditionOf({ step, state }: NonNullable<StepModel["condition"]>): string {
  if (state === NO_VALUE) return "vars.list[7] == 1";
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

/** Returns a condition over a job or run that is waited for. */
function questionOf({ target }: StepModel, asks: "retries" | "error" | "steps"): string {
  if (asks === "retries") return "it.retry_count >= 1";
  if (asks === "steps") return `it.steps.exists(s, s.step_name == "${ASKED_STEP}")`;
  return `it.${
    target!.action.do === "enqueue" ? "last_error" : "error"
  }.contains("${ASKED_ERROR}")`;
}

/** Returns a condition about a job or run. That its name or tag is another one does not hold. */
function comparisonOf(
  { target }: StepModel,
  { of, state }: Extract<Action, { do: "compare" }>,
): string {
  const { id, action } = target!;
  if (of === "state" || !("name" in action)) return stateIs(target!, state);
  const wrong = state === "failed" ? "not " : "";
  if (of === "name") return `${id}.name == "${wrong}${action.name}"`;
  const values = action.do === "enqueue" ? "payload" : "input";
  return `${id}.${values}.tag.endsWith("${wrong}${payloadTag(target!)}")`;
}

function fieldsOf(step: StepModel, recipe: RecipeModel): Record<string, unknown> {
  const { action, target } = step;
  const payload = () => {
    return {
      tag: step.prefix + payloadTag(step, step.items === undefined ? undefined : "${{ item }}"),
      ...SENT_TEMPLATES,
      state: "${{ vars.state }}",
      place: "${{ env.PLACE }}",
      ...(step.isUsed ? { level: "${{ inputs.level }}" } : {}),
      ...("tells" in action && action.tells ? { text: `<${API}>`, key: KEY } : {}),
      ...("lacks" in action && action.lacks !== undefined ? { lacks: LACKING[action.lacks] } : {}),
    };
  };
  switch (action.do) {
    case "enqueue":
      return {
        enqueue: step.items === undefined || jobNameOf(step, 0) === action.name
          ? action.name
          : `\${{ item == 0 ? "${jobNameOf(step, 0)}" : "${action.name}" }}`,
        payload: payload(),
        ...(action.queue === undefined ? {} : { queue: action.queue }),
        ...(action.priority === undefined ? {} : { priority: action.priority }),
      };
    case "start":
      return { start: action.name, input: payload() };
    case "publish":
      return { publish: action.name, payload: payload() };
    case "call":
      return action.event === undefined
        ? { call: "job.enqueue", data: { job: action.name, payload: payload() } }
        : { call: "workflow.event", data: { name: action.event, payload: payload() } };
    case "ask":
      return { call: "job.get", data: { job_id: `\${{ ${target!.id}.job_id }}` } };
    case "wait": {
      const { until, isExpression, untilStep, failOn, asks } = action;
      const isByName = !action.isById && target!.items === undefined && step.expectation % 2 === 0;
      const it = isByName ? target!.id : "it";
      const ends = isExpression && until
        ? `\${{ ${JSON.stringify(until)}.exists(s, s == ${it}.state) }}`
        : until;
      return {
        wait: targetOf(step),
        ...(untilStep === undefined
          ? {}
          : { until_step: untilStep === SAYS ? SAYS + KEY : untilStep }),
        ...(until === undefined ? {} : { until: ends }),
        ...(asks === undefined ? {} : { until: `\${{ ${questionOf(step, asks)} }}` }),
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
      return { assert: comparisonOf(step, action) };
    case "list": {
      const { id, action: { do: kind } } = target!;
      const first = `${id}[0].${kind === "enqueue" ? "payload" : "input"}.tag`;
      return {
        assert: action.of === "states"
          ? `${id}.all(one, one.state + "" == "${action.state}")`
          : `size(${id}) > 0 && ${first}.endsWith("/0")`,
      };
    }
    case "assert":
      return assertionOf(step);
    case "log":
      return { log: logTemplate(API, KEY, "${{ vars.state }}") };
    case "set":
      return { set: { state: action.tells ? `<${API}>` : `\${{ ${target!.id}.state }}` } };
    case "recall":
      return { assert: `vars.state == "${action.state}"` };
    case "sleep":
      return { sleep: step.expectation % 3 === 0 ? `${action.ms / 1_000}s` : `${action.ms}ms` };
    case "throw":
      throw new TypeError("only scripts throw");
    case "advance":
      return { advance: `${action.ms}ms` };
    case "stats":
      return { stats: {} };
    case "parallel":
      return { parallel: step.inner.map((one) => yamlStep(one, recipe)) };
    case "use": {
      const { level } = action;
      const prefix = step.prefix + usedPrefix(step);
      const inputs = { prefix, ...(level === undefined ? {} : { level }) };
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
