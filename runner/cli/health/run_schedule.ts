import type { Dispatch } from "../../../client/dispatch.ts";
import type { Clock } from "../../../runtime/clock.ts";
import type { KeepLimits } from "../../health/keep.ts";
import { EXIT_CODES } from "../../engine/verdict.ts";
import type { Ambient } from "../../expression/functions.ts";
import { resolveTemplate } from "../../expression/template.ts";
import { type Heartbeat, HeartbeatSender } from "../../notify/heartbeat.ts";
import { Notifier } from "../../notify/notifier.ts";
import { isMailAddress } from "../../recipe/read_alert.ts";
import type { Output } from "../../report/reporter.ts";
import type { RunStart } from "../../schedule/scheduled.ts";
import { type ParsedArgs, UsageError } from "../args.ts";
import { type CommandContext, INTERRUPTED } from "../command.ts";
import { historyPath } from "../open_history.ts";
import { numberOption } from "../options.ts";
import type { RunPlan } from "../plan.ts";
import { announceServer, embeddedServer, loadDev, type Server } from "../server.ts";
import type { CheckPlan } from "./check_plans.ts";
import type { ListenOptions } from "./listen_option.ts";
import { HealthLog } from "./log.ts";
import { Monitor } from "./monitor.ts";
import { hearLastWords, openStore } from "./open_store.ts";
import { openHeartbeat, settingsScope, Targets } from "./open_targets.ts";
import { reloadChecks } from "./reload.ts";
import { endGoneChecks } from "./gone_checks.ts";
import { type CheckResult, runCheck } from "./run_check.ts";
import type { HealthSettings } from "./settings.ts";
import { SharedClient } from "./shared_client.ts";

/** Settings of {@linkcode runSchedule}. */
export interface RunScheduleOptions {
  /** The command line. */
  args: ParsedArgs;
  /** The environment of the command. */
  context: CommandContext;
  /** The recipes and how they run. */
  plan: RunPlan;
  /** The recipe files before they were read; see `fileMarks`. */
  before: ReadonlyMap<string, string>;
  /** Resolves the schedules of cases. */
  plansOf(cases: RunPlan["cases"]): CheckPlan[];
  /** The settings of `--health`. */
  settings: HealthSettings | undefined;
  /** The server that runs elsewhere; absent for an embedded one. */
  server: Server | undefined;
  /** The file of `--dev`. */
  dev: string | undefined;
  /** How long and how much is kept. */
  keep: KeepLimits;
  /** Returns random numbers from 0 up to, not including, 1. */
  random: () => number;
  /** The sources of `now()`, `uuid()` and `random(n)`. */
  ambient: Ambient;
  /** Where the log and reports go. */
  output: Output;
  /** Where the page is served; absent without `--listen`. */
  listen: ListenOptions | undefined;
}

/** How many checks run at the same time by default. */
const PARALLEL = 10;

/** The time between two heartbeats of the schedule itself, in milliseconds. */
const OWN_BEAT = 60_000;

/** Runs checks until interrupted, and returns the exit code. */
export async function runSchedule(
  checks: readonly CheckPlan[],
  options: RunScheduleOptions,
): Promise<number> {
  const { args, context, settings, keep, random, output } = options;
  const { clock, signal, env, mask } = context;
  const log = new HealthLog({ clock, output, mask, isJson: args.values.log === "json" });
  const targets = new Targets(settings, settingsScope(settings, context));
  const ownHeartbeat = openOwnHeartbeat(settings, context);
  const parallel = parallelOf(options);
  await openReceivers(checks, targets, settings, log);
  const store = await openStore(historyPath(args, env), { clock, random, keep, log });
  // Alerts and heartbeats of the last runs are still told after an interruption.
  const lastWords = new AbortController();
  const sending = { fetch, clock, signal: lastWords.signal };
  const notifier = new Notifier({
    ...sending,
    targets: () => targets.all,
    outbox: store,
    ...(options.listen ? { link: options.listen.linkTo } : {}),
    raised: (target) => monitor.raised(target),
    onDelivery: (delivery) => monitor.tell({ type: "delivery", delivery }),
  });
  const beats = new HeartbeatSender({ ...sending, warn: (text) => log.warn(mask.text(text)) });
  const runs = await openRuns(options);
  const monitor: Monitor = new Monitor({
    ...{ clock, random, signal, store, parallel },
    run: async (check, start) => {
      const { run, report } = await runs.run(check, start);
      // As JSON, the log says what the report would.
      if (args.values.log !== "json") { for (const piece of report) context.out.write(...piece); }
      return run;
    },
    wake: () => notifier.wake(),
    beat: (heartbeat, beat, name) => beats.send(heartbeat, beat, name),
    // What the file says of other checks may have been unknown until now.
    onCaughtUp: () => endGone(),
  });
  const endGone = () =>
    endGoneChecks({ args, server: checks[0]!.key.server, monitor, targets, log });
  monitor.listen((event) => log.event(event, (check) => monitor.nextRun(check)));
  announce(options, checks.length, log);
  for (const check of checks) monitor.add(check);
  const page = await servePage(options, monitor, targets, log);
  await endGone();
  const stopBeats = beatItself(ownHeartbeat, clock, beats);
  const notifying = notifier.run();
  const stopReloading = new AbortController();
  const reloading = reloadChecks({
    ...{ args, context, clock, monitor, settings, log, before: options.before },
    signal: AbortSignal.any([signal, stopReloading.signal]),
    plansOf: async (cases) => {
      const plans = options.plansOf(cases);
      await openReceivers(plans, targets, settings, log);
      return plans;
    },
  });
  const wasInterrupted = await monitor.run(false);
  stopReloading.abort();
  await reloading;
  notifier.wake();
  await hearLastWords(Promise.all([notifier.idle(), beats.idle()]), clock, lastWords);
  lastWords.abort();
  stopBeats();
  await notifying;
  await page?.close();
  await runs.close();
  await store.retry(true);
  store.close();
  // A mail server that was given up, or a recipe in TypeScript, may have left a socket or a timer.
  context.onStuck?.();
  return wasInterrupted ? INTERRUPTED : 0;
}

