import { UsageError } from "../args.ts";
import type { Command } from "../command.ts";
import { CLOCK_OPTION, numberOption, virtualOption } from "../options.ts";

type Fault = import("../../../dev/mod.ts").Fault;
type QuirkOptions = import("../../../dev/mod.ts").QuirkOptions;

/** Codes of errors that the user can fix; the rest are internal errors. */
const USER_ERRORS = new Set([
  "port_taken",
  "listen_failed",
  "bad_workload",
  "bad_options",
  "bad_schedule",
  "bad_fault",
  "unknown_quirk",
  "bad_duration",
]);

/** `dev`: runs the embedded server until it is interrupted. */
export const dev: Command = {
  usage: "dev [file.ts]",
  description:
    "Start the embedded server with a file's jobs and workflows, or the reference workload.",
  examples: (program) => [
    `${program} dev`,
    `${program} dev orders.ts --watch`,
    `${program} dev orders.ts --clock virtual --port 0`,
    `${program} dev --quirk admin-lists-missing=off --fault cut:after=10`,
  ],
  options: {
    port: { value: "N", description: "Port to listen on. Default: 8787. 0 picks a free one." },
    host: { value: "ADDRESS", description: "Address to listen on. Default: 127.0.0.1." },
    "allow-origin": {
      value: "ORIGIN",
      repeat: true,
      description: "Let pages of this origin connect, not only those of this machine.",
    },
    clock: CLOCK_OPTION,
    watch: { short: "w", description: "Reload the file when it changes." },
    quirk: {
      value: "NAME=on|off",
      repeat: true,
      description: "Turn a quirk of today's servers on or off; none turns all of them off.",
    },
    fault: {
      value: "FAULT",
      repeat: true,
      description: "Inject a fault, such as cut:after=10 or delay:ms=200,chance=0.1.",
    },
    seed: { value: "N", description: "Seed of random faults: the same N gives the same faults." },
  },
  async run(args, { out, signal }) {
    const { positional, values, flags, lists } = args;
    if (positional.length > 1) throw new UsageError("dev takes one file");
    const [file] = positional;
    const port = portOption(values.port);
    const isVirtual = virtualOption(values.clock);
    const quirks = quirkOptions(lists.quirk ?? []);
    const seed = values.seed === undefined ? undefined : numberOption(args, "seed", 1);
    const { parseFault, serve } = await import("../../../dev/mod.ts");
    if (file !== undefined) await (await import("../own_package.ts")).provideOwnPackage(file);
    try {
      const faults: Fault[] = (lists.fault ?? []).map(parseFault);
      await serve({
        signal,
        print: (line: string) => out.write(`${line}\n`),
        watch: flags.has("watch"),
        ...(file === undefined ? {} : { file }),
        ...(port === undefined ? {} : { port }),
        ...(isVirtual ? { clock: "virtual" as const } : {}),
        ...(values.host === undefined ? {} : { host: values.host }),
        ...(lists["allow-origin"] === undefined ? {} : { allowOrigins: lists["allow-origin"] }),
        ...(quirks === undefined ? {} : { quirks }),
        ...(faults.length === 0 ? {} : { faults }),
        ...(seed === undefined ? {} : { seed }),
      });
    } catch (thrown) {
      const { devFileError } = await import("../dev_file.ts");
      const error = file === undefined ? thrown : devFileError(file, thrown);
      const { code, message } = error as Error & { code?: string };
      if (code === undefined || !USER_ERRORS.has(code)) throw error;
      throw new UsageError(message);
    }
    return 0;
  },
};

function portOption(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65535) return port;
  throw new UsageError(`--port must be a number from 0 to 65535, not '${text}'`);
}

function quirkOptions(options: readonly string[]): QuirkOptions | undefined {
  if (options.length === 0) return undefined;
  const [first] = options;
  if (options.length === 1 && (first === "none" || first === "default")) return first;
  return Object.fromEntries(options.map((option) => {
    const match = /^([\w-]+)=(on|off)$/.exec(option);
    if (!match) {
      throw new UsageError(
        `--quirk must be NAME=on or NAME=off, or none or default alone, not '${option}'`,
      );
    }
    return [match[1]!, match[2] === "on"];
  }));
}
