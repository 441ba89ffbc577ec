import { writeTextFile } from "../../runtime/file.ts";
import type { RunEvent } from "../engine/event.ts";
import type { Output, Reporter } from "../report/reporter.ts";
import { REPORTERS } from "../report/registry.ts";
import { didYouMean } from "../recipe/suggest.ts";
import type { CommandContext } from "./command.ts";
import { UsageError } from "./usage_error.ts";

/** A reporter that was asked for: `junit=out.xml`. */
interface Asked {
  name: string;
  file: string | undefined;
}

/**
 * The reporters that the command line asks for.
 * @throws {UsageError} For a name that is none.
 */
export function readReporters(options: readonly string[]): Asked[] {
  if (options.length === 0) return [{ name: "console", file: undefined }];
  return options.map((option) => {
    const equals = option.indexOf("=");
    const name = equals === -1 ? option : option.slice(0, equals);
    if (!Object.hasOwn(REPORTERS, name)) {
      const meant = didYouMean(name, Object.keys(REPORTERS)) ??
        `there are ${Object.keys(REPORTERS).join(", ")}`;
      throw new UsageError(`Unknown reporter ${name}; ${meant}`);
    }
    return { name, file: equals === -1 ? undefined : option.slice(equals + 1) };
  });
}

/** Several reporters as one. One that fails is told, and never changes the verdict. */
export class Reporters implements Reporter {
  #reporters: { name: string; reporter: Reporter; file: string | undefined; text: string[] }[] = [];
  #err: Output;
  #broken = new Set<string>();

  private constructor(err: Output) {
    this.#err = err;
  }

  /** Makes the reporters that were asked for. */
  static async open(
    asked: readonly Asked[],
    { out, err }: Pick<CommandContext, "out" | "err">,
    quiet: boolean,
  ): Promise<Reporters> {
    const all = new Reporters(err);
    for (const { name, file } of asked) {
      const text: string[] = [];
      const output = file === undefined ? out : fileOutput(text);
      const reporter = await REPORTERS[name]!({ output, quiet });
      all.#reporters.push({ name, reporter, file, text });
    }
    return all;
  }

  /** Takes one event. */
  report(event: RunEvent): void {
    for (const { name, reporter } of this.#reporters) {
      if (this.#broken.has(name)) continue;
      try {
        reporter.report(event);
      } catch (error) {
        this.#tell(name, error);
      }
    }
  }

  /** Ends all of them, and writes the files: each is whole or absent. */
  async finish(): Promise<void> {
    for (const { name, reporter, file, text } of this.#reporters) {
      if (this.#broken.has(name)) continue;
      try {
        await reporter.finish?.();
        if (file !== undefined) await writeTextFile(file, text.join(""));
      } catch (error) {
        this.#tell(name, error);
      }
    }
  }

  #tell(name: string, error: unknown): void {
    this.#broken.add(name);
    this.#err.write(`warning: reporter ${name} failed: ${(error as Error).message}\n`);
  }
}

function fileOutput(text: string[]): Output {
  return { write: (piece) => void text.push(piece), isTerminal: false, color: false, columns: 80 };
}
