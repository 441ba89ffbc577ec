import type { Clock } from "../../../runtime/clock.ts";
import type { RecipeEvent } from "../../events/event.ts";
import type { Mask } from "../../engine/mask.ts";
import { needsStandardOutput } from "../../report/registry.ts";
import { safeLine } from "../../report/plain_text.ts";
import type { Output, TextKind } from "../../report/reporter.ts";
import { alertMessage } from "../../schedule/alert_message.ts";
import { AlertQueue } from "../../schedule/alert_queue.ts";
import { formatTime, type RunOutcome, Scheduler } from "../../schedule/scheduler.ts";
import { type ParsedArgs, UsageError } from "../args.ts";
import { type Command, type CommandContext, INTERRUPTED } from "../command.ts";
import { makePlan, type RunPlan } from "../plan.ts";
import { randomOption, RUN_OPTIONS } from "../run_options.ts";
import { runPlan } from "../run_plan.ts";
import { scheduleEntries, type ScheduleEntry } from "../schedule_entries.ts";
import {
  announceServer,
  embeddedServer,
  publicUrl,
  remoteServer,
  type Server,
  serverOptions,
} from "../server.ts";

const LEFT_OUT = ["only", "from", "bail", "shard", "repeat", "watch", "last-failed"];

/** The options that it shares with `run`. */
const SHARED = Object.fromEntries(
  Object.entries(RUN_OPTIONS).filter(([name]) => !LEFT_OUT.includes(name)),
);

/** The longest line about a recipe, in characters. */
const MAX_LINE = 4_000;

/** How many scheduled times a dry run prints for each recipe. */
const PRINTED_TIMES = 5;

/** `schedule`: runs recipes on their schedules. */
export const schedule: Command = {
  usage: "schedule [file | directory]…",
  description: "Run recipes on their schedules until interrupted.",
  examples: (program) => [
    `${program} schedule recipes/ --dry-run`,
    `${program} schedule recipes/ --url wss://example.com/dwp --token "$TOKEN"`,
  ],
  options: { ...SHARED, "dry-run": { description: "Print the next scheduled times and exit." } },
  details: `
Exit codes: 0 interrupted between runs; 130 interrupted during a run;
2 invalid recipe or command line; 4 no recipe has a schedule.
`,
  async run(args, context) {
    const { env, clock, out, err } = context;
    if (args.positional.length === 0) {
      throw new UsageError("Nothing to run: name a recipe or directory");
    }
    const { url, token } = serverOptions(args, env);
    if (url !== undefined && !URL.canParse(url)) {
      throw new UsageError(`'${publicUrl(url)}' is not a URL`);
    }
    const plan = await makePlan(args, context);
    if (typeof plan === "number") return plan;
    const random = randomOption(args, context);
    const { mask } = plan;
    if (url !== undefined) mask.add(token);
    const ambient = { now: () => clock.now(), random };
    const entries = scheduleEntries(plan.cases, { ambient, env, mask });
    if (entries.length === 0) {
      err.write("Nothing to run: no recipe has a `schedule`\n");
      return 4;
    }
    if (args.flags.has("dry-run")) {
      for (const entry of entries) printTimes(entry, clock, out, mask);
      return 0;
    }
    const output = plan.reporters.some(needsStandardOutput) ? err : out;
    const log = (line: string) =>
      output.write(`${formatTime(clock.now())} ${safeLine(mask.text(line), MAX_LINE)}\n`);
    const ignored = new Set(plan.cases.map(({ recipe }) => recipe)).size - entries.length;
    if (ignored > 0) {
      log(`${ignored} ${ignored === 1 ? "recipe has" : "recipes have"} no \`schedule\`: not run`);
    }
    const remote = url === undefined ? undefined : remoteServer(url, token);
    return await runSchedule(entries, remote, { plan, args, context, random, log, output });
  },
};

/** Settings of {@linkcode runSchedule}. */
interface ScheduleContext {
  plan: RunPlan;
  args: ParsedArgs;
  context: CommandContext;
  random: () => number;
  /** Prints a line with the time. */
  log: (line: string) => void;
  output: Output;
}

