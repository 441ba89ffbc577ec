import type { ParsedArgs } from "./args.ts";
import type { Command } from "./command.ts";
import { numberOption } from "./run_options.ts";
import { UsageError } from "./usage_error.ts";

type Fault = import("../../dev/mod.ts").Fault;
type QuirkOptions = import("../../dev/mod.ts").QuirkOptions;

/** Codes of errors that are the caller's to mend, not ours. */
const CALLERS = new Set([
  "port_taken",
  "bad_workload",
  "bad_fault",
  "unknown_quirk",
  "bad_duration",
]);

/** Serves the embedded server until it is interrupted. */
export const dev: Command = {
  usage: "dev [file.ts]",
  description:
    "Serves the embedded server: the reference workload, or a file's jobs and workflows.",
  options: {
    port: { value: "N", description: "The port, 8787 by default; 0 is any that is free." },
    host: { value: "ADDRESS", description: "The address to listen on, 127.0.0.1 by default." },
    watch: { short: "w", description: "Takes the file's definitions anew when it changes." },
    quirk: {
      value: "NAME=on|off",
      repeat: true,
      description: "Switches an oddity of today's servers; none switches all of them off.",
    },
    fault: {
      value: "FAULT",
      repeat: true,
      description: "What goes wrong, and when: cut:after=10, delay:ms=200,chance=0.1 and so on.",
    },
    seed: { value: "N", description: "Makes what chance decides in faults the same each time." },
    help: { short: "h", description: "Shows this." },
  },
  async run(args, { out, signal }) {
    const { positional, values, flags, lists } = args;
    if (positional.length > 1) throw new UsageError("dev takes one file");
    const [file] = positional;
    const port = portOption(values.port);
    const quirks = quirkOptions(lists.quirk ?? []);
    const seed = values.seed === undefined ? undefined : numberOption(args, "seed", 1);
    const { parseFault, serve } = await import("../../dev/mod.ts");
    try {
      const faults = faultOptions(args, parseFault);
      await serve({
        signal,
        print: (line: string) => out.write(`${line}\n`),
        watch: flags.has("watch"),
        ...(file === undefined ? {} : { file }),
        ...(port === undefined ? {} : { port }),
        ...(values.host === undefined ? {} : { host: values.host }),
        ...(quirks === undefined ? {} : { quirks }),
        ...(faults.length === 0 ? {} : { faults }),
        ...(seed === undefined ? {} : { seed }),
      });
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      if (code === undefined || !CALLERS.has(code)) throw error;
      throw new UsageError(message);
    }
    return 0;
  },
};

function portOption(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65535) return port;
  throw new UsageError(`--port takes a number from 0 to 65535, not '${text}'`);
}

function quirkOptions(given: readonly string[]): QuirkOptions | undefined {
  if (given.length === 0) return undefined;
  if (given.length === 1 && (given[0] === "none" || given[0] === "default")) return given[0];
  return Object.fromEntries(given.map((option) => {
    const match = /^([\w-]+)=(on|off)$/.exec(option);
    if (!match) throw new UsageError(`--quirk takes NAME=on or NAME=off, not '${option}'`);
    return [match[1]!, match[2] === "on"];
  }));
}

function faultOptions({ lists }: ParsedArgs, parse: (text: string) => Fault): Fault[] {
  return (lists.fault ?? []).map(parse);
}
