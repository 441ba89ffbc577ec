import type { Dispatch } from "../../client/dispatch.ts";
import { onUnhandled } from "../../runtime/process.ts";
import type { Mask } from "../engine/mask.ts";
import { runCases } from "../engine/run.ts";
import type { RecipeEvent } from "../events/event.ts";
import { toError } from "../events/failure.ts";
import { ReporterGroup } from "../report/reporter_group.ts";
import { type ParsedArgs, UsageError } from "./args.ts";
import { type CommandContext, COULD_NOT_RUN } from "./command.ts";
import type { FrameLog } from "./frame_log.ts";
import { numberOption } from "./options.ts";
import { openHistory } from "./open_history.ts";
import type { RunPlan } from "./plan.ts";
import type { Server } from "./server.ts";

/** Settings of {@linkcode runPlan}. */
export interface RunPlanOptions extends CommandContext {
  /** The command line. */
  args: ParsedArgs;
  /** The server to run against. */
  server: Server;
  /** The client's class; the caller loads it while recipes are read. */
  Dispatch: typeof Dispatch;
  /** Called with each event before the reporters. Secrets are masked. */
  onEvent?: (event: RecipeEvent) => void;
  /**
   * Called with what fails besides the cases: the connection, code of a recipe that goes on after its
   * end, or a report.
   */
  onProblem?: (problem: { code: string; message: string }) => void;
  /** A connection to use, which stays open; by default the run has one of its own. */
  client?: Dispatch | undefined;
}

/** Runs a plan over a new connection, and returns the exit code. */
export async function runPlan(plan: RunPlan, context: RunPlanOptions): Promise<number> {
  const { cases, filter, timeout, parallel, mask } = plan;
  const { args, server, out, err, env, clock, signal, onStuck, random, onEvent, onProblem } =
    context;
  const { flags } = args;
  const { virtual } = server;
  const history = await openHistory(plan.history, filter === undefined, {
    err,
    clock,
    isVirtual: virtual !== undefined,
  });
  // Frames of a shared connection belong to other runs, too.
  const showsFrames = plan.reporters.some(({ name }) => name === "html" || name === "jsonl");
  const frames = showsFrames && context.client === undefined
    ? await openFrameLog(context, mask)
    : undefined;
  const client = context.client ?? await connect(context, mask, frames);
  const reporter = await ReporterGroup.open(plan.reporters, {
    out,
    err,
    env,
    ...(onStuck ? { onStuck } : {}),
    clock,
    ...(client instanceof Error ? { saidFailure: mask.text(client.message) } : {}),
    quiet: flags.has("quiet"),
    verbose: flags.has("verbose"),
  });
  let exitCode = COULD_NOT_RUN;
  try {
    const run = () =>
      runCases(cases, {
        client,
        clock: virtual?.clock ?? clock,
        ...(virtual ? { virtual: virtual.time, realElapsed: virtual.elapsed } : {}),
        random,
        report: (event) => {
          onEvent?.(event);
          const full = frames?.annotate(event) ?? event;
          reporter.report(history?.annotate(full) ?? full);
        },
        server: server.name,
        identity: plan.identity,
        env,
        signal,
        mask,
        parallel,
        bail: flags.has("bail"),
        retries: numberOption(args, "retries", 0, 0),
        failOnFlaky: flags.has("fail-on-flaky"),
        openScript: async (...script) => {
          const { openScript } = await import("../script/running_script.ts");
          return openScript(...script);
        },
        ...(timeout === undefined ? {} : { timeout }),
        ...(filter ? { select: filter } : {}),
        serverNames: {
          problemOf: async (request) => await plan.problemOf?.(request),
          async workflows() {
            if (plan.workflows || server.name === "embedded") return plan.workflows;
            const { workflowNames } = await import("./workflow_names.ts");
            return await workflowNames(server, signal);
          },
        },
      });
    ({ exitCode } = await (virtual ? virtual.during(run) : run()));
  } finally {
    // A recipe's code may still run. If it throws now, the reports must still be written.
    const stopListening = onUnhandled((cause) => {
      const message = mask.text(toError(cause).message);
      onProblem?.({ code: "unhandled", message });
      err.write(`error: ${message}\n`);
    });
    if (cases.some(({ recipe }) => recipe.script)) onStuck?.();
    // `merge` records the parts of a plan together. A part that wrote would change how those after it
    // are cut.
    if (plan.identity.shard) history?.close();
    else await history?.finish();
    await reporter.finish();
    if (!(client instanceof Error) && client !== context.client) {
      await (virtual ? virtual.during(() => client.close()) : client.close());
    }
    stopListening();
  }
  for (const message of reporter.failures) onProblem?.({ code: "report_failed", message });
  // Without its reports nobody can rely on a pass.
  const isIncomplete = reporter.hasFailed || history?.hasFailed;
  return exitCode === 0 && isIncomplete ? COULD_NOT_RUN : exitCode;
}

async function openFrameLog(
  { clock, server: { virtual } }: RunPlanOptions,
  mask: Mask,
): Promise<FrameLog> {
  const { FrameLog } = await import("./frame_log.ts");
  return new FrameLog(virtual?.clock ?? clock, mask);
}

/** Connects. On failure it prints the reason and returns the error, which every case then reports. */
async function connect(
  context: RunPlanOptions,
  mask: Mask,
  frames?: FrameLog,
): Promise<Dispatch | Error> {
  const { args, server, Dispatch, err, clock, signal } = context;
  const { url, token, virtual } = server;
  let { webSocket } = server;
  if (args.flags.has("verbose")) {
    const { traceSockets } = await import("./trace_sockets.ts");
    webSocket = traceSockets(err, mask, webSocket);
  }
  const socketsBefore = webSocket;
  if (frames) webSocket = frames.wrap(webSocket);
  try {
    return await Dispatch.connect({
      url,
      token,
      clock: virtual?.clientClock ?? clock,
      signal,
      // Inside the process no peer can fall silent.
      ...(virtual ? { pingInterval: 0 } : {}),
      ...(webSocket ? { webSocket } : {}),
    });
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    // With a socket of its own the client does not find out why it cannot connect.
    if (frames && !socketsBefore && code === "connect_failed" && !signal.aborted) {
      return await connect(context, mask);
    }
    if (code === "bad_options") throw new UsageError(mask.text(message));
    if (!signal.aborted) {
      context.onProblem?.({ code: code ?? "connect_failed", message: mask.text(message) });
      err.write(`error: ${mask.text(message)}\n`);
    }
    return error as Error;
  }
}
