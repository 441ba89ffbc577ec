import { checkWritable, writeTextFile } from "../../runtime/file.ts";
import { currentDirectory } from "../../runtime/process.ts";
import type { RunEvent } from "../events/event.ts";
import type { Output, Reporter } from "../report/reporter.ts";
import { isOtelWanted } from "../report/otel/wanted.ts";
import { type ReporterContext, REPORTERS } from "../report/registry.ts";
import { formatDuration } from "../language/duration.ts";
import { didYouMean } from "../language/suggest.ts";
import { UsageError } from "./usage_error.ts";

/** A reporter that was asked for: `junit=out.xml`. */
interface Asked {
  name: string;
  file: string | undefined;
}

/**
 * The reporters that the command line asks for: without any the console, and in GitHub's CI what
 * GitHub shows besides. An environment with a collector adds the one that sends to it.
 * @throws {UsageError} For a name that is none, and for two reporters that write to one place.
 */
export function readReporters(
  options: readonly string[],
  env: ReporterContext["env"],
): Asked[] {
  const asked = options.map(readReporter);
  checkFiles(asked);
  checkStandardOutput(asked);
  if (asked.length === 0) {
    asked.push({ name: "console", file: undefined });
    if (env("GITHUB_ACTIONS") === "true") asked.push({ name: "github", file: undefined });
  }
  const named = asked.some(({ name }) => name === "otel");
  return named || !isOtelWanted(env) ? asked : [...asked, { name: "otel", file: undefined }];
}

function readReporter(option: string): Asked {
  const equals = option.indexOf("=");
  const name = equals === -1 ? option : option.slice(0, equals);
  if (!Object.hasOwn(REPORTERS, name)) {
    const meant = didYouMean(name, Object.keys(REPORTERS)) ??
      `there are ${Object.keys(REPORTERS).join(", ")}`;
    throw new UsageError(`Unknown reporter ${name}; ${meant}`);
  }
  if (equals === -1) return { name, file: undefined };
  if (name === "otel") throw new UsageError("Reporter otel writes no file");
  const file = option.slice(equals + 1);
  if (file === "") throw new UsageError(`Reporter ${name} needs a file behind the \`=\``);
  return { name, file };
}

/** Two reporters that write one file would leave only what the last one wrote. */
function checkFiles(asked: readonly Asked[]): void {
  const writers = new Map<string, string>();
  for (const { name, file } of asked) {
    if (file === undefined) continue;
    // Paths that differ can be one file: `a.xml` and `./a.xml`.
    const { href } = new URL(file, `file://${currentDirectory()}/`);
    const other = writers.get(href);
    if (other !== undefined) {
      throw new UsageError(`Reporters ${other} and ${name} both write '${file}'`);
    }
    writers.set(href, name);
  }
}

/** Programs can read one document from standard output, not two in each other. */
function checkStandardOutput(asked: readonly Asked[]): void {
  const [one, other] = asked.filter(writesToOut);
  if (!other) return;
  throw new UsageError(
    `Reporters ${one!.name} and ${other.name} both write to standard output; ` +
      `give one a file: ${other.name}=FILE`,
  );
}

/** Whether a reporter for machines has standard output for itself. */
export function writesToOut({ name, file }: Asked): boolean {
  return !["console", "github", "otel"].includes(name) && file === undefined;
}

/** How long a reporter may take to finish, in milliseconds: a run must come to its end. */
const FINISH_LIMIT = 10_000;

/** A reporter did not finish in time; its code is `"not_finished"`. */
class NotFinishedError extends Error {
  readonly code = "not_finished";

  constructor() {
    super(`Cannot finish within ${formatDuration(FINISH_LIMIT)}`);
    this.name = "NotFinishedError";
  }
}

/** A reporter that is at work. */
interface Opened {
  name: string;
  reporter: Reporter;
  file: string | undefined;
  text: string[];
  /** Why it was given up; it is given no more events then. */
  broken?: { error: unknown };
}

/** What reporters are made with, and where one that fails is told. */
export interface ReportersContext extends Omit<ReporterContext, "output"> {
  /** Where a reporter without a file writes. */
  out: Output;
  /** Where one that fails is told. */
  err: Output;
  /** Told that one was given up, which may keep the process alive. */
  onStuck?: () => void;
}

/** Several reporters as one. One that fails is told, and never changes the verdict. */
export class Reporters implements Reporter {
  #reporters: Opened[] = [];
  #context: ReportersContext;
  #told = new Set<string>();

  private constructor(context: ReportersContext) {
    this.#context = context;
  }

  /** Makes the reporters that were asked for. */
  static async open(
    asked: readonly Asked[],
    context: ReportersContext,
  ): Promise<Reporters> {
    const { out } = context;
    const all = new Reporters(context);
    const speak = asked.filter(({ name, file }) => file === undefined && name !== "otel");
    // What another one writes would tear a live part apart.
    const shared = speak.length > 1 ? { ...out, isTerminal: false } : out;
    for (const { name, file } of asked) {
      const text: string[] = [];
      const output = file === undefined ? shared : fileOutput(text);
      if (file !== undefined) await all.#checkFile(name, file);
      try {
        const reporter = await REPORTERS[name]!({ ...context, output });
        all.#reporters.push({ name, reporter, file, text });
      } catch (error) {
        all.#tell(name, error);
      }
    }
    return all;
  }

  /** Takes one event. */
  report(event: RunEvent): void {
    for (const opened of this.#reporters) {
      if (opened.broken) continue;
      try {
        opened.reporter.report(event);
      } catch (error) {
        // Told at the end: a live part would be drawn over it.
        opened.broken = { error };
      }
    }
  }

  /** Ends all of them, and writes the files: each is whole or absent. */
  async finish(): Promise<void> {
    for (const opened of this.#reporters) {
      try {
        if (!opened.broken) await this.#withinLimit(finishOne(opened));
      } catch (error) {
        opened.broken = { error };
      }
      if (opened.broken) this.#tell(opened.name, opened.broken.error);
    }
  }

  async #withinLimit(work: Promise<void>): Promise<void> {
    const { clock, onStuck } = this.#context;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = clock.setTimeout(() => {
      reject(new NotFinishedError());
      onStuck?.();
    }, FINISH_LIMIT);
    try {
      await Promise.race([work, late]);
    } finally {
      clock.clearTimeout(timer);
    }
  }

  /** Told before the run: after a long one it is too late to do something about it. */
  async #checkFile(name: string, file: string): Promise<void> {
    try {
      await checkWritable(file);
    } catch (error) {
      this.#tell(name, error);
    }
  }

  #tell(name: string, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    const warning = `warning: reporter ${name} failed: ${why}\n`;
    // What was told before the run need not be told again after it.
    if (!this.#told.has(warning)) this.#context.err.write(warning);
    this.#told.add(warning);
  }
}

async function finishOne(opened: Opened): Promise<void> {
  const { reporter, file, text } = opened;
  await reporter.finish?.();
  // One that was given up is late: that it failed is told already.
  if (file !== undefined && !opened.broken) await writeTextFile(file, text.join(""));
}

function fileOutput(text: string[]): Output {
  return { write: (piece) => void text.push(piece), isTerminal: false, color: false, columns: 80 };
}
