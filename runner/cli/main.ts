import {
  exitNow,
  isTerminal,
  onEndSignal,
  processArgs,
  readEnv,
  setExitCode,
  standardWritten,
  terminalSize,
  writeStandard,
} from "../../runtime/process.ts";
import { readTextFile } from "../../runtime/file.ts";
import { loadCel } from "../expression/cel.ts";
import { InterruptedError } from "../events/deadline.ts";
import type { Output } from "../report/reporter.ts";
import { parseArgs } from "./args.ts";
import type { Completions } from "./completion.ts";
import { type Command, type CommandContext, INTERRUPTED } from "./command.ts";
import { didYouMean } from "../language/suggest.ts";
import { UsageError } from "./usage_error.ts";

/** The commands; each is loaded when it is called. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  run: async () => (await import("./run.ts")).run,
  check: async () => (await import("./check.ts")).check,
  schedule: async () => (await import("./schedule.ts")).schedule,
  list: async () => (await import("./list.ts")).list,
  history: async () => (await import("./history.ts")).history,
  dev: async () => (await import("./dev.ts")).dev,
  init: async () => (await import("./init.ts")).init,
  explain: async () => (await import("./explain.ts")).explain,
  schema: async () => (await import("./schema.ts")).schema,
  completion: async () => (await import("./completion.ts")).completionCommand(completions),
};

/** The commands and their options. */
async function completions(): Promise<Completions> {
  const loaded = Object.entries(COMMANDS).map(async ([name, load]) =>
    [name, (await load()).options] as const
  );
  return Object.fromEntries(await Promise.all(loaded));
}

/**
 * Runs the CLI in this process: its arguments, signals, streams and exit code.
 *
 * @param before Arguments that come before those of the process.
 */
export async function main(before: readonly string[] = []): Promise<void> {
  const interrupt = new AbortController();
  const stop = onEndSignal((signal) => {
    // Who asks a second time does not want to wait for what is being cleaned up.
    if (interrupt.signal.aborted) exitNow(INTERRUPTED);
    interrupt.abort(new InterruptedError(signal));
  });
  let stuck = false;
  const args = [...before, ...processArgs()];
  preload(args, readEnv);
  const [out, err] = await Promise.all([standardOutput("stdout"), standardOutput("stderr")]);
  const code = await runCli(args, {
    out,
    err,
    env: readEnv,
    signal: interrupt.signal,
    onStuck: () => void (stuck = true),
  });
  stop();
  // What was given up can still be open, and nothing else would end the process then.
  if (stuck) {
    await standardWritten();
    exitNow(code);
  }
  setExitCode(code);
}

/**
 * Runs a command line. The first word is a command; without one it is `run`.
 *
 * @returns The exit code: 0 passed, 1 failed, 2 the recipe or the command line is wrong, 3 could not
 * be run, 4 nothing ran, 130 interrupted.
 */
export async function runCli(args: readonly string[], context: CommandContext): Promise<number> {
  const [first, ...rest] = args;
  const named = isCommand(first);
  const name = named ? first : "run";
  try {
    if (!named && (args.length === 0 || first === "help")) {
      return await help(isCommand(rest[0]) ? rest[0] : undefined, context);
    }
    const command = await COMMANDS[name]!();
    if (args.includes("--help") || args.includes("-h")) {
      return await help(named ? name : undefined, context);
    }
    const code = await command.run(parseArgs(named ? rest : args, command.options), context);
    const meant = named || code !== 2 ? undefined : didYouMean(first!, Object.keys(COMMANDS));
    if (meant !== undefined) context.err.write(`${first} is no command; ${meant}\n`);
    return code;
  } catch (error) {
    return await tell(error, named ? name : undefined, context);
  }
}

function isCommand(word: string | undefined): word is string {
  return word !== undefined && Object.hasOwn(COMMANDS, word);
}

/** Tells why nothing came of a command, and gives the exit code. */
async function tell(
  error: unknown,
  name: string | undefined,
  { err, env }: CommandContext,
): Promise<number> {
  const { FileError } = await import("../../runtime/file.ts");
  err.write(`error: ${(error as Error).message ?? error}\n`);
  if (error instanceof UsageError) {
    err.write(`Try: runner.ts ${name === undefined ? "" : `${name} `}--help\n`);
    return 2;
  }
  if (error instanceof FileError) return 2;
  // Nobody foresaw this one, and a stack says nothing to who runs recipes.
  if (env("DISPATCH_DEBUG")) err.write(`${(error as Error).stack}\n`);
  else err.write("This is a mistake in the runner; DISPATCH_DEBUG=1 shows where.\n");
  return 3;
}

/**
 * Begins to load what a run will need, all at once: the loading of modules is most of a recipe's cold
 * start. What follows a job or starts a workflow is loaded later, while the server works on the first
 * step; the expression language when a recipe has an expression.
 */
function preload(args: readonly string[], env: CommandContext["env"]): void {
  const [first] = args;
  if (args.length === 0 || (isCommand(first) && first !== "run")) return;
  const elsewhere = env("DISPATCH_URL") !== undefined ||
    args.some((arg) => arg === "--url" || arg.startsWith("--url=") || arg === "--dry-run");
  const loading: Promise<unknown>[] = [
    COMMANDS.run!(),
    import("../../client/dispatch.ts"),
    import("../../runtime/terminate.ts"),
    import("../report/console/console.ts"),
    ...(elsewhere
      ? []
      : [import("../../dev/server.ts"), import("../../dev/reference_workload.ts")]),
    loadCelFor(args.filter((arg) => /\.ya?ml$/.test(arg))),
  ];
  // Whoever needs one of them meets its error.
  for (const one of loading) one.catch(() => {});
}

/** Finds most texts that have expressions, and few others. */
const MAY_HAVE_EXPRESSIONS = /\$\{\{|\b(?:assert|expect|if|outputs|where)\b/;

/** Loads the language of expressions, unless one recipe is all there is and has none. */
async function loadCelFor(recipes: readonly string[]): Promise<void> {
  const [recipe] = recipes;
  const known = recipes.length === 1 && recipe !== undefined;
  if (!known || MAY_HAVE_EXPRESSIONS.test(await readTextFile(recipe, "recipe"))) await loadCel();
}

async function help(name: string | undefined, { out }: CommandContext): Promise<number> {
  const { helpText } = await import("./help.ts");
  out.write(await helpText(name, COMMANDS));
  return 0;
}

async function standardOutput(stream: "stdout" | "stderr"): Promise<Output> {
  const forced = readEnv("FORCE_COLOR");
  const terminal = await isTerminal(stream);
  return {
    write: (text) => writeStandard(stream, text),
    isTerminal: terminal,
    color: forced ? forced !== "0" : terminal && !readEnv("NO_COLOR") && readEnv("TERM") !== "dumb",
    get columns() {
      return (terminal ? terminalSize() : undefined)?.columns ?? 80;
    },
    get rows() {
      return (terminal ? terminalSize() : undefined)?.rows ?? 24;
    },
  };
}
