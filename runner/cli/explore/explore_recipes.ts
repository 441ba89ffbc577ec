import { startStopwatch } from "../../events/deadline.ts";
import type { PlannedCase } from "../../engine/run.ts";
import { EXIT_CODES } from "../../engine/verdict.ts";
import { formatDuration } from "../../language/duration.ts";
import { needsStandardOutput } from "../../report/registry.ts";
import { type ParsedArgs, UsageError } from "../args.ts";
import { ProgressLine } from "../calls/progress_line.ts";
import type { CommandContext } from "../command.ts";
import { makePlan, type RunPlan } from "../plan.ts";
import { knownServer } from "../server.ts";
import { printJsonFailure, printJsonSummary } from "./json.ts";
import { type ExploreSettings, LEAST_DELAY, MOST_DELAY } from "./options.ts";
import { printFailure, printRun, type ShownFailure } from "./print.ts";
import { repeatCommand } from "./repeat_command.ts";
import { reportCases, type ReportedCase } from "./report.ts";
import { type Findings, FULL_PATIENCE, LEAST_PATIENCE, Search } from "./search.ts";
import { type Exploration, LEAST_GRACE, runSeed, type SeedResult } from "./seed_run.ts";
import { workloadSource } from "./workload_source.ts";

/** Explores the recipes of a command line, and returns the exit code. */
export async function exploreRecipes(
  args: ParsedArgs,
  settings: ExploreSettings,
  unmasked: CommandContext,
): Promise<number> {
  const { out, mask } = unmasked;
  const write: typeof out.write = (text, kind) => out.write(mask.text(text), kind);
  const context = { ...unmasked, out: { ...out, write } };
  const { dev } = args.values;
  const source = await workloadSource(dev, context);
  const plan = await makePlan(
    runArgs(args),
    withoutHistory(context),
    { known: source().then(({ workload }) => knownServer(dev, workload)) },
  );
  if (typeof plan === "number") return plan;
  const { Dispatch } = await import("../../../client/dispatch.ts");
  const { copies, longestDelay, timeout } = settings;
  const exploration: Exploration = {
    ...{ dev, source, Dispatch, copies, longestDelay: longestDelay ?? LEAST_DELAY, timeout },
    context,
    patience: FULL_PATIENCE,
    grace: LEAST_GRACE,
  };
  return await new Explorer(args, settings, plan, exploration, context).run();
}

/** The command line as `run` has it, for which some options mean something else. */
function runArgs(args: ParsedArgs): ParsedArgs {
  const { seed: _seed, only: _, ...values } = args.values;
  const { only: _only, ...lists } = args.lists;
  return { ...args, values: { ...values, clock: "virtual" }, lists };
}

/** The history is one of runs, and not of faults. */
function withoutHistory(context: CommandContext): CommandContext {
  const env = (name: string) => name === "DISPATCH_HISTORY" ? undefined : context.env(name);
  return { ...context, env };
}

/**
 * Returns the longest delay for a workload: a little more than its longest sleep, so that work which
 * is late can miss it, but not so much that its waits for events run out.
 */
function delayFor({ longestSleep, shortestWait }: SeedResult["faults"]): number {
  const wanted = Math.min(1.25 * longestSleep, MOST_DELAY, shortestWait / 3);
  return Math.round(Math.max(wanted, LEAST_DELAY));
}

/** Explores the cases of a plan, one after the other. */
class Explorer {
  readonly #args: ParsedArgs;
  readonly #settings: ExploreSettings;
  readonly #plan: RunPlan;
  readonly #exploration: Exploration;
  readonly #context: CommandContext;
  readonly #failures: ShownFailure[] = [];
  readonly #reported: ReportedCase[] = [];
  readonly #elapsed: () => number;
  #seeds = 0;
  #exitCode = 0;

  constructor(
    args: ParsedArgs,
    settings: ExploreSettings,
    plan: RunPlan,
    exploration: Exploration,
    context: CommandContext,
  ) {
    this.#args = args;
    this.#settings = settings;
    this.#plan = plan;
    this.#exploration = exploration;
    this.#context = context;
    this.#elapsed = startStopwatch(context.clock);
  }

