import type { StepModel } from "../model.ts";
import type { Action } from "../plan.ts";
import { LEVEL } from "../recipe_text.ts";
import type { Ending, JudgedCase, Span } from "./judged_case.ts";

/** Returns how a step has ended that asks nothing of the server; `undefined` for other steps. */
export function endLocally(judged: JudgedCase, step: StepModel, span: Span): Ending | undefined {
  const { start, end, limit } = span;
  const { action, target } = step;
  switch (action.do) {
    case "assert":
    case "compare": {
      judged.checks++;
      if (action.do === "assert") return { status: action.holds ? "passed" : "failed" };
      const isRight = action.of === "state"
        ? judged.states.get(target!) === action.state
        : judged.hasResult(target!) && action.state !== "failed";
      return { status: isRight ? "passed" : "failed" };
    }
    case "list": {
      judged.checks++;
      if (!judged.hasResult(target!)) return { status: "failed" };
      const created = judged.created.get(target!)!;
      const states = judged.itemStates.get(target!);
      const isRight = action.of === "order"
        ? [...created.keys()][0] === 0
        : [...created.values()].every((id) => states?.get(id) === action.state);
      return { status: isRight ? "passed" : "failed" };
    }
    case "set": {
      if (!action.tells && !judged.hasResult(target!)) return { status: "failed" };
      if (step.expects !== undefined) judged.checks++;
      return { status: step.expects ?? true ? "passed" : "failed" };
    }
    case "mark":
      judged.checks++;
      return { status: judged.marks.get(target!) === action.state ? "passed" : "failed" };
    case "output":
      judged.checks++;
      return { status: hasOutput(judged, target!, action) ? "passed" : "failed" };
    case "recall":
      judged.checks++;
      return { status: judged.variable === action.state ? "passed" : "failed" };
    case "log":
      if (step.expects !== undefined) judged.checks++;
      return { status: step.expects ?? true ? "passed" : "failed" };
    case "advance":
    case "sleep":
      if (end.at === start.at + action.ms && action.ms + start.at <= limit.at) {
        const isTie = end.at === limit.at || judged.isStopped(step, end, limit);
        if (step.expects !== undefined) judged.checks++;
        const status = step.expects ?? true ? "passed" : "failed";
        return { status, or: isTie ? [judged.stop(step, span).status] : [] };
      }
      return judged.stop(step, span);
    default:
      return undefined;
  }
}

/** Whether an output of a recipe that was used is what an assertion says. */
function hasOutput(
  judged: JudgedCase,
  use: StepModel,
  { of, state }: Extract<Action, { do: "output" }>,
): boolean {
  const outputs = judged.outputs.get(use);
  if (!outputs) return false;
  if (of === "level") return outputs.level === LEVEL;
  return state === (of === "state" ? outputs.state : judged.states.get(use.given!));
}
