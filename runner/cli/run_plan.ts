import type { Dispatch } from "../../client/dispatch.ts";
import { systemClock, type TimerHandle } from "../../runtime/clock.ts";
import { onUnhandled } from "../../runtime/process.ts";
import type { RunEvent } from "../events/event.ts";
import type { Mask } from "../engine/mask.ts";
import { type PlannedCase, runCases } from "../engine/run.ts";
import type { Step } from "../language/model.ts";
import { toError } from "../events/failure.ts";
import type { ReporterRequest } from "../report/registry.ts";
import { ReporterGroup } from "../report/reporter_group.ts";
import type { ParsedArgs } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { keepHistory } from "./keep_history.ts";
import type { Server } from "./server.ts";
import { UsageError } from "./usage_error.ts";

/** What is to be run, checked. */
export interface Plan {
  /** The cases. */
  cases: PlannedCase[];
  /** A limit for the steps of each, in milliseconds. */
  timeout: number | undefined;
  /** How many run at a time. */
  parallel: number;
  /** The reporters to use. */
  reporters: ReporterRequest[];
  /** Which steps run. */
  select: ((step: Step) => boolean) | undefined;
  /** The file of the history. */
  history: string | undefined;
  /** Hides the secrets of all recipes. */
  mask: Mask;
}

/** What a plan is run with. */
export interface RunContext extends CommandContext {
  /** The command line. */
  args: ParsedArgs;
  /** Where it runs. */
  server: Server;
  /** The client's class, which is loaded while the recipes are read. */
  Dispatch: typeof Dispatch;
  /** Gives numbers from 0 up to, not including, 1. */
  random: () => number;
  /** Takes the events as well, without secrets. */
  heard?: (event: RunEvent) => void;
}

/** Runs what is planned, over a connection of its own, and gives the exit code. */
export async function runPlan(plan: Plan, context: RunContext): Promise<number> {
  const { cases, select, timeout, parallel, mask } = plan;
  const { args: { flags }, server, out, err, env, signal, onStuck, random, heard } = context;
  const client = await connect(context, mask);
  const ahead = loadAhead(cases);
  const history = await keepHistory(plan.history, select === undefined, err);
  const reporter = await ReporterGroup.open(plan.reporters, {
    out,
    err,
    env,
    ...(onStuck ? { onStuck } : {}),
    clock: systemClock,
    quiet: flags.has("quiet"),
    verbose: flags.has("verbose"),
  });
  try {
    const { exitCode } = await runCases(cases, {
      client,
      clock: systemClock,
      random,
      report: (event) => {
        heard?.(event);
        reporter.report(history?.enrich(event) ?? event);
      },
      server: server.name,
      env,
      signal,
      mask,
      parallel,
      bail: flags.has("bail"),
      ...(timeout === undefined ? {} : { timeout }),
      ...(select ? { select } : {}),
    });
    return exitCode;
  } finally {
    // A recipe's own code can leave anything behind: what it throws now must not cost the reports.
    const stopListening = onUnhandled((cause) =>
      err.write(`error: ${mask.text(toError(cause).message)}\n`)
    );
    if (cases.some(({ recipe }) => recipe.script)) onStuck?.();
    systemClock.clearTimeout(ahead);
    await history?.finish();
    await reporter.finish();
    if (!(client instanceof Error)) await client.close();
    stopListening();
  }
}

/** Loads what starts workflows as soon as there is nothing else to do: while the first step waits. */
function loadAhead(cases: readonly PlannedCase[]): TimerHandle | undefined {
  const starts = cases.some(({ recipe }) => recipe.steps.some(({ kind }) => kind === "start"));
  if (!starts) return undefined;
  return systemClock.setTimeout(() => {
    // The step that needs it meets its error.
    import("../../client/start/lanes.ts").catch(() => {});
  }, 0);
}

/** A connection, or why there is none, which is told. */
async function connect(context: RunContext, mask: Mask): Promise<Dispatch | Error> {
  const { args, server, Dispatch, err, signal } = context;
  const { url, token } = server;
  let { webSocket } = server;
  if (args.flags.has("verbose")) {
    const { loudSockets } = await import("./frames.ts");
    webSocket = loudSockets(err, mask, webSocket);
  }
  try {
    return await Dispatch.connect({ url, token, signal, ...(webSocket ? { webSocket } : {}) });
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    if (code === "bad_options") throw new UsageError(mask.text(message));
    if (!signal.aborted) err.write(`error: ${mask.text(message)}\n`);
    return error as Error;
  }
}
