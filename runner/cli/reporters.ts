import { checkWritable, writeTextFile } from "../../runtime/file.ts";
import { currentDirectory } from "../../runtime/process.ts";
import type { RunEvent } from "../engine/event.ts";
import type { Output, Reporter } from "../report/reporter.ts";
import { isOtelWanted } from "../report/otel/settings.ts";
import { type ReporterContext, REPORTERS } from "../report/registry.ts";
import { didYouMean } from "../recipe/suggest.ts";
import { UsageError } from "./usage_error.ts";

/** A reporter that was asked for: `junit=out.xml`. */
interface Asked {
  name: string;
  file: string | undefined;
}

/**
 * The reporters that the command line asks for: without any the console, and in GitHub's CI what
 * GitHub shows besides. An environment with a collector adds the one that sends to it.
 * @throws {UsageError} For a name that is none, and for two reporters that write one file.
 */
export function readReporters(
  options: readonly string[],
  env: ReporterContext["env"],
): Asked[] {
  const asked = options.map(readReporter);
  checkFiles(asked);
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

/** A reporter that is at work. */
interface Opened {
  name: string;
  reporter: Reporter;
  file: string | undefined;
  text: string[];
  /** What it threw; it is given no more events then. */
  broken?: { error: unknown };
}

/** What reporters are made with, and where one that fails is told. */
export type ReportersContext = Omit<ReporterContext, "output"> & { out: Output; err: Output };

/** Several reporters as one. One that fails is told, and never changes the verdict. */
export class Reporters implements Reporter {
  #reporters: Opened[] = [];
  #err: Output;
  #told = new Set<string>();

  private constructor(err: Output) {
    this.#err = err;
  }

  /** Makes the reporters that were asked for. */
  static async open(
    asked: readonly Asked[],
    { out, err, ...context }: ReportersContext,
  ): Promise<Reporters> {
    const all = new Reporters(err);
    const speak = asked.filter(({ name, file }) => file === undefined && name !== "otel");
    // What another one writes would tear a live part apart.
    const shared = speak.length > 1 ? { ...out, isTerminal: false } : out;
    for (const { name, file } of asked) {
      const text: string[] = [];
      const output = file === undefined ? shared : fileOutput(text);
      if (file !== undefined) await all.#checkFile(name, file);
      try {
        const reporter = await REPORTERS[name]!({ output, ...context });
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
    for (const { name, reporter, file, text, broken } of this.#reporters) {
      if (broken) {
        this.#tell(name, broken.error);
        continue;
      }
      try {
        await reporter.finish?.();
        if (file !== undefined) await writeTextFile(file, text.join(""));
      } catch (error) {
        this.#tell(name, error);
      }
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
    const warning = `warning: reporter ${name} failed: ${(error as Error).message}\n`;
    // What was told before the run need not be told again after it.
    if (!this.#told.has(warning)) this.#err.write(warning);
    this.#told.add(warning);
  }
}

function fileOutput(text: string[]): Output {
  return { write: (piece) => void text.push(piece), isTerminal: false, color: false, columns: 80 };
}