  async run(): Promise<number> {
    const { quiet, json, bail } = this.#settings;
    const cases = this.#cases();
    const { dev = "the reference workload" } = this.#args.values;
    if (!quiet && !json) this.#notes.write(`Exploring with ${dev}, in virtual time\n`);
    for (const [planned, index] of cases) {
      if (!this.#goesOn() || bail && this.#exitCode !== 0) break;
      await this.#explore(planned, index);
    }
    if (json) printJsonSummary(this.#seeds, this.#failures.length, this.#elapsed(), this.#context);
    else if (!this.#settings.isSingle) this.#printSummary();
    return await this.#report(this.#exitCode);
  }

  /** The cases to explore, with their numbers among those of their recipe if it has several. */
  #cases(): [PlannedCase, number | undefined][] {
    const { cases } = this.#plan;
    const { caseIndex } = this.#settings;
    const numbered = cases.map((planned): [PlannedCase, number | undefined] => {
      const own = cases.filter(({ recipe }) => recipe === planned.recipe);
      return [planned, own.length > 1 ? own.indexOf(planned) : undefined];
    });
    if (caseIndex === undefined) return numbered;
    const chosen = numbered.filter(([, index]) => (index ?? 0) === caseIndex);
    if (chosen.length > 0) return chosen;
    throw new UsageError(`--case: there is no case ${caseIndex + 1}`);
  }

  async #explore(planned: PlannedCase, index: number | undefined): Promise<void> {
    const { only, isSingle, first } = this.#settings;
    const baseline = await this.#baseline(planned);
    if (!baseline) return;
    this.#exploration.longestDelay = this.#settings.longestDelay ?? delayFor(baseline.faults);
    this.#exploration.grace = LEAST_GRACE + baseline.faults.longestRepeats;
    if (only) return await this.#repeat(planned, index, { seed: first, chances: {}, only });
    const { kinds, seeds, bail, quiet, json } = this.#settings;
    using progress = new ProgressLine(this.#notes, this.#context.clock);
    const search = new Search(planned, this.#exploration, {
      ...{ kinds, first, seeds, bail },
      goesOn: () => this.#goesOn(),
      onSeed: (done, failures) => {
        const total = Number.isFinite(seeds) ? seeds : done;
        if (!quiet && !json) {
          progress.show(done, total, `${planned.recipe.name}: ${failures} failures`);
        }
      },
    }, {
      possible: baseline.faults.possible,
      timeouts: baseline.faults.timedOut.size,
      accepted: new Set(),
    });
    const findings = await search.run();
    progress[Symbol.dispose]();
    this.#seeds += findings.seeds;
    const program = await this.#context.program();
    for (const found of findings.failures) {
      const repeat = (seed: number, only: readonly string[]) =>
        repeatCommand(program, this.#args, planned, index, seed, only);
      this.#addFailure({
        found,
        command: repeat(found.result.seed, found.only),
        otherCommands: found.others.map(({ seed, only }) => repeat(seed, only)),
      });
    }
    if (findings.failures.length === 0) {
      this.#reported.push({ result: baseline });
      if (isSingle) await this.#showPassed(search, first, planned);
    }
    if (!quiet && !json) this.#noteUncounted(planned.recipe.name, findings);
  }

