import { stringify } from "yaml";
import type { JobHandle, RunHandle, Script } from "../../../runner/mod.ts";
import { channelOf, counts } from "./channel_events.ts";
import { type RecipeModel, type StepModel, tagOf } from "./model.ts";
import type { RecipePlan } from "./plan.ts";

const API = "${{ secrets.API }}";
const KEY = "${{ secrets.KEY }}";

/** Writes the recipes that a recipe uses as YAML, by the names of their files. */
export function usedYaml({ steps }: RecipeModel): Record<string, string> {
  const used = steps.filter(({ action }) => action.do === "use");
  return Object.fromEntries(used.map((step) => [
    fileOf(step),
    stringify({
      secrets: ["API", "KEY"],
      vars: { n: 2, state: "none" },
      steps: step.inner.map(yamlStep),
      ...(step.cleanUp.length === 0 ? {} : { always: step.cleanUp.map(yamlStep) }),
    }, { lineWidth: 0 }),
  ]));
}

function fileOf({ number }: StepModel): string {
  return `used${number}.yaml`;
}

/** Writes a recipe as YAML. */
export function yamlOf({ steps, always, cases }: RecipeModel, { timeout }: RecipePlan): string {
  return stringify({
    ...(cases[0] === undefined ? {} : { matrix: { place: [...cases] } }),
    name: "Simulated",
    secrets: ["API", "KEY"],
    vars: { n: 2, state: "none" },
    ...(timeout === undefined ? {} : { timeout: `${timeout}ms` }),
    steps: steps.map(yamlStep),
    ...(always.length === 0 ? {} : { always: always.map(yamlStep) }),
  }, { lineWidth: 0 });
}

function yamlStep(step: StepModel): Record<string, unknown> {
  const { id, within, soft, retry, items, condition, expects } = step;
  return {
    ...(id === undefined ? {} : { id }),
    ...fieldsOf(step),
    ...(condition === undefined ? {} : { if: conditionOf(condition) }),
    ...(within === undefined ? {} : { within: `${within}ms` }),
    ...(soft ? { soft } : {}),
    ...(items === undefined ? {} : { for_each: Array.from({ length: items }, (_, i) => i) }),
    ...(retry === undefined ? {} : {
      retry: {
        attempts: retry.attempts,
        backoff: `${retry.backoff}ms`,
        ...(retry.repeats ? { repeat_writes: true } : {}),
        ...(retry.isPicky ? { only_if: "error.kind == 'connection'" } : {}),
      },
    }),
    ...(expects === undefined ? {} : { expect: { "vars.n": expects ? 2 : 3 } }),
  };
}

function conditionOf({ step, state }: NonNullable<StepModel["condition"]>): string {
  if (state !== undefined) return stateIs(step, state);
  return step.items === undefined ? `has(${step.id}.state)` : `size(${step.id}) > 0`;
}

/** An expression whose states are not checked before the recipe runs. */
function stateIs({ id }: StepModel, state: string): string {
  return `${id}.state + "" == "${state}"`;
}

function fieldsOf(step: StepModel): Record<string, unknown> {
  const { action, target } = step;
  const payload = () => {
    const own = step.items === undefined ? tagOf(step) : `${tagOf(step)}/\${{ item }}`;
    const tag = step.hasMatrix ? `\${{ matrix.place }} ${own}` : own;
    const state = "${{ vars.state }}";
    return {
      tag,
      state,
      ...("tells" in action && action.tells ? { text: `<${API}>`, key: KEY } : {}),
    };
  };
  switch (action.do) {
    case "enqueue":
      return { enqueue: action.name, payload: payload() };
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
        wait: target!.id,
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
      return { [action.do]: target!.id };
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
      return { log: `tells <b>${API} & "${KEY}" ]]> # | \`c\` \${{ vars.state }}` };
    case "set":
      return { set: { state: action.tells ? `<${API}>` : `\${{ ${target!.id}.state }}` } };
    case "recall":
      return { assert: `vars.state == "${action.state}"` };
    case "sleep":
      return { sleep: `${action.ms}ms` };
    case "stats":
      return { stats: {} };
    case "parallel":
      return { parallel: step.inner.map(yamlStep) };
    case "use":
      return { use: fileOf(step) };
  }
}

