import { systemClock } from "../../runtime/clock.ts";
import { FileError, readTextFile } from "../../runtime/file.ts";
import {
  exitNow,
  isClosed,
  isTerminal,
  onEndSignal,
  processArgs,
  readEnv,
  setExitCode,
  standardFailure,
  standardWritten,
  terminalSize,
  writeStandard,
} from "../../runtime/process.ts";
import { Mask } from "../engine/mask.ts";
import { InterruptedError } from "../events/deadline.ts";
import { loadCel } from "../expression/cel.ts";
import { loadPatterns } from "../expression/load_patterns.ts";
import { MAX_BYTES } from "../language/yaml.ts";
import { didYouMean } from "../../runtime/suggest.ts";
import type { Output } from "../report/reporter.ts";
import { safeOutput } from "../report/safe_output.ts";
import { parseArgs, UsageError } from "./args.ts";
import {
  type CommandContext,
  COULD_NOT_RUN,
  INTERRUPTED,
  INVALID,
  type ProcessContext,
  PROGRAM,
  VERSION,
} from "./command.ts";
import { COMMANDS, optionsOf } from "./commands.ts";
import { reportEarlyEnd } from "./early_end.ts";
import { ScriptGuard } from "./script_guard.ts";

/** The command that the scripts of `completion` call. */
const COMPLETE = "__complete";

/**
 * Runs the CLI in this process, with its arguments, signals and streams, and sets the exit code.
 *
 * @param before Arguments to put before those of the process.
 */
export async function main(before: readonly string[] = []): Promise<void> {
  const ended = reportEarlyEnd();
  const interrupt = new AbortController();
  const removeListeners = onEndSignal((signal) => {
    // A second signal does not wait for the clean-up of the first.
    if (interrupt.signal.aborted) {
      ended();
      exitNow(INTERRUPTED);
    }
    interrupt.abort(new InterruptedError(signal));
  });
  let stuck = false;
  const args = [...before, ...processArgs()];
  preload(args, readEnv);
  const [out, err] = await Promise.all([standardOutput("stdout"), standardOutput("stderr")]);
  const verdict = await runCli(args, {
    out,
    err,
    env: readEnv,
    clock: systemClock,
    random: Math.random,
    signal: interrupt.signal,
    readInput: async (maximum) => {
      const { readStandardInput } = await import("../../runtime/standard_input.ts");
      return await readStandardInput(maximum);
    },
    program: async () => (await import("./program.ts")).programName(),
    onStuck: () => void (stuck = true),
  });
  // A run whose output was lost must not count as passed.
  const isLost = standardFailure("stdout") !== undefined;
  const code = verdict === 0 && isLost ? COULD_NOT_RUN : verdict;
  removeListeners();
  ended();
  // Abandoned work may hold sockets or timers that would keep the process alive.
  if (stuck) {
    await standardWritten();
    exitNow(code);
  }
  setExitCode(code);
}

/**
 * Runs a command line. Its first word is the command; without one, the command is `run`.
 *
 * @returns The exit code: 0 passed, 1 failed, 2 invalid recipe or command line, 3 could not run,
 * 4 nothing ran, 130 interrupted.
 */
export async function runCli(args: readonly string[], context: ProcessContext): Promise<number> {
  const mask = new Mask();
  // All output goes through these two, so no text can control the terminal or the CI system.
  const out = safeOutput(context.out);
  const err = safeOutput(context.err, (text) => mask.text(text));
  using guard = new ScriptGuard({ err, onStart: context.onStuck });
  const code = await runCommand(args, { ...context, out, err, mask, guard });
  return guard.hasProblem && code !== INTERRUPTED ? COULD_NOT_RUN : code;
}