  #noteUncounted(name: string, { timedOut, blocked }: Findings): void {
    const note = (seeds: number, what: string) => {
      if (seeds === 0) return;
      const times = seeds === 1 ? "one seed" : `${seeds} seeds`;
      this.#notes.write(`note: ${name}: with ${times} ${what} That does not count.\n`);
    };
    note(
      timedOut,
      "a wait of the workload ran out because of a delay, and the job or run said so.",
    );
    note(
      blocked,
      "a handler waited for ever for a promise, such as a lock in memory, that a dead process left " +
        "behind.",
    );
  }

  #addFailure(failure: ShownFailure): void {
    const { context } = this.#exploration;
    this.#failures.push(failure);
    this.#exitCode = 1;
    const { result } = failure.found;
    this.#reported.push({ result, command: failure.command });
    if (this.#settings.json) printJsonFailure(failure, context);
    else printFailure(failure, this.#failures.length, context.out);
  }

  /** Runs the case without faults, twice. Returns nothing if that fails, or differs. */
  async #baseline(planned: PlannedCase): Promise<SeedResult | undefined> {
    const choice = { seed: this.#settings.first, chances: {}, only: new Set<string>() };
    const first = await runSeed(planned, choice, this.#exploration);
    if (!this.#goesOn()) return undefined;
    if (first.finished.status !== "passed") {
      this.#reported.push({ result: first });
      return this.#stop(first, "it fails without faults, so there is nothing to explore");
    }
    const second = await runSeed(planned, choice, this.#exploration);
    const quiet = Math.max(first.longestQuietMs, second.longestQuietMs);
    this.#exploration.patience = Math.min(FULL_PATIENCE, Math.max(LEAST_PATIENCE, 4 * quiet));
    if (second.finished.status === "passed") return second;
    this.#reported.push({ result: second });
    return this.#stop(
      second,
      "it passes once and fails when it runs again, so some state outlives a run. Modules that " +
        "the file of --dev imports are loaded only once: export a function `reset` that gives " +
        "their state its first values",
    );
  }

  #stop(result: SeedResult, why: string): undefined {
    const { err } = this.#context;
    const { name, status } = result.finished;
    printRun(result, this.#settings.json ? err : this.#context.out);
    err.write(`Cannot explore '${name}': ${why}\n`);
    this.#exitCode ||= EXIT_CODES[status];
  }

  /** Shows a run with given faults. */
  async #repeat(
    planned: PlannedCase,
    index: number | undefined,
    choice: Parameters<typeof runSeed>[1],
  ): Promise<void> {
    const result = await runSeed(planned, choice, this.#exploration);
    const keys = result.faults.injected.map(({ key }) => key);
    for (const key of choice.only ?? []) {
      if (!keys.includes(key)) {
        this.#context.err.write(`warning: the fault ${key} did not happen\n`);
      }
    }
    this.#seeds++;
    const program = await this.#context.program();
    const command = repeatCommand(program, this.#args, planned, index, choice.seed, keys);
    const hasFailed = result.finished.status !== "passed";
    this.#reported.push({ result, ...(hasFailed ? { command } : {}) });
    if (hasFailed) this.#exitCode = 1;
    if (!this.#settings.json) return printRun(result, this.#context.out);
    if (!hasFailed) return;
    const found = { result, only: keys, seeds: 1, isRepeatable: true, others: [] };
    const failure = { found, command, otherCommands: [] };
    this.#failures.push(failure);
    printJsonFailure(failure, this.#context);
  }

  async #showPassed(search: Search, seed: number, planned: PlannedCase): Promise<void> {
    if (this.#settings.json) return;
    const result = await runSeed(planned, search.choose(seed), this.#exploration);
    printRun(result, this.#context.out);
  }

  #printSummary(): void {
    const { length } = this.#failures;
    const kinds = `${length} ${length === 1 ? "failure" : "failures"}`;
    const time = formatDuration(this.#elapsed());
    const before = length > 0 ? "\n" : "";
    this.#context.out.write(`${before}${this.#seeds} seeds, ${kinds} in ${time}\n`);
  }

  async #report(exitCode: number): Promise<number> {
    const asked = new Set((this.#args.lists.reporter ?? []).map((text) => text.split("=")[0]));
    const reporters = this.#plan.reporters.filter(({ name }) => asked.has(name));
    if (reporters.length === 0) return exitCode;
    const isWritten = await reportCases(reporters, this.#reported, exitCode, this.#context);
    return exitCode === 0 && !isWritten ? 3 : exitCode;
  }

  /** Where to write what is no result. */
  get #notes() {
    const { out, err } = this.#context;
    return this.#plan.reporters.some(needsStandardOutput) ? err : out;
  }

  #goesOn(): boolean {
    return !this.#context.signal.aborted && this.#elapsed() < this.#settings.limit;
  }
}
