import { systemClock } from "../../runtime/clock.ts";
import type { RunEvent } from "../events/event.ts";
import type { Mask } from "../engine/mask.ts";
import { needsStandardOutput } from "../report/registry.ts";
import type { Output } from "../report/reporter.ts";
import { type AlertMessage, deliver } from "../schedule/deliver.ts";
import { type Alert, type Outcome, rfc, Scheduler } from "../schedule/scheduler.ts";
import type { ParsedArgs } from "./args.ts";
import type { Command, CommandContext } from "./command.ts";
import { makePlan } from "./run.ts";
import { type Plan, runPlan } from "./run_plan.ts";
import { randomOption, RUN_OPTIONS } from "./run_options.ts";
import { type Entry, scheduledEntries } from "./scheduled.ts";
import {
  announce,
  embeddedServer,
  nameOf,
  remoteServer,
  type Server,
  serverOptions,
} from "./server.ts";
import { UsageError } from "./usage_error.ts";

const { only: _, from: __, bail: ___, shard: ____, repeat: _____, watch: ______, ...SHARED } =
  RUN_OPTIONS;

/** How many of its next times a dry run shows. */
const SHOWN = 5;

/** Runs recipes at the times they name. */
export const schedule: Command = {
  usage: "schedule [file | directory]…",
  description: "Runs recipes at the times they name, until it is interrupted.",
  options: { ...SHARED, "dry-run": { description: "Shows when they would run, and ends." } },
  details: `
Exit codes: 0 interrupted while nothing ran; 130 while something ran, which was interrupted too;
2 a recipe or the command line is wrong; 4 no recipe has a schedule.
`,
  async run(args, context) {
    if (args.positional.length === 0) throw new UsageError("Nothing to run: name a recipe");
    const { env } = context;
    const { url, token } = serverOptions(args, env);
    if (url !== undefined && !URL.canParse(url)) throw new UsageError(`'${nameOf(url)}' is no URL`);
    const plan = await makePlan(args, context);
    if (typeof plan === "number") return plan;
    const random = await randomOption(args);
    const { mask } = plan;
    if (url !== undefined) mask.add(token);
    const ambient = { now: () => systemClock.now(), random };
    const entries = scheduledEntries(plan.cases, { ambient, env, mask });
    if (entries.length === 0) {
      context.err.write("Nothing to run: no recipe has a `schedule`\n");
      return 4;
    }
    const output = plan.reporters.some(needsStandardOutput) ? context.err : context.out;
    const tell = (line: string) =>
      output.write(`${rfc(systemClock.now())} ${mask.text(line.replace(/\s*\n\s*/g, " "))}\n`);
    if (args.flags.has("dry-run")) {
      for (const entry of entries) showTimes(entry, context.out, mask);
      return 0;
    }
    const unscheduled = new Set(plan.cases.map(({ recipe }) => recipe)).size - entries.length;
    if (unscheduled > 0) tell(`${unscheduled} of the recipes have no \`schedule\` and do not run`);
    const remote = url === undefined ? undefined : remoteServer(url, token);
    return await keep(entries, remote, { plan, args, context, mask, random, tell, output });
  },
};

interface Keeping {
  plan: Plan;
  args: ParsedArgs;
  context: CommandContext;
  mask: Mask;
  random: () => number;
  tell: (line: string) => void;
  output: Output;
}

async function keep(
  entries: readonly Entry[],
  remote: Server | undefined,
  keeping: Keeping,
): Promise<number> {
  const { context, mask, random, tell, output } = keeping;
  const { signal, err } = context;
  const server = remote?.name ?? "embedded";
  const start = remote ? () => Promise.resolve(remote) : embeddedServer;
  announce({ name: server }, output);
  for (const entry of entries) begin(entry, tell);
  const deliveries = new Set<Promise<unknown>>();
  const scheduler = new Scheduler({
    clock: systemClock,
    random,
    signal,
    tell,
    alert: (alert) => {
      const { entry, ...told } = alert;
      const { file, to } = entry as typeof entry & Entry;
      const text = mask.text(alertText(alert));
      tell(text);
      const message: AlertMessage = mask.value({
        version: 1,
        type: told.kind,
        text,
        recipe: entry.name,
        file,
        server,
        at: rfc(told.at),
        failing_since: rfc(told.since),
        failures: told.failures,
        ...(told.failure === undefined ? {} : { failure: told.failure }),
      });
      for (const address of to.filter(isWeb)) {
        const delivery = deliver(address, message, {
          fetch,
          clock: systemClock,
          signal,
          warn: (problem) => err.write(`warning: ${mask.text(problem)}\n`),
        });
        deliveries.add(delivery);
        delivery.finally(() => deliveries.delete(delivery));
      }
    },
  });
  const interrupted = await scheduler.keep(
    entries.map((entry) => ({ ...entry, run: () => runEntry(entry, start, keeping) })),
  );
  await Promise.all(deliveries);
  return interrupted ? 130 : 0;
}