/** Serves the page, if `--listen` asks for it. */
async function servePage(
  { context, listen }: RunScheduleOptions,
  monitor: Monitor,
  targets: Targets,
  log: HealthLog,
): Promise<{ close(): Promise<void> } | undefined> {
  if (!listen) return undefined;
  const { serveStatus } = await import("./serve_status.ts");
  const names = targets.all.keys();
  const page = await serveStatus(monitor, listen, context.clock, names).catch((error: Error) => {
    throw new UsageError(`Cannot listen on ${listen.hostname}:${listen.port}: ${error.message}`);
  });
  log.write(`the page is at ${page.url}`, { event: "listening", url: page.url });
  return page;
}

/** Opens all targets, and says which receivers nothing is sent to. */
async function openReceivers(
  checks: readonly CheckPlan[],
  targets: Targets,
  settings: HealthSettings | undefined,
  log: HealthLog,
): Promise<void> {
  await targets.openAll();
  for (const { alerting, key, file } of checks) {
    const unsent = settings?.mail ? [] : alerting.targets.filter(isMailAddress);
    if (unsent.length > 0) {
      const to = unsent.join(", ");
      const why = "the file that --health names has no `mail`";
      log.warn(`alerts for ${key.name} are printed but not sent to ${to}: ${why}`);
    }
    const receivers = alerting.targets.filter((receiver) => !unsent.includes(receiver));
    const opening = receivers.map((receiver) => targets.open(receiver));
    alerting.targets = await Promise.all(opening).catch((error: Error) => {
      throw new UsageError(`Cannot schedule '${file}': ${error.message}`);
    });
  }
}

/** What runs checks against the server. */
interface Runs {
  run(check: CheckPlan, start: RunStart): Promise<CheckResult>;
  close(): Promise<void>;
}

async function openRuns(options: RunScheduleOptions): Promise<Runs> {
  const { args, context, plan, server, dev, random } = options;
  const { clock, signal } = context;
  const { Dispatch } = await import("../../../client/dispatch.ts");
  const workload = await loadDev(dev, context);
  // A trace of the frames of a shared connection would not say whose they are.
  const isShared = server !== undefined && !args.flags.has("verbose");
  const shared = isShared ? new SharedClient({ Dispatch, server, clock, signal }) : undefined;
  // What a history records is the store's matter here.
  const own = { ...plan, history: undefined };
  return {
    run: async (check, start) => {
      let opened = undefined as Server | undefined;
      // What fails here fails this run, and not the schedule.
      const ready = async () => {
        // Each run starts a new embedded server.
        opened = server ?? await embeddedServer({ clock, workload, dev });
        const client: Dispatch | undefined = await shared?.get();
        return { ...context, args, random, Dispatch, server: opened, client };
      };
      try {
        return await runCheck(check, start, own, ready, context);
      } finally {
        await opened?.close();
      }
    },
    close: async () => await shared?.close(),
  };
}

function parallelOf({ args, settings, context, ambient }: RunScheduleOptions): number {
  if (args.values.parallel !== undefined || !settings?.parallel) {
    return numberOption(args, "parallel", PARALLEL);
  }
  const { scope } = settingsScope(settings, context);
  const value = resolveTemplate(settings.parallel, scope, ambient);
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
  throw new UsageError(`\`parallel\` must be a whole number of at least 1, not ${value}`);
}

function announce(
  { args, server, plan, context, output, dev }: RunScheduleOptions,
  scheduled: number,
  log: HealthLog,
): void {
  const write = (text: string) =>
    args.values.log === "json"
      ? log.write(text.trimEnd(), { event: "server" })
      : output.write(text);
  announceServer({ name: server?.name ?? "embedded", ...(dev ? { dev } : {}) }, {
    ...output,
    write,
  });
  if (!server) {
    context.err.write(
      "warning: without --url each run checks an embedded server that starts with it, " +
        "so the schedule cannot notice a problem of a real server\n",
    );
  }
  const ignored = new Set(plan.cases.map(({ recipe }) => recipe)).size - scheduled;
  if (ignored > 0) {
    log.write(
      `${ignored} ${ignored === 1 ? "recipe has" : "recipes have"} no \`schedule\`: not run`,
    );
  }
}

/**
 * Opens the schedule's own heartbeat, if it has one.
 * @throws {UsageError}
 */
function openOwnHeartbeat(
  settings: HealthSettings | undefined,
  context: CommandContext,
): Heartbeat | undefined {
  try {
    return settings?.heartbeat &&
      openHeartbeat(settings.heartbeat, settingsScope(settings, context));
  } catch (error) {
    const why = context.mask.text((error as Error).message);
    throw new UsageError(`Cannot use the heartbeat of the settings: ${why}`);
  }
}

/** Tells the schedule's own heartbeat each minute. Returns a function that ends this. */
function beatItself(
  heartbeat: Heartbeat | undefined,
  clock: Clock,
  beats: HeartbeatSender,
): () => void {
  if (!heartbeat) return () => {};
  const beat = () => {
    beats.send(
      heartbeat,
      { kind: "success", exitCode: EXIT_CODES.passed, duration_ms: 0, log: "" },
      "the schedule",
    );
    timer = clock.setTimeout(beat, OWN_BEAT);
  };
  let timer = clock.setTimeout(beat, 0);
  return () => clock.clearTimeout(timer);
}
