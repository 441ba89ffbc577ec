// Loaded now, because the world's time does not wait for modules.
import "node:async_hooks";
import process from "node:process";
import "../../../runner/expression/value_tree.ts";
import "../../../runner/steps/unknown_workflow.ts";
import { planCases, runCases } from "../../../runner/engine/run.ts";
import { VirtualTime } from "../../../runner/engine/virtual_time.ts";
import { delay } from "../../../runtime/clock.ts";
import { InterruptedError } from "../../../runner/events/deadline.ts";
import type { RunnerClient } from "../../../runner/mod.ts";
import { openScript } from "../../../runner/script/running_script.ts";
import { seededRandom } from "../../../runtime/random.ts";
import {
  createWorld,
  type FaultPolicy,
  type World,
  type WorldClock,
} from "../../../testing/mod.ts";
import { hashTrace, type TraceEntry } from "../../../testing/world/trace.ts";
import { defineJob, defineWorkflow, type ServedRequest } from "../../../dev/mod.ts";
import { CountingSignal } from "../../helpers/counting_signal.ts";
import type { Signal } from "../model.ts";
import type { Verdict } from "../run_program.ts";
import type { Subject } from "../search.ts";
import { workload } from "../workload.ts";
import { buildRecipes } from "./build_recipes.ts";
import { checkDocuments } from "./documents.ts";
import { checkHistory } from "./history.ts";
import { checkStreams } from "./streams.ts";
import { Evidence } from "./evidence.ts";
import { Interpreter } from "./interpreter/interpreter.ts";
import { modelOf } from "./build_model.ts";
import { runPlans } from "./mix.ts";
import { type RunPlan, SAYS, SECRETS } from "./plan.ts";
import { usedYaml, yamlOf } from "./recipe_text.ts";
import { RULES } from "./recipe_rules.ts";

/** The most milliseconds that a run takes: all attempts of its cases, and the look for leftovers. */
const LONGEST = 100_000_000;
/** How many milliseconds after its end nothing of a recipe is left. */
const CLOSE = 5_000;