/** Tells when a recipe runs first, and who is not told of its failures. */
function begin({ name, next, to }: Entry, tell: (line: string) => void): void {
  const first = next(systemClock.now());
  if (first !== undefined) tell(`${name} runs first at ${rfc(first)}`);
  const untold = to.filter((address) => !isWeb(address));
  if (untold.length === 0) return;
  tell(
    `warning: alerts of ${name} are printed here and not sent to ${untold.join(", ")}: ` +
      "only http(s) addresses are posted to",
  );
}

/** Runs a recipe once. What it prints is written when it has ended: others may run beside it. */
async function runEntry(
  { name, cases }: Entry,
  start: () => ReturnType<typeof embeddedServer>,
  { plan, args, context, mask, random, tell }: Keeping,
): Promise<Outcome> {
  const printed: string[] = [];
  const out = {
    ...context.out,
    isTerminal: false,
    write: (text: string) => void printed.push(text),
  };
  let failure: string | undefined;
  const heard = (event: RunEvent) => {
    if (event.type !== "case.finished" || event.status === "passed") return;
    failure ??= event.failure?.message ?? "nothing was asserted or waited for";
  };
  const err: Output = {
    ...context.err,
    write: (text) => {
      if (text.startsWith("error: ")) failure ??= text.slice(7).trimEnd();
      context.err.write(text);
    },
  };
  tell(`${name} runs`);
  let exitCode: number;
  try {
    const [{ Dispatch }, server] = await Promise.all([
      import("../../client/dispatch.ts"),
      start(),
    ]);
    try {
      const own = { ...context, out, err, args, server, Dispatch, random, heard };
      exitCode = await runPlan({ ...plan, cases }, own);
    } finally {
      await server.close();
    }
  } catch (error) {
    err.write(`error: ${mask.text((error as Error).message)}\n`);
    exitCode = 3;
  }
  context.out.write(printed.join(""));
  return { exitCode, ...(failure === undefined ? {} : { failure }) };
}

function alertText({ kind, entry: { name }, since, failures, failure }: Alert): string {
  const why = failure === undefined ? "" : `: ${failure}`;
  switch (kind) {
    case "raised":
      return failures === 1
        ? `ALERT ${name} has failed${why}`
        : `ALERT ${name} has failed ${failures} times in a row since ${rfc(since)}${why}`;
    case "reminder":
      return `ALERT ${name} fails since ${rfc(since)}${why}`;
    case "resolved":
      return `RESOLVED ${name} passes again; it failed since ${rfc(since)}`;
  }
}

function showTimes(entry: Entry, out: Output, mask: Mask): void {
  const { name, file, cases, jitter, maintenance } = entry;
  const { cron, timezone } = cases[0]!.recipe.schedule!;
  const later = jitter > 0 ? `, up to ${jitter / 1000} s later` : "";
  out.write(mask.text(`${name}  ${file}  ${cron} (${timezone}${later})\n`));
  let at: number | undefined = systemClock.now();
  for (let i = 0; i < SHOWN; i++) {
    at = entry.next(at);
    if (at === undefined) break;
    const closed = maintenance.some((windows) => windows(at!) !== undefined);
    out.write(`  ${rfc(at)}${closed ? "  skipped: maintenance" : ""}\n`);
  }
}

function isWeb(address: string): boolean {
  return /^https?:/i.test(address);
}
