import { withUsed } from "../../recipe/used_recipes.ts";
import { needsStandardOutput } from "../../report/registry.ts";
import { DevFileError, type ParsedArgs, UsageError } from "../args.ts";
import { type Command, type CommandContext, INTERRUPTED } from "../command.ts";
import { findRecipeFiles, loadRecipes } from "../load_recipes.ts";
import { makePlan } from "../plan.ts";
import { reporterLines } from "../reporter_option.ts";
import { randomOption, RUN_OPTIONS } from "../run_options.ts";
import { runPlan } from "../run_plan.ts";
import {
  announceServer,
  embeddedServer,
  knownServer,
  loadDev,
  remoteServer,
  type Server,
  serverOptions,
} from "../server.ts";

/** `run`: runs recipes. */
export const run: Command = {
  usage: "run [file | directory]…",
  description: "Run recipes.",
  examples: (program) => [
    `${program} recipes/`,
    `${program} recipes/ --tag smoke --parallel 4 --bail`,
    `${program} run paid.yaml --dev orders.ts --clock virtual`,
    `${program} run order.yaml --url wss://example.com/dwp --token "$TOKEN"`,
    `${program} recipes/ --reporter console --reporter junit=junit.xml`,
  ],
  options: RUN_OPTIONS,
  details: `
Reporters:
${reporterLines().join("\n")}

Exit codes: 0 passed; 1 failed; 2 invalid recipe or command line;
3 could not run; 4 nothing ran or nothing was checked; 130 interrupted.
`,
  async run(args, context) {
    const { positional, flags } = args;
    if (positional.length === 0) throw new UsageError("Nothing to run: name a recipe or directory");
    if (!flags.has("watch")) return await runOnce(args, context);
    const { filesChanged, readFiles } = await import("../watch_files.ts");
    const { dev } = args.values;
    let more = dev === undefined ? [] : [dev];
    const list = async () => [...new Set([...await findRecipeFiles(positional), ...more])];
    while (!context.signal.aborted) {
      // What is saved while it runs is a change, too.
      const atStart = await readFiles(list);
      await runOnce(args, context).catch((error) => {
        // A file of definitions is often broken for a moment while it is edited.
        if (dev === undefined || !(error instanceof DevFileError)) throw error;
        context.err.write(`error: ${error.message}\n`);
      });
      if (context.signal.aborted) break;
      const { recipes, casesFiles, imports } = await loadRecipes(positional, context);
      const used = [...withUsed(recipes)].map(({ source }) => source.name);
      more = [
        ...used,
        ...casesFiles,
        ...imports,
        ...(dev === undefined ? [] : await devFiles(dev)),
      ];
      const before = new Map([...await readFiles(list), ...atStart]);
      context.out.write("Waiting for file changes…\n");
      await filesChanged(before, list, context);
    }
    return INTERRUPTED;
  },
};

/** The file of `--dev`, and those that it imports. */
async function devFiles(dev: string): Promise<string[]> {
  const { versionModules } = await import("../../script/module_versions.ts");
  return [dev, ...(await versionModules(dev)).imports];
}

async function runOnce(args: ParsedArgs, context: CommandContext): Promise<number> {
  const { out, err, env, clock } = context;
  const { url, token, dev, isVirtual } = serverOptions(args, env);
  const isDryRun = args.flags.has("dry-run");
  // The server and the client load while the recipes are read.
  const workload = loadDev(dev, context);
  workload.catch(() => {});
  const starting = url === undefined && !isDryRun
    ? startEmbedded(workload, isVirtual, args, context)
    : undefined;
  starting?.catch(() => {});
  const known = url === undefined ? workload.then((found) => knownServer(dev, found)) : undefined;
  known?.catch(() => {});
  const library = isDryRun ? undefined : import("../../../client/dispatch.ts");
  try {
    const elsewhere = url === undefined || isDryRun ? undefined : { url, token };
    const plan = await makePlan(args, context, { known, elsewhere });
    if (typeof plan === "number") return plan;
    const random = randomOption(args, context);
    const { mask } = plan;
    if (url !== undefined) mask.add(token);
    await workload;
    if (isDryRun) {
      const { printPlan } = await import("../dry_run.ts");
      const ambient = { now: () => clock.now(), random };
      const { filter } = plan;
      printPlan(plan.cases, { out, env, ambient, mask, ...(filter ? { filter } : {}) });
      return 0;
    }
    const server = url === undefined ? await starting! : remoteServer(url, token);
    announceServer(server, plan.reporters.some(needsStandardOutput) ? err : out);
    const { Dispatch } = await library!;
    return await runPlan(plan, { ...context, args, server, Dispatch, random });
  } finally {
    const server = await starting?.catch(() => undefined);
    await server?.close();
  }
}

/** Starts the embedded server with a workload that is being loaded. */
async function startEmbedded(
  workload: ReturnType<typeof loadDev>,
  isVirtual: boolean,
  { values: { dev }, flags }: ParsedArgs,
  { clock, err }: CommandContext,
): Promise<Server> {
  const virtual = isVirtual
    ? await (await import("../virtual_run.ts")).startVirtualTime(clock)
    : undefined;
  return await embeddedServer({
    clock,
    virtual,
    dev,
    workload: await workload,
    ...(flags.has("verbose") ? { log: (line) => err.write(`${line}\n`) } : {}),
  });
}