/** Runs recipes in a world of its own, and judges what happened. */
export async function runRecipes(plan: RunPlan): Promise<Verdict> {
  const model = modelOf(plan);
  const signals: Signal[] = [];
  const received = new Map<string, number>();
  const faults = new Map(plan.faults.map((fault) => [fault.frame, fault]));
  const writeFaults = faultsOfWrites(plan);
  const { jobs, workflows, ...rest } = workload();
  const world = await createWorld({
    ...rest,
    jobs: [...jobs!, defineJob("tells", (input) => refuse(input))],
    workflows: [
      ...workflows!,
      defineWorkflow("tells", async (wf, input) => {
        await wf.step(`${SAYS}${Object(input).key ?? "nothing"}`, () => 1);
        await wf.sleep("pause", 30);
        return await wf.step("tells", () => refuse(input));
      }),
    ],
    quirks: { "uuid-sessions": true },
    seed: plan.seed,
    nodes: plan.nodes,
    latency: plan.latency,
    observer: () => ({
      request: (request) => countTag(request, received),
      published: ({ id, name, payload }) => void signals.push({ id, name, payload }),
    }),
    networkFaults: (frame) =>
      writeFaults(frame) ??
        (frame.text.includes('"credits":') ? undefined : faults.get(frame.number)),
  });
  const clock = world.clock("runner");
  const evidence = new Evidence(
    world,
    clock,
    ({ phase, step, label, case: index }) =>
      (model.cases[index]!.recipe.plan.isScript && label !== undefined &&
        /\b(?:steps|always) \d+(?:\.\d+)?/.exec(label)?.[0]) || `${phase} ${step}`,
  );
  const signal = new CountingSignal();
  const violations: string[] = [];
  const secrets = plan.secrets.map((name) => SECRETS[name]!);
  listeners ??= countListeners();
  try {
    using _timers = holdRealTimers(clock);
    const worldBegan = clock.now();
    const recipes = await buildRecipes(model, worldBegan, clock);
    const client = world.client("runner", { timeout: plan.callTimeout });
    const connecting = plan.isUnreachable
      ? Promise.resolve(new Error("Cannot connect"))
      : client.connect({ signal: signal.signal }).then(() => client, (error: Error) => error);
    const connection = await world.run(connecting, LONGEST);
    disturb(plan, world, evidence, signal);
    // One for each case, because in which order cases draw at one time depends on the runtime.
    const planned = planCases(recipes)
      .map((one, index) => ({ ...one, random: seededRandom(plan.seed + index) }));
    const { exitCode } = await world.run(
      runCases(planned, {
        parallel: plan.parallel,
        bail: plan.bail,
        retries: plan.retries,
        failOnFlaky: plan.failOnFlaky,
        timeout: plan.limit,
        select: plan.left === undefined ? undefined : ({ number }) => number !== `${plan.left}`,
        client: connection instanceof Error
          ? connection
          : evidence.client(connection as RunnerClient),
        report: (event) => evidence.report(event),
        server: "simulated",
        ...(plan.isVirtual ? { virtual: virtualTime(clock) } : {}),
        identity: { plan: "simulated" },
        clock,
        random: seededRandom(plan.seed),
        env: (name) => name === "PLACE" ? plan.place : secrets[["API", "KEY"].indexOf(name)],
        signal: signal.signal,
        openScript,
      }),
      LONGEST,
    );
    if (connection instanceof Error) {
      if (![3, 130].includes(exitCode)) violations.push(`1: the exit code is ${exitCode}`);
    } else {
      const judgements = new Map(
        evidence.cases.flatMap(({ attempts }, index) =>
          attempts.map((one) =>
            [one, new Interpreter(plan, model.cases[index]!, one).judge()] as const
          )
        ),
      );
      const isDisturbed =
        plan.faults.length + plan.writeFaults.length + plan.disturbances.length > 0;
      const about = {
        world,
        plan,
        model,
        evidence,
        worldBegan,
        judgements,
        signals,
        received,
        exitCode,
        isDisturbed,
      };
      for (const rule of RULES) violations.push(...rule(about));
    }
    await world.advance(1);
    const { size } = evidence.followers;
    if (size > 0) {
      violations.push(`6: it still reads the events of ${size} jobs and runs at its end`);
    }
    if (countListeners() > listeners) {
      violations.push("6: it listens to unhandled errors at its end");
    }
    await world.run(client.close(), CLOSE);
    await world.advance(CLOSE);
    if (clock.pending > 0) violations.push(`6: the runner has ${clock.pending} timers at its end`);
    const open = evidence.listenings.find(({ isClosed }) => !isClosed);
    if (open) violations.push(`6: it still listens to ${open.channel} at its end`);
    if (signal.listeners > 0) violations.push(`6: its signal has ${signal.listeners} listeners`);
    for await (const problem of checkDocuments(evidence.events, secrets, plan.seed)) {
      violations.push(`5: ${problem}`);
    }
    for await (const problem of checkStreams(evidence.events, plan)) {
      violations.push(`8: ${problem}`);
    }
    const named = planned.map((one, index) => ({ ...one, name: model.cases[index]!.name }));
    for await (const problem of checkHistory(evidence.events, named, { clock, seed: plan.seed })) {
      violations.push(`10: ${problem}`);
    }
  } catch (error) {
    violations.push(`0: ${(error as Error).stack}`);
  } finally {
    await world.close();
  }
  return {
    violations,
    hash: () => hashTrace(inOrder(world.trace)),
    steps: world.steps,
    timeline: () => world.traceLines(),
  };
}

/** Recipes, as programs to search. */
export const RECIPES: Subject<RunPlan> = {
  flags: " --recipes",
  strata: [runPlans],
  run: runRecipes,
  show(plan) {
    const model = modelOf(plan);
    const recipes = model.recipes.map((one) => [one.file, yamlOf(one, 0)]);
    const files = [...recipes, ...Object.entries(usedYaml(model))];
    return [JSON.stringify(plan), ...files.map(([name, text]) => `# ${name}\n${text}`)].join(
      "\n\n",
    );
  },
};

