import { UsageError } from "../args.ts";
import { CALL_EXIT_CODES, CALL_OPTIONS, kindOfId, withClient } from "../calls/call_session.ts";
import { type Command, type CommandContext, COULD_NOT_RUN, PROGRAM } from "../command.ts";
import { publicUrl, serverOptions } from "../server.ts";

const { json: _, ...OPTIONS } = CALL_OPTIONS;

/** `record`: writes the recipe that repeats runs. */
export const record: Command = {
  usage: "record RUN…",
  description: "Write a recipe that repeats workflow runs and expects the same end.",
  options: {
    ...OPTIONS,
    secret: {
      value: "NAME",
      repeat: true,
      description: "Write ${{ secrets.NAME }} for the value of this environment variable.",
    },
  },
  details: `
Examples:
  ${PROGRAM} record wfrun_01h455vb4pex5vsknk084sn02q > order.yaml
  ${PROGRAM} record wfrun_01h455vb4pex5vsknk084sn02q --secret API_KEY > order.yaml
  ${PROGRAM} run order.yaml --dev orders.ts --clock virtual

The runs must have ended. What cannot be recorded is said on standard error and
as comments of the recipe.
${CALL_EXIT_CODES}`,
  async run(args, context) {
    const { positional: ids, lists } = args;
    if (ids.length === 0) throw new UsageError("record needs RUN: the id of a workflow run");
    for (const id of ids) {
      if (kindOfId(id) === "job") throw new UsageError("record takes the ids of workflow runs");
    }
    const { readSecrets } = await import("../record/recipe_values.ts");
    const secrets = readSecrets(lists.secret ?? [], context.env);
    for (const secret of secrets.values()) context.mask.add(secret);
    const { url } = serverOptions(args, context.env);
    return await withClient(args, context, {}, async ({ client, limits }) => {
      const { readRun } = await import("../record/recorded_run.ts");
      const runs = [];
      for (const id of ids) {
        const recorded = await readRun(client, id, limits);
        if (recorded.run.state === "running") {
          context.err.write(`error: Cannot record ${id}: it has not ended\n`);
          context.err.write(`Wait for it: ${PROGRAM} wait ${id}\n`);
          return COULD_NOT_RUN;
        }
        runs.push(recorded);
      }
      const { recordedRecipe } = await import("../record/recorded_recipe.ts");
      const server = publicUrl(url!);
      const made = await recordedRecipe(runs, { secrets, server, context });
      return printRecipe(made, context);
    });
  },
};

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
