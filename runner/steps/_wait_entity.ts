import { isTerminal } from "../../protocol/entity.ts";
import type { JobRecord, TimelineEntry, WorkflowRun } from "../../protocol/entity.ts";
import { StepFailure } from "../events/failure.ts";
import type { Observed } from "../events/event.ts";
import { type Entity, jobResult, runResult } from "../events/results.ts";
import { formatDuration } from "../language/duration.ts";
import { EvaluationError } from "../expression/expression.ts";
import type { StepContext, StepOutcome } from "./kind.ts";
import { Wake } from "./_wake.ts";
import type { WaitStep } from "./wait.ts";

/** A job or run as it was read. */
interface Reading {
  state: string;
  result: Record<string, unknown>;
  job?: JobRecord;
  run?: WorkflowRun;
  timeline: readonly TimelineEntry[];
}

/** What a wait has seen so far, with the times since it began, in milliseconds. */
interface Seen {
  states: { state: string; at: number }[];
  steps: Map<string, { at: number; created_at: string }>;
}

/** Readings are at most a second apart; a longer silence is worth a word. */
const SILENCE = 3000;

/** The states that a plain wait waits for. */
const COMPLETED = ["completed"];

/** What a wait is about. */
export interface Awaited {
  /** The job or run. */
  entity: Entity;
  /** Brings its result up to date, and gives all of it. */
  keep(result: Record<string, unknown>): Record<string, unknown>;
}

/**
 * Waits for a job or run. Its state is read first, so what has already happened is not missed;
 * events wake the next reading, and where none come a timer does.
 */
export async function waitForEntity(
  step: WaitStep,
  { entity, keep }: Awaited,
  context: StepContext,
): Promise<StepOutcome & { observed: Observed }> {
  const began = context.clock.now();
  const seen: Seen = { states: [], steps: new Map() };
  const untilStep = step.until_step && context.text(step.until_step);
  using wake = new Wake(
    context,
    (signal) =>
      entity.kind === "job"
        ? context.client.job(entity.id).events({ signal })
        : context.client.run(entity.id).events({ signal }),
  );
  let last: Reading | undefined;
  let absent: string | undefined;
  let answered = began;
  const history = () => ({
    lines: describeHistory(seen),
    observed: observedOf(seen, began, entity, last),
  });
  try {
    while (true) {
      last = await read(entity, context);
      answered = context.clock.now();
      const at = answered - began;
      if (seen.states.at(-1)?.state !== last.state) seen.states.push({ state: last.state, at });
      for (const { step_name, created_at } of last.timeline) {
        if (!seen.steps.has(step_name)) seen.steps.set(step_name, { at, created_at });
      }
      last.result = keep(last.result);
      if (isTerminal(last.state)) await context.lastEvents(entity);
      const { reached, unknown } = look(step, untilStep, last, context);
      if (unknown && isTerminal(last.state)) {
        const message = `${nameOf(last)} is ${last.state}, and ${unknown.message}`;
        throw new StepFailure("evaluation", message, { ...history(), span: unknown.span });
      }
      absent = unknown?.message;
      if (reached) {
        const { observed } = history();
        return {
          result: {
            outcome: "reached",
            waited_ms: context.clock.now() - began,
            states: observed.states,
          },
          observed,
          detail: untilStep === undefined ? last.state : `${last.state}, ${untilStep} reached`,
        };
      }
      failAtOnce(step, untilStep, last, history);
      const done = [...seen.steps.keys()].at(-1);
      context.progress(`${last.state}${done === undefined ? "" : `, ${done} done`}`);
      await wake.next();
    }
  } catch (error) {
    const silent = context.clock.now() - answered;
    const { lines, observed } = history();
    if (last && (isConnectionLost(error) || (context.timedOut() && silent >= SILENCE))) {
      throw new StepFailure(
        "connection",
        `the connection was lost while waiting for ${nameOf(last)}`,
        {
          observed,
          lines: [...lines, `the server gave no answer for the last ${formatDuration(silent)}`],
          cause: error,
        },
      );
    }
    if (!context.timedOut()) throw error;
    throw new StepFailure("deadline", deadlineMessage(step, untilStep, last, began, context), {
      observed,
      lines: [...lines, ...(absent === undefined ? causes(entity, last, context) : [absent])],
      cause: error,
    });
  }
}

function isConnectionLost(error: unknown): boolean {
  const { name } = (error ?? {}) as Partial<Error>;
  return name === "ConnectionError" || name === "TimeoutError";
}