/** How many listened to unhandled errors before the first run. */
let listeners: number | undefined;

/** Counts who listens to unhandled errors; on Deno they are not listeners of the process. */
function countListeners(): number {
  return process.listenerCount("unhandledRejection");
}

function refuse(input: unknown): never {
  const text = JSON.stringify(input);
  // An error may name the password of an address alone.
  const [, password = ""] = /:\/\/\w+:(\w+)@/.exec(text) ?? [];
  throw new Error(`refuses ${text} ${password}`);
}

/** Returns the world's time as the virtual time of a run. */
function virtualTime(clock: WorldClock): VirtualTime {
  return new VirtualTime({
    pauses: clock,
    hold: () => clock.freeze(),
    pass: (ms, signal) => delay(ms, { clock, signal }),
  });
}

/** Sets the timers for what happens from outside. */
function disturb(
  { disturbances, interrupt, seed }: RunPlan,
  world: World,
  evidence: Evidence,
  signal: CountingSignal,
): void {
  const clock = world.clock("program");
  if (interrupt !== undefined) {
    clock.setTimeout(() => {
      const reason = new InterruptedError("SIGINT");
      evidence.interrupt(reason);
      signal.abort(reason);
    }, interrupt);
  }
  for (const disturbance of disturbances) {
    clock.setTimeout(() => {
      if (disturbance.do === "restart") {
        void world.nodes[seed % world.nodes.length]!.restart(disturbance.ms);
        return;
      }
      for (const connection of world.connections) {
        if (connection.isOpenAtClient) connection[disturbance.do === "cut" ? "cut" : "mute"]();
      }
    }, disturbance.at);
  }
}

/** Finds the requests that change something, and their answers. */
function faultsOfWrites({ writeFaults }: RunPlan): FaultPolicy {
  const asked = new Map<string, number>();
  return ({ direction, connection, text }) => {
    if (direction === "open") return undefined;
    const isRequest = direction === "in" &&
      /"method":"(job\.enqueue|workflow\.(start|event))"/.test(text);
    const id = /"(?:id|correl_id)":"([^"]+)"/.exec(
      direction === "in" ? text : text.slice(text.indexOf('"correl_id"')),
    )?.[1];
    const key = `${connection} ${id}`;
    if (isRequest) asked.set(key, asked.size + 1);
    const write = asked.get(key);
    const of = isRequest ? "request" : "answer";
    return write === undefined
      ? undefined
      : writeFaults.find((fault) => fault.write === write && fault.of === of);
  };
}

function countTag({ data }: ServedRequest, received: Map<string, number>): void {
  const { payload, input } = data === undefined ? {} : Object(JSON.parse(data));
  const { tag } = Object(payload ?? input);
  if (tag !== undefined) received.set(tag, (received.get(tag) ?? 0) + 1);
}

/** Stops the world's time while a timer of the machine is set: the runner uses them for a turn. */
function holdRealTimers(clock: WorldClock): Disposable {
  const { setTimeout } = globalThis;
  const held = (callback: () => void, ms: number) => {
    const release = clock.freeze();
    return setTimeout(() => {
      release();
      callback();
    }, ms);
  };
  globalThis.setTimeout = held as unknown as typeof setTimeout;
  return { [Symbol.dispose]: () => void (globalThis.setTimeout = setTimeout) };
}

/** Sorts a trace by step: in which order steps report something at one time depends on the runtime. */
function inOrder(trace: readonly TraceEntry[]): TraceEntry[] {
  return trace.map((entry) => ({ entry, step: stepOf(entry) }))
    .sort((a, b) => a.step < b.step ? -1 : a.step > b.step ? 1 : 0)
    .map(({ entry }) => entry);
}

/** Returns what the report of an entry of a trace is about; nothing for other entries. */
function stepOf({ frame = "" }: TraceEntry): string {
  const [, index, step = ""] = /"case":(\d+)(?:,"step":"(.*?)")?/.exec(frame) ?? [];
  return index === undefined ? "" : `${index} ${step}`;
}
