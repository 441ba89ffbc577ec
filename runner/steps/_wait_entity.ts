import { isTerminal } from "../../protocol/entity.ts";
import type { JobRecord, TimelineEntry, WorkflowRun } from "../../protocol/entity.ts";
import { StepFailure } from "../engine/failure.ts";
import { type Entity, jobResult, runResult } from "../engine/results.ts";
import { formatDuration } from "../recipe/duration.ts";
import type { StepContext, StepOutcome } from "./kind.ts";
import { targetId } from "./_target.ts";
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

/** A state, and when it was first seen, in milliseconds since the wait began. */
interface Seen {
  state: string;
  at: number;
}

/** Readings are at most a second apart; a longer silence is worth a word. */
const SILENCE = 3000;

/** The states that a plain wait waits for. */
const COMPLETED = ["completed"];

/**
 * Waits for a job or run. Its state is read first, so what has already happened is not missed;
 * events wake the next reading, and where none come a timer does.
 */
export async function waitForEntity(step: WaitStep, context: StepContext): Promise<StepOutcome> {
  const entity = targetId(step.wait, context);
  const began = context.clock.now();
  const seen: Seen[] = [];
  const steps = new Map<string, number>();
  const untilStep = step.until_step && context.text(step.until_step);
  using wake = new Wake(
    context,
    (signal) =>
      entity.kind === "job"
        ? context.client.job(entity.id).events({ signal })
        : context.client.run(entity.id).events({ signal }),
  );
  let last: Reading | undefined;
  let answered = began;
  const history = () => describeHistory(seen, steps);
  try {
    while (true) {
      last = await read(entity, step, context);
      answered = context.clock.now();
      const at = answered - began;
      if (seen.at(-1)?.state !== last.state) seen.push({ state: last.state, at });
      for (const { step_name } of last.timeline) {
        if (!steps.has(step_name)) steps.set(step_name, at);
      }
      if (step.wait.step !== undefined) context.results.update(step.wait.step, last.result);
      if (isReached(step, untilStep, last, context)) {
        return {
          result: {
            outcome: "reached",
            waited_ms: context.clock.now() - began,
            states: seen.map((s) => ({ state: s.state, at: new Date(began + s.at).toISOString() })),
          },
          detail: untilStep === undefined ? last.state : `${last.state}, ${untilStep} reached`,
        };
      }
      failAtOnce(step, untilStep, last, history);
      context.progress(
        `${last.state}${steps.size > 0 ? `, ${[...steps.keys()].at(-1)} done` : ""}`,
      );
      await wake.next();
    }
  } catch (error) {
    const silent = context.clock.now() - answered;
    if (last && (isConnectionLost(error) || (context.timedOut() && silent >= SILENCE))) {
      throw new StepFailure(
        "connection",
        `the connection was lost while waiting for ${nameOf(last)}`,
        {
          lines: [...history(), `the server gave no answer for the last ${formatDuration(silent)}`],
          cause: error,
        },
      );
    }
    if (!context.timedOut()) throw error;
    throw new StepFailure("deadline", deadlineMessage(step, untilStep, last, began, context), {
      lines: [...history(), ...causes(entity, last, context)],
      cause: error,
    });
  }
}

function isConnectionLost(error: unknown): boolean {
  const { name } = (error ?? {}) as Partial<Error>;
  return name === "ConnectionError" || name === "TimeoutError";
}

async function read(entity: Entity, step: WaitStep, context: StepContext): Promise<Reading> {
  const options = context.call;
  const events = step.wait.step === undefined ? [] : context.eventsOf(step.wait.step);
  if (entity.kind === "job") {
    const job = await context.client.getJob(entity.id, options);
    return { state: job.state, job, timeline: [], result: jobResult(job, events) };
  }
  const run = await context.client.getWorkflow(entity.id, options);
  // The timeline is read after the state, so a run that has ended shows all of its checkpoints.
  const timeline = await context.client.workflowTimeline(entity.id, options);
  return { state: run.state, run, timeline, result: runResult(run, timeline, events) };
}

function isReached(
  step: WaitStep,
  untilStep: string | undefined,
  last: Reading,
  context: StepContext,
): boolean {
  if (untilStep !== undefined) return last.timeline.some((entry) => entry.step_name === untilStep);
  if (step.until && "expression" in step.until) {
    return context.holds(step.until.expression, { it: last.result });
  }
  return untilStates(step).includes(last.state);
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
  history: () => string[],
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
    { lines: history() },
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

function describeHistory(seen: readonly Seen[], steps: ReadonlyMap<string, number>): string[] {
  const lines = [`seen: ${seen.map((s) => `${s.state} at ${formatDuration(s.at)}`).join(", ")}`];
  if (steps.size > 0) {
    const reached = [...steps].map(([name, at]) => `${name} at ${formatDuration(at)}`);
    lines.push(`checkpoints: ${reached.join(", ")}`);
  }
  return seen.length === 0 ? [] : lines;
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