async function read(
  entity: Entity,
  context: StepContext,
): Promise<Reading> {
  const events = context.eventsOf(entity);
  const options = context.call;
  if (entity.kind === "job") {
    const job = await context.client.getJob(entity.id, options);
    return { state: job.state, job, timeline: [], result: jobResult(job, events) };
  }
  const run = await context.client.getWorkflow(entity.id, options);
  // The timeline is read after the state, so a run that has ended shows all of its checkpoints.
  const timeline = await context.client.workflowTimeline(entity.id, options);
  return { state: run.state, run, timeline, result: runResult(run, timeline, events) };
}

/** Whether a wait is over; a condition over a field that is not there yet is not met yet. */
function look(
  step: WaitStep,
  untilStep: string | undefined,
  { state, result, timeline }: Reading,
  context: StepContext,
): { reached: boolean; unknown?: EvaluationError } {
  if (untilStep !== undefined) {
    return { reached: timeline.some((entry) => entry.step_name === untilStep) };
  }
  if (!step.until || "states" in step.until) return { reached: untilStates(step).includes(state) };
  try {
    return { reached: context.holds(step.until.expression, { it: result }) };
  } catch (error) {
    if (error instanceof EvaluationError && error.absent) return { reached: false, unknown: error };
    throw error;
  }
}

function untilStates(step: WaitStep): readonly string[] {
  return step.until && "states" in step.until
    ? step.until.states.map(({ state }) => state)
    : COMPLETED;
}

function failAtOnce(
  step: WaitStep,
  untilStep: string | undefined,
  last: Reading,
  history: () => { lines: string[]; observed: Observed },
): void {
  const unwanted = step.fail_on?.some(({ state }) => state === last.state) ?? false;
  if (!unwanted && !isTerminal(last.state)) return;
  const why = last.run?.error || (last.state === "failed" && last.job?.last_error) || undefined;
  const wanted = untilStep === undefined
    ? wantedText(step)
    : `without reaching step \`${untilStep}\``;
  throw new StepFailure(
    "wait",
    `${nameOf(last)} is ${last.state}${untilStep === undefined ? `, not ${wanted}` : ` ${wanted}`}${
      why ? `: ${why}` : ""
    }`,
    history(),
  );
}

function deadlineMessage(
  step: WaitStep,
  untilStep: string | undefined,
  last: Reading | undefined,
  began: number,
  context: StepContext,
): string {
  const waited = formatDuration(context.clock.now() - began);
  if (!last) return `nothing was heard from the server within ${waited}`;
  const wanted = untilStep === undefined ? wantedText(step) : `at step \`${untilStep}\``;
  return `${nameOf(last)} is still ${last.state} after ${waited}, not ${wanted}`;
}

function wantedText(step: WaitStep): string {
  if (step.until && "expression" in step.until) return `\`${step.until.expression.text}\``;
  return untilStates(step).join(" or ");
}

function nameOf(last: Reading): string {
  const entity = last.job ?? last.run!;
  return `${last.job ? "job" : "run"} \`${entity.name}\` (${entity.id})`;
}

function describeHistory({ states, steps }: Seen): string[] {
  if (states.length === 0) return [];
  const seen = states.map(({ state, at }) => `${state} at ${formatDuration(at)}`).join(", ");
  if (steps.size === 0) return [`seen: ${seen}`];
  const reached = [...steps].map(([name, { at }]) => `${name} at ${formatDuration(at)}`);
  return [`seen: ${seen}`, `checkpoints: ${reached.join(", ")}`];
}

function observedOf(
  { states, steps }: Seen,
  began: number,
  { kind, id }: Entity,
  last: Reading | undefined,
): Observed {
  const time = (at: number) => new Date(began + at).toISOString();
  const name = (last?.job ?? last?.run)?.name ?? "";
  return {
    entity: { kind, id, name },
    states: states.map(({ state, at }) => ({ state, at: time(at) })),
    timeline: [...steps].map(([step_name, { at, created_at }]) => ({
      step_name,
      at: time(at),
      created_at,
    })),
  };
}

function causes(entity: Entity, last: Reading | undefined, context: StepContext): string[] {
  if (!last) return [];
  if (last.job) {
    const { job } = last;
    switch (job.state) {
      case "pending":
        return [`likely cause: no worker took it; does one read queue \`${job.queue}\`?`];
      case "running":
        return [
          `likely cause: its handler does not end, or no worker knows a job named \`${job.name}\``,
        ];
      case "retrying":
        return [`it failed ${job.retry_count} times: ${job.last_error ?? "(no error given)"}`];
      default:
        return [];
    }
  }
  if (entity.kind === "run" && last.state === "running") {
    const untaken = context.publishedEvents().filter((event) =>
      !last.timeline.some((entry) => entry.step_name === `wait:${event.name}`)
    );
    const published = untaken.map(({ name }) => `\`${name}\``).join(", ");
    return [
      published === ""
        ? "likely cause: it waits for an event that nobody has published, or for a long step"
        : `likely cause: it waits for another event than ${published}, or for a long step`,
    ];
  }
  return [];
}
