import { readRecipe } from "../../recipe/read_recipe.ts";
import type { CommandContext } from "../command.ts";
import { recipeDocument, type RecordedStep } from "./recipe_document.ts";
import { RecipeValues, type Secrets } from "./recipe_values.ts";
import { endOf, type RecordedRun } from "./recorded_run.ts";
import { durationText, runSteps } from "./run_steps.ts";

/** Settings of {@linkcode recordedRecipe}. */
export interface RecordSettings {
  /** The secrets to take out. */
  secrets: Secrets;
  /** The server that has the runs, without credentials. */
  server: string;
  context: Pick<CommandContext, "clock" | "mask">;
}

/** A recorded recipe. */
export interface RecordedText {
  /** The recipe as YAML. */
  text: string;
  /** What could not be recorded, for people. */
  remarks: string[];
  /** Why the recipe cannot be used, if it cannot: it is too large, for example. */
  problems: string[];
}

/** Writes the recipe that repeats runs, one after the other. */
export async function recordedRecipe(
  runs: readonly RecordedRun[],
  { secrets, server, context: { clock, mask } }: RecordSettings,
): Promise<RecordedText> {
  const values = new RecipeValues(secrets, mask);
  const steps: RecordedStep[] = [];
  const remarks: string[] = [];
  let limit = 60_000;
  runs.forEach((recorded, i) => {
    const made = runSteps(recorded, runs.length === 1 ? "run" : `run_${i + 1}`, values);
    steps.push(...made.steps);
    remarks.push(...made.remarks);
    limit += made.limit;
  });
  const names = [...new Set(runs.map(({ run }) => values.plain(run.name)))].join(", ");
  const head = runs.map(({ run }) => values.comment(headLine(run, server)));
  head.push(`Recorded at ${new Date(clock.now()).toISOString()}.`);
  const general = generalRemarks(values, secrets);
  const document = {
    head: [...head, ...general],
    settings: {
      name: `${names} as recorded`,
      timeout: durationText(limit),
      ...(values.used.size > 0 ? { secrets: [...values.used] } : {}),
    },
    steps,
  };
  const text = recipeDocument(document);
  const { diagnostics } = await readRecipe("recorded.yaml", text);
  const problems = values.hasTooDeep ? ["a value is nested too deep for a recipe"] : [];
  for (const { severity, message } of diagnostics) {
    if (severity === "error") problems.push(mask.text(message));
  }
  const unused = [...secrets.keys()].filter((name) => !values.used.has(name));
  const notes = unused.map((name) => `The secret ${name} does not occur in what was recorded.`);
  return { text, remarks: [...remarks, ...general, ...notes], problems };
}

function headLine(run: RecordedRun["run"], server: string): string {
  const end = new Date(endOf(run)).toISOString();
  return `Run ${run.id} of ${run.name} on ${server}, which ${run.state} at ${end}.`;
}

function generalRemarks(values: RecipeValues, secrets: Secrets): string[] {
  const remarks: string[] = [];
  if (values.hasMasked) {
    const what = secrets.size > 0 ? "A secret or the token" : "The token";
    remarks.push(`${what} was in a place or an encoding for which there is only ***.`);
  }
  if (values.hasInexact) {
    remarks.push("A whole number beyond 2^53 may have lost its last digits.");
  }
  return remarks;
}