/** A part of a script, and what it needs to stop the time while modules are loaded. */
export interface ScriptHooks {
  /** Called when the function ends; only then are the functions of `t.always` called. */
  onBodyEnd(): void;
  /** Called when the first clean-up function begins. */
  onCleanUp(): void;
}

/** Returns a recipe as the function of a TypeScript recipe. Its steps are named by their tags. */
export function scriptOf(
  { steps, always }: RecipeModel,
  createHooks: () => ScriptHooks,
): (t: Script) => Promise<void> {
  return async (t) => {
    const { onBodyEnd, onCleanUp } = createHooks();
    const handles = new Map<StepModel, JobHandle | RunHandle>();
    // The last function is called first.
    for (const step of always.toReversed()) {
      t.always(async () => {
        onCleanUp();
        if (!step.condition || handles.has(step.condition.step)) await runStep(t, step, handles);
      });
    }
    try {
      for (const step of steps) await runStep(t, step, handles);
    } finally {
      if (always.length > 0) onBodyEnd();
    }
  };
}

/** Gives a function the same text on every runtime, because reports show it. */
function sameText<F extends object>(condition: F): F {
  return Object.assign(condition, { toString: () => "(it) => holds(it)" });
}

async function runStep(
  t: Script,
  step: StepModel,
  handles: Map<StepModel, JobHandle | RunHandle>,
): Promise<void> {
  const { action, target, within, soft } = step;
  const name = tagOf(step);
  const settings = { name, soft, ...(within === undefined ? {} : { within: `${within}ms` }) };
  const { API, KEY } = t.secrets;
  const payload = {
    tag: step.hasMatrix ? `${t.matrix.place} ${name}` : name,
    ...("tells" in action && action.tells ? { text: `<${API}>`, key: KEY } : {}),
  };
  const handle = target && handles.get(target);
  switch (action.do) {
    case "enqueue":
      return void handles.set(step, await t.enqueue(action.name, payload, settings));
    case "start":
      return void handles.set(step, await t.start(action.name, payload, settings));
    case "publish":
      return void await t.publish(action.name, payload, settings);
    case "call":
      return void await t.call("job.enqueue", { job: action.name, payload }, settings);
    case "wait": {
      const { until, isExpression, untilStep, failOn } = action;
      const ends = isExpression && until
        ? sameText((it: JobHandle) => until.includes(it.state))
        : until as JobHandle["state"][] | undefined;
      return await t.wait(handle as JobHandle, {
        ...settings,
        ...(untilStep === undefined ? {} : { untilStep }),
        ...(ends === undefined ? {} : { until: ends }),
        ...(failOn === undefined ? {} : { failOn: failOn as JobHandle["state"] }),
      });
    }
    case "events": {
      const id = handle && ("job_id" in handle ? handle.job_id : handle.run_id);
      const { where, count } = action;
      return void await t.events(channelOf(action, id), {
        ...settings,
        ...(count === undefined ? {} : { count }),
        ...(where === undefined ? {} : { where: sameText((event) => counts(action, id, event)) }),
      });
    }
    case "get":
      return void await t.step("get", { get: handle }, settings);
    case "cancel":
      return await t.cancel(handle as JobHandle, settings);
    case "compare":
      return t.assert(handle!.state === action.state, name);
    case "assert":
      return t.assert(action.holds, action.tells ? `${name} ${API}` : name);
    case "log":
      return t.log(`tells <b>${API} & "${KEY}" ]]> # | \`c\``);
    case "sleep":
      return await t.sleep(`${action.ms}ms`, settings);
    case "stats":
      return void await t.stats(settings);
    case "parallel":
    case "use":
    case "set":
    case "recall":
      throw new Error("a script has no such step");
  }
}
