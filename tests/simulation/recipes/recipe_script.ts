import type { JobHandle, RunHandle, Script } from "../../../runner/mod.ts";
import { encodeBase64 } from "../../../protocol/base64.ts";
import { checkInScript } from "./assertions.ts";
import { channelOf, counts } from "./channel_events.ts";
import { isCaught, type RecipeModel, type StepModel, tagOf } from "./model.ts";
import { type Action, SAYS } from "./plan.ts";
import { ASKED_ERROR, ASKED_STEP } from "./recipe_text.ts";

/** A part of a script, and what it needs to stop the time while modules are loaded. */
export interface ScriptHooks {
  /** Called when the function ends; only then are the functions of `t.always` called. */
  onBodyEnd(): void;
  /** Called when the first clean-up function begins. */
  onCleanUp(): void;
}

/** Returns a recipe as the function of a TypeScript recipe. Its steps are named by their tags. */
export function scriptOf(
  { steps, always, prefix: parts }: RecipeModel,
  createHooks: () => ScriptHooks,
): (t: Script) => Promise<void> {
  return async (t) => {
    const { onBodyEnd, onCleanUp } = createHooks();
    const handles = new Map<StepModel, JobHandle | RunHandle>();
    const runStep = (step: StepModel) => runScriptStep(t, step, handles, prefix);
    const prefix = parts.map((part) => `${valueOf(part, t)} `).join("");
    // The last function is called first.
    for (const step of always.toReversed()) {
      t.always(async () => {
        onCleanUp();
        if (!step.condition || handles.has(step.condition.step)) await runStep(step);
      });
    }
    const end = () => void (always.length > 0 && onBodyEnd());
    let isLoose = false;
    try {
      for (const step of steps) {
        try {
          const running = runStep(step);
          isLoose = step.isLoose;
          if (isLoose) running.catch(() => {}).finally(end);
          else await running;
        } catch (error) {
          if (!isCaught(step)) throw error;
        }
      }
    } finally {
      if (!isLoose) end();
    }
  };
}

/** Gives a function the same text on every runtime, because reports show it. */
function sameText<F extends object>(condition: F): F {
  return Object.assign(condition, { toString: () => "(it) => holds(it)" });
}

/** Returns a part of the prefix that tells the cases of a run apart. */
function valueOf(part: string, { vars, matrix }: Script): unknown {
  return part === "row" ? vars.row : part === "place" || part === "n" ? matrix[part] : part;
}

/** Whether a job or run is as a step says; that its name or tag is another one does not hold. */
function holds(
  handle: JobHandle | RunHandle,
  { target }: StepModel,
  { of, state }: Extract<Action, { do: "compare" }>,
): boolean {
  if (of === "state") return handle.state === state;
  if (state === "failed") return false;
  if (of === "name") return handle.name === Object(target!.action).name;
  const { tag } = Object("job_id" in handle ? handle.payload : handle.input);
  return `${tag}`.endsWith(tagOf(target!));
}

/** Whether a job or run meets a condition that is waited for. */
function isMet(handle: JobHandle | RunHandle, asks: "retries" | "error" | "steps"): boolean {
  const it = handle as JobHandle & RunHandle;
  if (asks === "retries") return it.retry_count >= 1;
  if (asks === "steps") return it.steps.some(({ step_name }) => step_name === ASKED_STEP);
  return (it.last_error ?? it.error ?? "").includes(ASKED_ERROR);
}

async function runScriptStep(
  t: Script,
  step: StepModel,
  handles: Map<StepModel, JobHandle | RunHandle>,
  prefix: string,
): Promise<void> {
  const { action, target, within, soft } = step;
  const name = tagOf(step);
  const settings = { name, soft, ...(within === undefined ? {} : { within: `${within}ms` }) };
  const { API, KEY } = t.secrets;
  const payload = {
    tag: prefix + name,
    place: t.env.PLACE,
    ...("tells" in action && action.tells ? { text: `<${API}>`, key: KEY } : {}),
  };
  const handle = target && handles.get(target);
  // The function has caught that it was not created.
  if (target && !handle) return;
  switch (action.do) {
    case "enqueue":
      return void handles.set(
        step,
        await t.enqueue(action.name, payload, {
          ...settings,
          ...(action.queue === undefined ? {} : { queue: action.queue }),
          ...(action.priority === undefined ? {} : { priority: action.priority }),
        }),
      );
    case "start":
      return void handles.set(step, await t.start(action.name, payload, settings));
    case "publish":
      return void await t.publish(action.name, payload, settings);
    case "call":
      return void await (action.event === undefined
        ? t.call("job.enqueue", { job: action.name, payload }, settings)
        : t.call("workflow.event", { name: action.event, payload }, settings));
    case "ask":
      return void await t.call("job.get", { job_id: (handle as JobHandle).job_id }, settings);
    case "wait": {
      const { until, isExpression, untilStep, failOn, asks } = action;
      const ends = asks !== undefined
        ? sameText((it: JobHandle) => isMet(it, asks))
        : isExpression && until
        ? sameText((it: JobHandle) => until.includes(it.state))
        : until as JobHandle["state"][] | undefined;
      return await t.wait(handle as JobHandle, {
        ...settings,
        ...(untilStep === undefined
          ? {}
          : { untilStep: untilStep === SAYS ? SAYS + KEY : untilStep }),
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
      return t.assert(holds(handle!, step, action), name);
    case "assert":
      return checkInScript(t, step);
    case "log":
      return t.log(
        `tells <b>${API} & "${KEY}" ]]> # | \`c\` ${encodeURIComponent(API!)} ${
          encodeBase64(KEY!)
        }`,
      );
    case "sleep":
      return await t.sleep(`${action.ms}ms`, settings);
    case "advance":
      return await t.advance(`${action.ms}ms`, settings);
    case "stats":
      return void await t.stats(settings);
    case "parallel":
      await Promise.all(step.inner.map((one) => runScriptStep(t, one, handles, prefix)));
      return;
    case "throw":
      // Runtimes differ in where they say that it was thrown.
      throw Object.assign(new Error(`thrown by ${name}`), { stack: "" });
    case "use":
    case "set":
    case "list":
    case "recall":
    case "output":
    case "mark":
      throw new Error("a script has no such step");
  }
}
