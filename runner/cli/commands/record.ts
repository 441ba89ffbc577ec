import { type ParsedArgs, UsageError } from "../args.ts";
import { CALL_EXIT_CODES, CALL_OPTIONS, kindOfId, withClient } from "../calls/call_session.ts";
import { type Command, type CommandContext, COULD_NOT_RUN } from "../command.ts";
import { PUBLISH_OPTION } from "../calls/publish_option.ts";
import { CLOCK_OPTION } from "../options.ts";
import type { RecordedRun } from "../record/recorded_run.ts";
import { publicUrl, serverOptions } from "../server.ts";

const { json: _, ...OPTIONS } = CALL_OPTIONS;

/** `record`: writes the recipe that repeats runs. */
export const record: Command = {
  usage: "record RUN… | NAME [JSON]",
  description: "Write a recipe that repeats workflow runs and expects the same end.",
  options: {
    ...OPTIONS,
    secret: {
      value: "NAME",
      repeat: true,
      description: "Write ${{ secrets.NAME }} for the value of this environment variable.",
    },
    dev: {
      value: "FILE",
      description: "Start a workflow of this file on the embedded server, and record its run.",
    },
    publish: PUBLISH_OPTION,
    clock: CLOCK_OPTION,
  },
  examples: (program) => [
    `${program} record wfrun_01h455vb4pex5vsknk084sn02q > order.yaml`,
    `${program} record wfrun_01h455vb4pex5vsknk084sn02q --secret API_KEY > order.yaml`,
    `${program} run order.yaml --dev orders.ts --clock virtual`,
    `${program} record order '{"id": 7}' --publish paid='{"id": 7}' --dev orders.ts`,
  ],
  details: `
RUN is the id of a run that has ended. With --dev, NAME is a workflow of the
file, and JSON its input: text, @FILE, or - for standard input. What cannot be
recorded is said on standard error and as comments of the recipe.
${CALL_EXIT_CODES}`,
  async run(args, context) {
    const { url, dev, isVirtual } = serverOptions(args, context.env);
    if (dev === undefined) checkRuns(args);
    const { readSecrets } = await import("../record/recipe_values.ts");
    const secrets = readSecrets(args.lists.secret ?? [], context.env);
    for (const secret of secrets.values()) context.mask.add(secret);
    const print = async (runs: readonly RecordedRun[], server: string) => {
      const { recordedRecipe } = await import("../record/recorded_recipe.ts");
      return printRecipe(await recordedRecipe(runs, { secrets, server, context }), context);
    };
    if (dev !== undefined) {
      const { withDevRun } = await import("../record/dev_run.ts");
      return await withDevRun(
        args,
        dev,
        isVirtual,
        context,
        (run) => print([run], `the embedded server with ${dev}`),
      );
    }
    return await withClient(args, context, {}, async ({ client, limits }) => {
      const { readRun } = await import("../record/recorded_run.ts");
      const runs = [];
      for (const id of args.positional) {
        const recorded = await readRun(client, id, limits);
        if (recorded.run.state === "running") {
          context.err.write(`error: Cannot record ${id}: it has not ended\n`);
          context.err.write(`Wait for it: ${await context.program()} wait ${id}\n`);
          return COULD_NOT_RUN;
        }
        runs.push(recorded);
      }
      return await print(runs, publicUrl(url!));
    });
  },
};

/** Checks the arguments of a command line without `--dev`. */
function checkRuns({ positional, lists }: ParsedArgs): void {
  if (lists.publish) throw new UsageError("--publish needs --dev");
  if (positional.length === 0) throw new UsageError("record needs RUN: the id of a workflow run");
  for (const id of positional) {
    if (kindOfId(id) === "job") throw new UsageError("record takes the ids of workflow runs");
  }
}

function printRecipe(
  { text, remarks, problems }: { text: string; remarks: string[]; problems: string[] },
  { out, err }: CommandContext,
): number {
  for (const remark of remarks) err.write(`note: ${remark}\n`);
  if (problems.length === 0) {
    out.write(text);
    return 0;
  }
  for (const problem of problems) err.write(`error: Cannot record it: ${problem}\n`);
  return COULD_NOT_RUN;
}
