// A test runner for StrykerJS. It runs the tests of `node:test` in one process, where most take
// milliseconds. A process for each mutant and test file, as Stryker's own runners use, takes hours.
import { type ChildProcess, fork } from "node:child_process";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Answer, CoverageResult, MutantResult, Question } from "./messages.ts";

const HOST = fileURLToPath(new URL("./host.ts", import.meta.url));
const NODE_MODULES = fileURLToPath(new URL("../../node_modules", import.meta.url));
/** Where the first runner writes how long each test takes, for the others. */
const TIMES = "test_times.json";
/** Milliseconds that a test may take longer than without a mutant. */
const EXTRA_TIME = 2_000;

/** What Stryker expects of a test run; the numbers are its statuses of tests. */
type DryRunResult =
  | { status: "error"; errorMessage: string }
  | {
    status: "complete";
    mutantCoverage: unknown;
    tests: {
      id: string;
      name: string;
      fileName: string;
      timeSpentMs: number;
      status: 0 | 1;
      failureMessage?: string;
    }[];
  };

type MutantRunResult =
  | { status: "error"; errorMessage: string }
  | { status: "survived"; nrOfTests: number }
  | { status: "timeout"; reason: string }
  | { status: "killed"; killedBy: string[]; failureMessage: string; nrOfTests: number };

interface MutantRunOptions {
  activeMutant: { id: string };
  testFilter?: string[];
  hitLimit?: number;
}

type HostResult<T> = T | { hung: string } | { exited: number | null } | { error: string };

/** A process that runs tests. */
class Host {
  #child: ChildProcess = fork(HOST, { stdio: "ignore" });

  /**
   * Sends a question and waits for its result.
   * @param limitOf Milliseconds after which a test that has started counts as hung.
   */
  ask<T extends CoverageResult | MutantResult>(
    question: Question,
    limitOf: (test: string) => number,
  ): Promise<HostResult<T>> {
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const end = (result: HostResult<T>): void => {
        clearTimeout(timer);
        this.#child.removeAllListeners();
        resolve(result);
      };
      this.#child.on("message", (answer: Answer) => {
        if ("result" in answer) return end(answer.result as T);
        if ("error" in answer) return end(answer);
        const { started } = answer;
        clearTimeout(timer);
        timer = setTimeout(() => end({ hung: started }), limitOf(started));
      });
      this.#child.on("exit", (code) => end({ exited: code }));
      this.#child.send(question);
    });
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

class Runner {
  /** The names of what Stryker hands to the constructor. */
  static inject = ["options"];
  #paths: readonly string[];
  #host: Host = new Host();
  #times: Record<string, number> | undefined;
  /** How many mutants each test has killed. The most successful ones run first. */
  #kills = new Map<string, number>();

  constructor({ nodeTest }: { nodeTest: { files: readonly string[] } }) {
    this.#paths = nodeTest.files;
  }

  capabilities(): { reloadEnvironment: boolean } {
    return { reloadEnvironment: false };
  }

  async dryRun(): Promise<DryRunResult> {
    // Stryker does not do this where node_modules is itself a link.
    if (!existsSync("node_modules")) symlinkSync(NODE_MODULES, "node_modules", "junction");
    const question: Question = { action: "coverage", paths: this.#paths };
    const result = await this.#host.ask<CoverageResult>(question, () => 0);
    if (!("tests" in result)) {
      return { status: "error", errorMessage: JSON.stringify(result) };
    }
    const { tests, coverage } = result;
    writeFileSync(TIMES, JSON.stringify(Object.fromEntries(tests.map(({ id, ms }) => [id, ms]))));
    this.#replaceHost();
    return {
      status: "complete",
      mutantCoverage: coverage,
      tests: tests.map(({ id, name, path, ms, failure }) => ({
        id,
        name: `${path}: ${name}`,
        fileName: path,
        timeSpentMs: ms,
        ...(failure ? { status: 1, failureMessage: failure.message } : { status: 0 }),
      })),
    };
  }

  async mutantRun(
    { activeMutant, testFilter, hitLimit }: MutantRunOptions,
  ): Promise<MutantRunResult> {
    const times: Record<string, number> = this.#times ??= JSON.parse(readFileSync(TIMES, "utf8"));
    const kills = (id: string): number => this.#kills.get(id) ?? 0;
    const limitOf = (id: string): number => EXTRA_TIME + 5 * times[id]!;
    const tests = (testFilter ?? Object.keys(times))
      .toSorted((a, b) => kills(b) - kills(a) || times[a]! - times[b]!)
      .map((id) => ({ id, limit: limitOf(id) }));
    const question: Question = { action: "mutant", mutant: activeMutant.id, hitLimit, tests };
    // The host itself notices a test that waits; it cannot notice an endless loop.
    const result = await this.#host.ask<MutantResult>(question, (id) => limitOf(id) + 1_000);
    if ("count" in result && result.failure === undefined) {
      return { status: "survived", nrOfTests: result.count };
    }
    // A failed test may have left something running.
    this.#replaceHost();
    if ("error" in result) return { status: "error", errorMessage: result.error };
    if ("hung" in result) return { status: "timeout", reason: `${result.hung} did not end` };
    if ("exited" in result) {
      const failureMessage = `the process exited with ${result.exited}`;
      return { status: "killed", killedBy: [], failureMessage, nrOfTests: 1 };
    }
    const { id, failure, count, hitCount } = result;
    if (failure!.hung || hitLimit !== undefined && hitCount! > hitLimit) {
      return { status: "timeout", reason: `${id}: ${failure!.message}` };
    }
    this.#kills.set(id!, kills(id!) + 1);
    return {
      status: "killed",
      killedBy: [id!],
      failureMessage: failure!.message,
      nrOfTests: count,
    };
  }

  dispose(): void {
    this.#host.kill();
  }

  #replaceHost(): void {
    this.#host.kill();
    this.#host = new Host();
  }
}

/** What Stryker loads from this file. */
export const strykerPlugins: unknown[] = [
  { kind: "TestRunner", name: "node-test", injectableClass: Runner },
];

/** The settings that this runner takes from Stryker's configuration. */
export const strykerValidationSchema: unknown = {
  properties: {
    nodeTest: {
      type: "object",
      properties: { files: { type: "array", items: { type: "string" } } },
      required: ["files"],
    },
  },
};
