import { createWorld, type World, type WorldFrame } from "../../testing/mod.ts";
import { hashTrace, traceLine } from "../../testing/world/trace.ts";
import { Actor, type Known } from "./actor.ts";
import type { MemoryCheck } from "./memory.ts";
import { Model } from "./model.ts";
import type { CallStep, FrameKind, PlannedFault, Program } from "./program.ts";
import { nothingIsLeft, RULES } from "./rules.ts";
import { CALL_RULES } from "./rules_of_calls.ts";
import { ERROR_RULES } from "./rules_of_errors.ts";
import { EXCHANGE_RULES, exchangesEnd } from "./rules_of_exchanges.ts";
import { FLOW_RULES } from "./rules_of_flow.ts";
import { FORMAT_RULES } from "./rules_of_formats.ts";
import { HTTP_RULES } from "./rules_of_http.ts";
import { LIMIT_RULES } from "./rules_of_limits.ts";
import { LOOP_RULES } from "./rules_of_loops.ts";
import { LOSS_RULES } from "./rules_of_losses.ts";
import { OPERATOR_RULES } from "./rules_of_operators.ts";
import { OUTAGE_RULES } from "./rules_of_outages.ts";
import { PATIENCE_RULES, timersEndAtOnce } from "./rules_of_patience.ts";
import { RECORD_RULES, statusesAreInOrder } from "./rules_of_records.ts";
import { RESULT_RULES } from "./rules_of_results.ts";
import { SETTING_RULES, statusLoopsEnd } from "./rules_of_settings.ts";
import { STREAM_RULES } from "./rules_of_streams.ts";
import { TIME_RULES } from "./rules_of_times.ts";
import { channelsAreLeft, WIRE_RULES } from "./rules_of_wire.ts";
import { workload } from "./workload.ts";

/** How a program went. */
export interface Verdict {
  /** What contradicts the rules. */
  readonly violations: readonly string[];
  /** The hash of the trace. */
  hash(): string;
  readonly steps: number;
  /** What happened at both sides, as lines of text. */
  timeline(): string[];
}

const ALL_RULES = [
  ...[...RULES, ...CALL_RULES, ...STREAM_RULES],
  ...[...RECORD_RULES, ...OUTAGE_RULES, ...FLOW_RULES],
  ...[...RESULT_RULES, ...TIME_RULES, ...WIRE_RULES, ...HTTP_RULES],
  ...[...ERROR_RULES, ...PATIENCE_RULES, ...LOOP_RULES, ...LOSS_RULES],
  ...[...LIMIT_RULES, ...OPERATOR_RULES, ...SETTING_RULES, ...FORMAT_RULES],
  ...EXCHANGE_RULES,
];

/** How many milliseconds after the last step everything must be in order again. */
const CALM = 150_000;
/** How many milliseconds a client has to close. */
const CLOSE = 5_000;
/** How many milliseconds after the last step the moments come that calls wait for. */
const MOMENTS = 1_000;
/** The most milliseconds that a step waits for the one before. */
const PATIENCE = 60_000;

