import type { Dispatch } from "../../../client/dispatch.ts";
import { realClock } from "../../../runtime/real_timers.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { type PlannedCase, runCases } from "../../engine/run.ts";
import type { CaseFinished, RecipeEvent, StepFinished } from "../../events/event.ts";
import type { CommandContext } from "../command.ts";
import { embeddedServer } from "../server.ts";
import { startVirtualTime } from "../virtual_run.ts";
import { replaceGlobals } from "./ambient.ts";
import { Interrupter } from "./interrupt.ts";
import { observeServer, type TimelineEntry } from "./server_timeline.ts";
import type { WorkloadSource } from "./workload_source.ts";

type WorkFaults = import("../../../dev/work_faults.ts").WorkFaults;
type WorkFaultsOptions = import("../../../dev/work_fault_options.ts").WorkFaultsOptions;

/** The time at which each run begins, so that a seed does the same on every day. */
const START = new Date("2026-01-01T00:00:00Z");
/** How much more time a recipe gets at least than it asks for, in milliseconds. */
export const LEAST_GRACE = 600_000;

/** What all runs of an exploration share. */
export interface Exploration {
  /** The file of jobs and workflows. */
  dev: string | undefined;
  /** Where the workloads come from. */
  source: WorkloadSource;
  /** The client's class. */
  Dispatch: typeof Dispatch;
  context: CommandContext;
  /** How many copies of the recipe run at the same time. */
  copies: number;
  /** The longest delay, in milliseconds. */
  longestDelay: number;
  /** A limit for the steps of a recipe, in milliseconds. */
  timeout: number | undefined;
  /**
   * How long a handler may do nothing that the clock sees before the time goes on, in real
   * milliseconds.
   */
  patience: number;
  /** How much more time a recipe gets than it asks for, in milliseconds. */
  grace: number;
}

/** Which faults happen in a run. */
export type FaultChoice = Pick<WorkFaultsOptions, "seed" | "chances" | "only" | "mayFail">;

/** What a run with one seed came to. */
export interface SeedResult {
  seed: number;
  /** How the recipe ended; of several copies, the first that did not pass. */
  finished: CaseFinished;
  /** The step that failed, if one did. */
  failedStep: StepFinished | undefined;
  /** The events for reporters. */
  events: RecipeEvent[];
  /** What happened on the server, faults included. */
  timeline: TimelineEntry[];
  /** The faults. */
  faults: WorkFaults;
  /** The jobs and workflows of which one failed, as `workflow:order`. */
  failedOwners: Set<string>;
  /** For how long handlers did nothing that the clock could see, at most, in real milliseconds. */
  longestQuietMs: number;
  /** Whether the time went on although a handler was at work. */
  hasGivenUp: boolean;
}

/** Runs a case once, on a new server in virtual time, with the faults of a seed. */
export async function runSeed(
  planned: PlannedCase,
  choice: FaultChoice,
  { source, dev, Dispatch, context, copies, longestDelay, timeout, patience, grace }: Exploration,
): Promise<SeedResult> {
  const { env, signal, mask } = context;
  const { seed } = choice;
  const { WorkFaults } = await import("../../../dev/work_faults.ts");
  const { workload, restart } = await source();
  const interrupter = new Interrupter();
  const virtual = await startVirtualTime(realClock, {
    start: START,
    patience,
    call: interrupter.outside,
    allowance: { grace, lateness: () => faults.lateness },
  });
  const { clock } = virtual;
  const observed = observeServer(clock);
  const faults = new WorkFaults({
    ...choice,
    clock,
    longestDelay,
    onFault: observed.addFault,
    watchAwaits: interrupter.watch,
    ...(restart ? { onRestart: () => void restart() } : {}),
  });
  const server = await embeddedServer({
    clock,
    virtual,
    dev,
    workload,
    random: seededRandom(seed),
    aroundWork: faults.around,
    observer: observed.observer,
  });
  const restore = replaceGlobals({
    clock,
    excuse: virtual.excuse,
    random: seededRandom(seed + 1),
    bind: (callback) => interrupter.bind(callback),
  });
  const uninstall = interrupter.install();
  const events: RecipeEvent[] = [];
  try {
    const client = await Dispatch.connect({
      url: server.url,
      token: server.token,
      webSocket: server.webSocket!,
      clock: virtual.clientClock,
      // A request that a fault delays is not lost.
      timeout: grace,
      pingInterval: 0,
      random: seededRandom(seed + 2),
      signal,
    });
    const cases = Array.from({ length: copies }, (_, copy) => ({
      ...planned,
      random: seededRandom(seed + 0x9e3779b1 * (copy + 1)),
    }));
    await virtual.during(() =>
      runCases(cases, {
        client,
        clock,
        virtual: virtual.time,
        realElapsed: virtual.elapsed,
        random: seededRandom(seed),
        report: (event) => void events.push(event),
        server: server.name,
        env,
        signal,
        mask,
        parallel: copies,
        openScript: async (...script) => {
          const { openScript } = await import("../../script/running_script.ts");
          return openScript(...script);
        },
        ...(timeout === undefined ? {} : { timeout }),
      })
    );
    await virtual.during(() => client.close());
  } finally {
    uninstall();
    restore();
    await server.close();
  }
  const ends = events.filter((event) => event.type === "case.finished");
  const finished = ends.find(({ status }) => status !== "passed") ?? ends[0]!;
  const failedStep = events.findLast((event): event is StepFinished =>
    event.type === "step.finished" && event.case === finished.case &&
    event.step === finished.failure?.step
  );
  return {
    seed,
    finished,
    failedStep,
    events,
    timeline: observed.timeline(),
    faults,
    failedOwners: observed.failedOwners,
    longestQuietMs: virtual.longestQuietMs,
    hasGivenUp: virtual.hasGivenUp,
  };
}
