// Runs tests in a separate process, with or without a mutant. `runner.ts` starts it, and kills it
// when a test hangs.
import { registerHooks } from "node:module";
import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { collect, type CollectedTest } from "./collected_tests.ts";
import type { Answer, CoverageResult, Failure, MutantResult, Question } from "./messages.ts";

const COLLECTED_TESTS = new URL("./collected_tests.ts", import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "node:test"
      ? { url: COLLECTED_TESTS, shortCircuit: true }
      : next(specifier, context),
});

/** Milliseconds that a test file may take to load, and a test without a mutant to run. */
const LOAD_LIMIT = 30_000;
const TEST_LIMIT = 60_000;

interface LoadedFile {
  before: (() => unknown)[];
  tests: Map<string, CollectedTest>;
}

/** The object by which mutated sources know which mutant is active. */
const stryker: {
  activeMutant?: string | undefined;
  currentTestId?: string;
  mutantCoverage?: unknown;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
} = {};
Object.assign(globalThis, { __stryker__: stryker });

const files = new Map<string, LoadedFile>();
// Tests may replace these.
const { setTimeout, clearTimeout, performance } = globalThis;
let onUncaught: (error: unknown) => void = () => {};
process.on("uncaughtException", (error) => onUncaught(error));
process.on("unhandledRejection", (error) => onUncaught(error));

/** Loads a file once, without a mutant. */
async function load(path: string): Promise<LoadedFile> {
  let loaded = files.get(path);
  if (loaded === undefined) {
    activate(undefined);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${path} did not load in time`)), LOAD_LIMIT);
    });
    const { tests, before } = await Promise.race([
      collect(pathToFileURL(resolve(path)).href),
      late,
    ]);
    clearTimeout(timer);
    loaded = { before, tests: new Map(tests.map((it, index) => [`${path}#${index}`, it])) };
    files.set(path, loaded);
  }
  return loaded;
}

function activate(mutant: string | undefined): void {
  stryker.activeMutant = mutant;
  // For processes that tests start.
  if (mutant === undefined) delete process.env["__STRYKER_ACTIVE_MUTANT__"];
  else process.env["__STRYKER_ACTIVE_MUTANT__"] = mutant;
}

/** Runs one test. */
async function runTest(file: LoadedFile, id: string, limit: number): Promise<Failure | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const failure = new Promise<Failure>((resolve) => {
    onUncaught = (error) => resolve({ message: `uncaught: ${messageOf(error)}` });
    timer = setTimeout(() => resolve({ message: `no end in ${limit} ms`, hung: true }), limit);
  });
  const run = async (): Promise<Failure | undefined> => {
    try {
      for (const hook of file.before.splice(0)) await hook();
      await file.tests.get(id)!.body();
      return undefined;
    } catch (error) {
      return { message: messageOf(error) };
    }
  };
  const result = await Promise.race([run(), failure]);
  clearTimeout(timer);
  return result;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Runs all tests of some files, and records which mutants each one reaches. */
async function findCoverage(paths: readonly string[]): Promise<CoverageResult> {
  const tests: CoverageResult["tests"] = [];
  for (const path of paths) {
    // What runs while a module loads belongs to no test.
    delete stryker.currentTestId;
    const file = await load(path);
    for (const [id, { name }] of file.tests) {
      stryker.currentTestId = id;
      const start = performance.now();
      const failure = await runTest(file, id, TEST_LIMIT);
      tests.push({ id, name, path, ms: performance.now() - start, failure });
    }
  }
  return { tests, coverage: stryker.mutantCoverage };
}

/** Runs tests with a mutant until one fails. */
async function tryMutant(
  { mutant, hitLimit, tests }: Question & { action: "mutant" },
): Promise<MutantResult> {
  stryker.hitLimit = hitLimit;
  stryker.hitCount = hitLimit === undefined ? undefined : 0;
  let count = 0;
  for (const { id, limit } of tests) {
    const file = await load(id.slice(0, id.lastIndexOf("#")));
    send({ started: id });
    activate(mutant);
    count++;
    const failure = await runTest(file, id, limit);
    if (failure !== undefined) return { count, failure, id, hitCount: stryker.hitCount };
  }
  activate(undefined);
  return { count };
}

function send(answer: Answer): void {
  process.send!(answer);
}

process.on("message", async (question: Question) => {
  try {
    const result = question.action === "mutant"
      ? await tryMutant(question)
      : await findCoverage(question.paths);
    send({ result });
  } catch (error) {
    send({ error: error instanceof Error ? error.stack! : String(error) });
  }
});
process.on("disconnect", () => process.exit());