/** Runs a program in a world of its own, and judges what happened. */
export async function runProgram(
  program: Program,
  memory?: MemoryCheck<Program>,
): Promise<Verdict> {
  if (!memory) return await runInWorld(program);
  const { stackTraceLimit } = Error;
  // V8 keeps what was on the stack where an error was created, until somebody reads its `stack`.
  Error.stackTraceLimit = 0;
  try {
    return await runInWorld(program, memory);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function runInWorld(program: Program, memory?: MemoryCheck<Program>): Promise<Verdict> {
  memory?.begin(program);
  const model = new Model();
  const faults = new PlannedFaults(program.isCalm ? [] : program.faults);
  const world = await createWorld({
    ...workload(),
    // Otherwise two nodes may give the same id to two sessions of a client.
    quirks: { "uuid-sessions": true, "msgpack-unreadable": program.cutsMsgpack ?? false },
    seed: program.seed,
    nodes: program.nodes,
    latency: program.latency,
    observer: (node) => model.observe(node),
    networkFaults: (frame) => faultFor(frame, faults, model),
  });
  model.world = world;
  model.stores.push(world.store);
  const known: Known = { jobs: [], runs: [] };
  const actors = program.clients.map((plan, index) =>
    new Actor(world, index, plan, known, () => model.published.length)
  );
  const evidence = { program, world, model, actors };
  const violations: string[] = [];
  try {
    await world.run(perform(program, world, model, actors));
    world.networkFaults = () => undefined;
    model.hasRace = false;
    await world.advance(CALM);
    for (const rule of ALL_RULES) {
      violations.push(...rule(evidence));
    }
    await world.run(Promise.all(actors.map(({ client }) => client.close())), CLOSE);
    violations.push(...timersEndAtOnce(evidence));
    await world.advance(CLOSE);
    violations.push(...nothingIsLeft(evidence), ...statusesAreInOrder(evidence));
    violations.push(...statusLoopsEnd(evidence), ...exchangesEnd(evidence));
    const clocks = new Set(actors.map(({ clientClock }) => clientClock));
    violations.push(...channelsAreLeft(evidence), ...memory?.findListeners(clocks) ?? []);
  } catch (error) {
    violations.push(`0: ${(error as Error).stack ?? error}`);
  } finally {
    await world.close();
  }
  for (const actor of actors) memory?.keep(actor.release());
  return createVerdict(violations, world);
}

/** A function of its own, so that the verdict holds nothing else of the world. */
function createVerdict(violations: readonly string[], { trace, steps }: World): Verdict {
  return {
    violations,
    // What calls and loops of one client note at one time has an order that depends on the runtime.
    hash: () => hashTrace(trace.toSorted((a, b) => stepOf(a.what) - stepOf(b.what))),
    steps,
    timeline: () => trace.map(traceLine),
  };
}

/** Returns the number of the step that an entry of a trace is about; -1 for others. */
function stepOf(what: string): number {
  return Number(/^(?:begins|ends|reads|stops reading) (\d+)/.exec(what)?.[1] ?? -1);
}

async function perform(
  program: Program,
  world: World,
  model: Model,
  actors: readonly Actor[],
): Promise<void> {
  let quietAt = 0;
  let hasEnded = false;
  const clock = world.clock("program");
  const pause = (ms: number) => new Promise<void>((resolve) => void clock.setTimeout(resolve, ms));
  for (const [number, step] of program.steps.entries()) {
    await pause(step.after);
    if ("pause" in step || (!("op" in step) && program.isCalm)) continue;
    if ("restart" in step) {
      const node = world.nodes[step.node % world.nodes.length]!;
      for (const it of world.connections) if (it.node === node.index) model.harmed.add(it.name);
      world.record(`node-${node.index + 1}`, `restarts in ${step.restart}`);
      void node.restart(step.restart);
      quietAt = Math.max(quietAt, world.now + step.restart);
    } else if ("cutAll" in step) {
      for (const connection of world.connections) {
        if (!connection.isOpenAtClient) continue;
        model.harmed.add(connection.name);
        connection[step.cutAll === "cut" ? "cut" : "mute"]();
      }
    } else if ("cutOne" in step) {
      const open = world.connections.filter(({ isOpenAtClient }) => isOpenAtClient).reverse();
      const connection = open[step.cutOne % open.length];
      if (connection) model.harmed.add(connection.name);
      connection?.cut();
    } else if ("race" in step) {
      model.hasRace = true;
    } else if ("wipe" in step) {
      for (const { name } of world.connections) model.harmed.add(name);
      world.record("nodes", "lose their store");
      await world.start();
      model.stores.push(world.store);
    } else if ("expire" in step) {
      for (const { name } of world.connections) model.harmed.add(name);
      for (const { server } of world.nodes) {
        for (const { token, isHttp, status } of actors) {
          // A new token that the server has not accepted counts as wrong if it is refused.
          if (!token || (!isHttp && status.type !== "connected")) continue;
          await server.faults.inject({ do: "expire-token", when: { token } });
        }
      }
    } else if ("setClock" in step || "sleep" in step) {
      const { name } = actors[step.client % actors.length]!;
      const clock = world.clock(name);
      world.record(name, JSON.stringify(step));
      if ("setClock" in step) clock.set(step.setClock);
      else {
        actors[step.client % actors.length]!.hasSlept = true;
        clock.sleep(step.sleep);
        quietAt = Math.max(quietAt, world.now) + step.sleep;
      }
    } else {
      const actor = actors[step.client % actors.length]!;
      const clock = world.clock(actor.name);
      if (clock.isAsleep) await new Promise<void>((resolve) => void clock.setTimeout(resolve, 0));
      await performCalls(number, step, actor, {
        pause,
        patience: PATIENCE,
        hasEnded: () => hasEnded,
      });
    }
  }
  const awaitsMoments = program.steps.some((step) => "at" in step && step.at);
  await pause(Math.max(awaitsMoments ? MOMENTS : 0, quietAt - world.now));
  hasEnded = true;
}

/** What {@linkcode performCalls} needs of a program. */
export interface Performance {
  pause(ms: number): Promise<void>;
  /** The most milliseconds that a step waits for the one before. */
  readonly patience: number;
  hasEnded(): boolean;
}

/** Begins the calls of a step; resolves when the next step may begin. */
export async function performCalls(
  number: number,
  step: CallStep,
  actor: Actor,
  { pause, patience, hasEnded }: Performance,
): Promise<void> {
  const { op } = step;
  if (step.at) return actor.actAt(step.at, () => hasEnded() || void actor.begin(number, step));
  const times = op.do === "enqueueMany" ? 1 : step.times ?? 1;
  const calls = Array.from({ length: times }, (_, n) => actor.begin(number, step, n));
  const settled = Promise.all(calls);
  if ((op.do === "start" || op.do === "enqueue") && op.then) {
    const next = { ...step, op: { do: op.then, pick: 0 } };
    void settled.then(() => pause(op.pause ?? 0)).then(() => actor.begin(number, next));
  }
  if (step.wait) await Promise.race([settled, pause(patience)]);
}

/** Counts the frames of each kind, and finds the faults that happen to them. */
class PlannedFaults {
  readonly #faults = new Map<string, PlannedFault>();
  readonly #counts = new Map<FrameKind, number>();
  /** The connections that have started a run. */
  readonly #lanes = new Set<string>();

  constructor(faults: readonly PlannedFault[]) {
    for (const fault of faults) this.#faults.set(`${fault.of ?? "any"} ${fault.frame}`, fault);
  }

  /** Returns the fault that happens to a frame, if any. */
  next(frame: WorldFrame): PlannedFault | undefined {
    let found = this.#faults.get(`any ${frame.number}`);
    for (const kind of this.#kindsOf(frame)) {
      const count = (this.#counts.get(kind) ?? 0) + 1;
      this.#counts.set(kind, count);
      found ??= this.#faults.get(`${kind} ${count}`);
    }
    return found;
  }

  #kindsOf({ direction, text, connection }: WorldFrame): FrameKind[] {
    if (direction === "open") return ["open"];
    if (text.includes('"method":"workflow.start"')) this.#lanes.add(connection);
    const isLane = this.#lanes.has(connection);
    if (direction === "in") {
      if (text.includes('"credits":')) return ["grant"];
      if (text.includes('"type":"ping"')) return ["ping"];
      return WRITES.test(text) ? ["write"] : [];
    }
    if (text.startsWith("event:")) return ["stream", "answer"];
    if (text.includes('"type":"event"')) return isLane ? ["event", "lane"] : ["event"];
    if (text.includes('"status":"subscribed"')) return ["answer", "joined"];
    if (text.includes('"status":"unsubscribed"')) return ["answer", "left"];
    if (text.includes('"type":"pong"')) return ["answer", "pong"];
    return isLane && text.includes('"run_id"') ? ["answer", "result"] : ["answer"];
  }
}

const WRITES = /"method":"(?:job\.enqueue|workflow\.start|workflow\.event)"/;

/** Grants of credits, and ends of subscriptions. */
const NEVER_LOST = /"credits":|"method":"unsubscribe"/;

const IS_WRITE_OR_EVENT =
  /"type":"event"|"credits":|"method":"(?:job\.enqueue|workflow\.start|workflow\.event|auth)"/;

function faultFor(
  frame: WorldFrame,
  faults: PlannedFaults,
  model: Model,
): PlannedFault | undefined {
  const fault = faults.next(frame);
  if (!fault) return undefined;
  model.harmed.add(frame.connection);
  if (fault.do === "delay" || fault.do === "stall") model.delayed.add(frame.connection);
  const isSpoilt = fault.do === "drop" || fault.do === "malformed";
  // Over TCP no frame is lost alone: the loss of some would never be noticed.
  if (isSpoilt && NEVER_LOST.test(frame.text) && frame.direction === "in") return undefined;
  if (isSpoilt && frame.direction === "out") model.onLost(frame);
  // No frame arrives twice either: a write would happen twice, an event would be published twice.
  if (fault.do === "duplicate" && IS_WRITE_OR_EVENT.test(frame.text)) return undefined;
  if (fault.do === "stall") {
    const { connection } = frame;
    model.stalls.push({
      connection,
      from: model.world.now,
      until: model.world.now + fault.ms + 50,
    });
  }
  return fault;
}