async function runSchedule(
  entries: readonly ScheduleEntry[],
  remote: Server | undefined,
  schedule: ScheduleContext,
): Promise<number> {
  const { plan: { mask }, context, random, log, output } = schedule;
  const { signal, clock, err } = context;
  const server = remote?.name ?? "embedded";
  // Each run starts a new embedded server.
  const startServer = () => remote ? Promise.resolve(remote) : embeddedServer({ clock });
  announceServer({ name: server }, output);
  if (!remote) {
    err.write(
      "warning: without --url each run checks an embedded server that starts with it, " +
        "so the schedule cannot notice a problem of a real server\n",
    );
  }
  for (const entry of entries) announceEntry(entry, clock, log);
  const alerts = new AlertQueue({
    fetch,
    clock,
    signal,
    warn: (problem) => err.write(`warning: ${problem}\n`),
  });
  const scheduler = new Scheduler({
    clock,
    random,
    signal,
    log,
    alert: (alert) => {
      const { file, to } = alert.entry as typeof alert.entry & ScheduleEntry;
      // Text is masked before it is cut: half a secret would not be found.
      const line = (text: string, limit: number) => safeLine(mask.text(text), limit);
      const message = alertMessage(alert, { file, server, line });
      log(message.text);
      for (const address of to.filter(isWebhook)) alerts.send(address, message);
    },
  });
  const wasInterrupted = await scheduler.run(
    entries.map((entry) => ({ ...entry, run: () => runEntry(entry, startServer, schedule) })),
  );
  await alerts.idle();
  return wasInterrupted ? INTERRUPTED : 0;
}

/** Logs the first run of a recipe, and its alert addresses that are not supported. */
function announceEntry(
  { name, next, to }: ScheduleEntry,
  clock: Clock,
  log: (line: string) => void,
): void {
  const first = next(clock.now());
  if (first !== undefined) log(`${name}: first run at ${formatTime(first)}`);
  const unsupported = to.filter((address) => !isWebhook(address));
  if (unsupported.length === 0) return;
  log(
    `warning: alerts for ${name} are printed but not sent to ${unsupported.join(", ")}: ` +
      "only http(s) addresses are supported",
  );
}

/** Runs a recipe once. Its report is printed at the end, because recipes run side by side. */
async function runEntry(
  { name, cases }: ScheduleEntry,
  startServer: () => Promise<Server>,
  { plan, args, context, random, log }: ScheduleContext,
): Promise<RunOutcome> {
  const report: [text: string, kind?: TextKind][] = [];
  const out: Output = {
    ...context.out,
    isTerminal: false,
    write: (...piece) => void report.push(piece),
  };
  let failure: string | undefined;
  const onEvent = (event: RecipeEvent) => {
    if (event.type !== "case.finished" || event.status === "passed" || event.quarantine) return;
    failure ??= event.failure?.message ?? "nothing was asserted or waited for";
  };
  const err: Output = {
    ...context.err,
    write: (text, kind) => {
      if (text.startsWith("error: ")) failure ??= text.slice(7).trimEnd();
      context.err.write(text, kind);
    },
  };
  log(`${name}: run started`);
  let exitCode: number;
  try {
    const [{ Dispatch }, server] = await Promise.all([
      import("../../../client/dispatch.ts"),
      startServer(),
    ]);
    try {
      const own = { ...context, out, err, args, server, Dispatch, random, onEvent };
      exitCode = await runPlan({ ...plan, cases }, own);
    } finally {
      await server.close();
    }
  } catch (error) {
    err.write(`error: ${(error as Error).message}\n`);
    exitCode = 3;
  }
  for (const piece of report) context.out.write(...piece);
  return { exitCode, ...(failure === undefined ? {} : { failure }) };
}

function printTimes(entry: ScheduleEntry, clock: Clock, out: Output, mask: Mask): void {
  const { name, file, cases, jitter, maintenance } = entry;
  const { cron, timezone } = cases[0]!.recipe.schedule!;
  const later = jitter > 0 ? `, up to ${jitter / 1000} s later` : "";
  out.write(mask.text(`${name}  ${file}  ${cron} (${timezone}${later})\n`));
  let at: number | undefined = clock.now();
  for (let i = 0; i < PRINTED_TIMES; i++) {
    at = entry.next(at);
    if (at === undefined) break;
    const isSkipped = maintenance.some((windowAt) => windowAt(at!) !== undefined);
    out.write(`  ${formatTime(at)}${isSkipped ? "  skipped: maintenance" : ""}\n`);
  }
}

function isWebhook(address: string): boolean {
  return /^https?:/i.test(address);
}