async function runCommand(args: readonly string[], context: CommandContext): Promise<number> {
  const [first, ...rest] = args;
  const isNamed = isCommand(first);
  const name = isNamed ? first : "run";
  try {
    if (!isNamed && (args.length === 0 || first === "help")) {
      return await printHelp(isCommand(rest[0]) ? rest[0] : undefined, context);
    }
    if (first === COMPLETE) {
      const { complete } = await import("./complete/complete.ts");
      return await complete(rest, context);
    }
    if (first === "--version" || first === "-V") {
      context.out.write(`${PROGRAM} ${VERSION}\n`);
      return 0;
    }
    const command = await COMMANDS[name]!();
    if (args.includes("--help") || args.includes("-h")) {
      return await printHelp(isNamed ? name : undefined, context);
    }
    const parsed = parseArgs(isNamed ? rest : args, optionsOf(command));
    const code = await command.run(parsed, context);
    const suggestion = isNamed || code !== 2
      ? undefined
      : didYouMean(first!, Object.keys(COMMANDS));
    if (suggestion) context.err.write(`'${first}' is not a command; ${suggestion}\n`);
    return code;
  } catch (error) {
    return await printError(error, isNamed ? name : undefined, context);
  }
}

function isCommand(word: string | undefined): word is string {
  return word !== undefined && Object.hasOwn(COMMANDS, word);
}

/** Prints why a command failed, and returns the exit code. */
async function printError(
  error: unknown,
  command: string | undefined,
  { err, env, program }: CommandContext,
): Promise<number> {
  if (error instanceof InterruptedError) {
    err.write(`${error.message}\n`);
    return INTERRUPTED;
  }
  err.write(`error: ${(error as Error).message ?? error}\n`);
  if (error instanceof UsageError) {
    const words = [await program(), ...(command === undefined ? [] : [command])];
    err.write(`Try: ${words.join(" ")} --help\n`);
    return INVALID;
  }
  if (error instanceof FileError) return INVALID;
  // The message says which permission Deno lacks, and how to grant it.
  if ((error as Error).name === "NotCapable") return COULD_NOT_RUN;
  if (env("DISPATCH_DEBUG")) err.write(`${(error as Error).stack}\n`);
  else err.write("Internal error. Set DISPATCH_DEBUG=1 for the stack trace.\n");
  return COULD_NOT_RUN;
}

/**
 * Starts to load the modules of a run in parallel, because loading them is most of a recipe's cold
 * start.
 */
function preload(args: readonly string[], env: CommandContext["env"]): void {
  const [first] = args;
  if (args.length === 0 || first === COMPLETE || (isCommand(first) && first !== "run")) return;
  const needsNoServer = env("DISPATCH_URL") !== undefined ||
    args.some((arg) => arg === "--url" || arg.startsWith("--url=") || arg === "--dry-run");
  const loading: Promise<unknown>[] = [
    COMMANDS.run!(),
    import("../../client/dispatch.ts"),
    import("../../runtime/terminate.ts"),
    import("../report/console/console.ts"),
    ...(needsNoServer ? [] : [
      import("../../dev/server.ts"),
      args.includes("--dev") ? import("./dev_file.ts") : import("../../dev/reference_workload.ts"),
      import("./check_server_names.ts"),
      import("../../dev/describe_workload.ts"),
    ]),
    loadCelFor(args.filter((arg) => /\.ya?ml$/.test(arg))),
  ];
  // The import that uses a module reports that it failed to load.
  for (const one of loading) one.catch(() => {});
}

/** Matches almost every recipe that has expressions, and few others. */
const MAY_HAVE_EXPRESSIONS = /\$\{\{|\b(?:assert|expect|if|outputs|where)\b/;

/**
 * Loads the expression language and regular expressions if a single recipe needs them. Of several
 * recipes, the first that has an expression loads them.
 */
async function loadCelFor(recipes: readonly string[]): Promise<void> {
  const [recipe] = recipes;
  if (recipes.length !== 1 || recipe === undefined) return;
  const text = await readTextFile(recipe, "recipe", MAX_BYTES);
  await Promise.all([
    MAY_HAVE_EXPRESSIONS.test(text) && loadExpressions(),
    text.includes("matches") && loadPatterns(),
  ]);
}

async function loadExpressions(): Promise<void> {
  await Promise.all([loadCel(), import("../recipe/check_expressions.ts")]);
}

async function printHelp(
  name: string | undefined,
  { out, program }: CommandContext,
): Promise<number> {
  const { helpText } = await import("./help.ts");
  out.write(await helpText(name, await program()));
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
    get isClosed() {
      return isClosed(stream);
    },
  };
}
