import { systemClock } from "../../runtime/clock.ts";
import { planCases, runCases } from "../engine/run.ts";
import { Mask } from "../engine/mask.ts";
import { ConsoleReporter } from "../report/console.ts";
import type { ParsedArgs } from "./args.ts";
import type { Command, CommandContext } from "./command.ts";
import { loadRecipes } from "./load.ts";
import { diagnosticFormat, FORMAT_OPTION, printDiagnostics } from "./print_diagnostics.ts";
import { announce, embeddedServer, remoteServer, type Server } from "./server.ts";
import { UsageError } from "./usage_error.ts";
import { checkNames, findMissing, readPairs, variablesFor } from "./variables.ts";

/** Runs recipes. */
export const run: Command = {
  usage: "run [file | directory]…",
  description: "Runs recipes; the default.",
  options: {
    url: { value: "URL", description: "The server; DISPATCH_URL, or an embedded one." },
    token: { value: "TOKEN", description: "Its token; DISPATCH_TOKEN, or demo-token." },
    var: { value: "NAME=VALUE", repeat: true, description: "Gives a variable another value." },
    format: FORMAT_OPTION,
    quiet: { short: "q", description: "Prints only what failed, and the summary." },
    help: { short: "h", description: "Shows this." },
  },
  details: `
Exit codes: 0 passed; 1 failed; 2 the recipe or the command line is wrong; 3 could not be run;
4 nothing ran or nothing was checked; 130 interrupted.
`,
  async run(args, context) {
    const { positional, values } = args;
    if (positional.length === 0) throw new UsageError("Nothing to run: name a recipe");
    const url = values.url ?? context.env("DISPATCH_URL");
    // The server starts while the recipes are read; both take a while.
    const starting = url === undefined ? embeddedServer() : undefined;
    starting?.catch(() => {});
    const client = import("../../client/mod.ts");
    const token = values.token ?? context.env("DISPATCH_TOKEN") ?? "demo-token";
    try {
      return await runPaths(positional, args, context, async () => ({
        server: url === undefined ? await starting! : remoteServer(url, token),
        client: await client,
      }));
    } finally {
      await (await starting?.catch(() => undefined))?.close();
    }
  },
};

async function runPaths(
  paths: string[],
  args: ParsedArgs,
  context: CommandContext,
  open: () => Promise<{ server: Server; client: typeof import("../../client/mod.ts") }>,
): Promise<number> {
  const { out, err, env, signal } = context;
  const { recipes, diagnostics } = await loadRecipes(paths);
  const format = diagnosticFormat(args.values.format, env);
  printDiagnostics(diagnostics, format, context);
  if (diagnostics.some(({ severity }) => severity === "error")) return 2;
  const given = readPairs(args.lists.var ?? []);
  checkNames(recipes, given);
  const missing = findMissing(recipes, given, env);
  if (missing.length > 0) {
    printDiagnostics(missing, format, context);
    return 2;
  }
  const cases = planCases(recipes).map((one) => ({
    ...one,
    vars: variablesFor(one.recipe, given),
  }));
  const { server, client: { Dispatch } } = await open();
  announce(server, out);
  const mask = new Mask();
  if (server.name !== "embedded") mask.add(server.token);
  let client;
  try {
    client = await Dispatch.connect({ url: server.url, token: server.token, signal });
  } catch (error) {
    if (signal.aborted) return 130;
    err.write(`error: ${mask.text((error as Error).message)}\n`);
    return 3;
  }
  const reporter = new ConsoleReporter(out, { quiet: args.flags.has("quiet") });
  try {
    const { exitCode } = await runCases(cases, {
      client,
      clock: systemClock,
      random: Math.random,
      report: (event) => reporter.report(event),
      server: server.name,
      env,
      signal,
      mask,
    });
    return exitCode;
  } finally {
    await client.close();
  }
}
