import { Actor, type Known } from "../simulation/actor.ts";
import type { PlannedFault, Program, Step } from "../simulation/program.ts";
import { nothingIsLeft } from "../simulation/rules.ts";
import { performCalls } from "../simulation/run_program.ts";
import { RULES } from "./outside_rules.ts";
import { RealWorld } from "./real_world.ts";
import { Witness } from "./witness.ts";

/** Settings of {@linkcode runOnServer}. */
export interface RunOptions {
  /** How many times faster than in virtual time the steps follow each other. */
  pace?: number;
  /** How many milliseconds late a call may settle: the timers of a busy machine are late. */
  late?: number;
  /** After how many milliseconds events have arrived. */
  inFlight?: number;
  /** Within how many milliseconds after the last step everything must be in order again. */
  calm?: number;
  /** Random numbers for the delays of reconnecting. */
  random?: () => number;
}

/** The most milliseconds that a step waits for the one before. */
const PATIENCE = 5_000;

/** The names of the reference workload that stand for those of the simulation. */
const NAMES: Readonly<Record<string, string>> = {
  ...{ work: "sleep", fails: "always-fails", quick: "order-pipeline", nap: "sleeper" },
  ...{ gate: "order-payment", broken: "failing", fan: "parallel", hour: "batch-process" },
  ...{ long: "process-item", slow: "process-item", brisk: "process-item", go: "payment-received" },
};

/** How a program went. */
export interface RealVerdict {
  readonly violations: readonly string[];
  readonly calls: number;
  readonly events: number;
  /** Whether the observer missed events, so that nothing could be judged. */
  readonly isBlind: boolean;
  readonly trace: readonly string[];
}

/** Runs a program on a real server, and judges what can be seen from outside. */
export async function runOnServer(
  program: Program,
  url: string,
  options: RunOptions = {},
): Promise<RealVerdict> {
  const { pace = 4, late = 1_500, inFlight = 1_000, calm = 60_000, random } = options;
  await using witness = await Witness.open(url);
  const { model, store } = witness;
  const faults = program.isCalm ? [] : program.faults;
  await using world = await RealWorld.open(url, shareOut(program, faults), random);
  const known: Known = { jobs: [], runs: [] };
  const published = () => model.published.length;
  const actors = program.clients.map((plan, index) =>
    new Actor(
      world,
      index,
      { ...plan, hasFreshTokens: false, hasOwnToken: false },
      known,
      published,
    )
  );
  await perform(program, world, actors, pace);
  world.heal();
  for (const name of world.harmed) model.harmed.add(name);
  const evidence = { program, model, actors, world: Object.assign(world, { store }) };
  const judge = async () => {
    await witness.read(actors.flatMap(({ outcomes }) => outcomes.flatMap(createdBy)));
    for (const { op, asked } of actors.flatMap(({ outcomes }) => outcomes)) {
      if (op.do === "cancel" && asked !== undefined) model.cancelled.add(asked);
    }
    for (const outcome of actors.flatMap(({ outcomes }) => outcomes)) {
      const { end, deadline } = outcome;
      if (end > deadline && end <= deadline + late) outcome.deadline = end;
    }
    model.signals.length = 0;
    for (const { op, result, value } of actors.flatMap(({ outcomes }) => outcomes)) {
      if (op.do !== "publish" || result === undefined) continue;
      model.signals.push({ id: result as string, name: op.name, payload: value });
    }
    return [...new Set(RULES.flatMap((rule) => [...rule(evidence)]))];
  };
  await world.pause(inFlight);
  const violations = await untilNone(world, judge, calm);
  await Promise.all(actors.map(({ client }) => client.close()));
  const left = () => Promise.resolve([...nothingIsLeft(evidence)]);
  // A slow reader may have much to read after the client gave up.
  violations.push(...await untilNone(world, left, calm));
  await witness.end();
  return {
    violations: witness.isBlind ? [] : violations,
    calls: actors.reduce((sum, { outcomes }) => sum + outcomes.length, 0),
    events: model.published.length,
    isBlind: witness.isBlind,
    trace: world.trace,
  };
}

/** Repeats a judgement until nothing is wrong, or the time is over. */
async function untilNone(
  world: RealWorld,
  judge: () => Promise<string[]>,
  ms: number,
): Promise<string[]> {
  const end = world.now + ms;
  for (;;) {
    const violations = await judge();
    if (violations.length === 0 || world.now > end) return violations;
    await world.pause(250);
  }
}

/** Gives each client its share of the planned faults. */
function shareOut(
  { clients }: Program,
  faults: readonly PlannedFault[],
): Map<string, PlannedFault[]> {
  const names = clients.map((_, index) => `client-${index + 1}`);
  return new Map(names.map((name, index) => [
    name,
    faults.filter((_, number) => number % names.length === index),
  ]));
}

/** The ids of the jobs and runs that a call made. */
function createdBy({ op, result }: Actor["outcomes"][number]): string[] {
  const isMade = op.do === "enqueue" || op.do === "enqueueMany" || op.do === "start";
  return isMade && result !== undefined ? [result].flat() as string[] : [];
}

async function perform(
  program: Program,
  world: RealWorld,
  actors: readonly Actor[],
  pace: number,
): Promise<void> {
  let hasEnded = false;
  const pause = (ms: number) => world.pause(ms);
  const performance = { pause, patience: PATIENCE, hasEnded: () => hasEnded };
  for (const [number, step] of program.steps.map(renamed).entries()) {
    // Programs in virtual time have long pauses.
    await pause(step.after / pace);
    if ("op" in step) {
      await performCalls(number, step, actors[step.client % actors.length]!, performance);
    } else if (program.isCalm) continue;
    else if ("restart" in step) await world.restart(Math.min(step.restart / pace, 2_000));
    else if ("cutAll" in step) world.breakAll(step.cutAll);
    else if ("cutOne" in step) world.breakOne(step.cutOne);
  }
  hasEnded = true;
}

/** Replaces the names of the simulation's jobs, workflows and events. */
function renamed(step: Step): Step {
  if (!("op" in step) || !("name" in step.op)) return step;
  const { name } = step.op;
  return { ...step, op: { ...step.op, name: NAMES[name] ?? name } } as Step;
}
