import { makeDirectory, pathKind } from "../../../runtime/file.ts";
import { writeTextFile } from "../../../runtime/write_file.ts";
import { UsageError } from "../args.ts";
import type { Command } from "../command.ts";
import { ACTIONS } from "../manifest/github.ts";

/** A first recipe; `program` is how to call the runner. */
function firstRecipe(program: string): string {
  return `# yaml-language-server: $schema=./recipe.schema.json
# Run it: ${program} recipes/first.yaml
# Without DISPATCH_URL, the runner starts a server for the run.
name: First
tags: [smoke]
timeout: 1m                      # for the whole recipe

vars:
  order_id: ORD-\${{ uuid() }}    # override it with --var order_id=ORD-7

steps:
  # Start a workflow. Later steps refer to its run by the step's id.
  - id: order
    start: order-payment
    input: { order_id: "\${{ vars.order_id }}" }

  # A wait reads the current state before it follows events, so it cannot miss anything.
  - wait: order
    until_step: reserve
    within: 10s

  # Publish the event that the workflow is waiting for.
  - publish: payment-received
    payload: { order_id: "\${{ vars.order_id }}" }

  - wait: order
    until: completed
    within: 30s

  # Check the result. Expressions are CEL; they are checked before anything is sent.
  - assert:
      - order.steps.exists(s, s.step_name == "ship")
    expect:
      order.state: completed
      order.duration_ms: { lt: 30000 }
`;
}

const WORKFLOW = `name: recipes
on: [push, pull_request]
jobs:
  recipes:
    runs-on: ubuntu-latest
    steps:
      - uses: ${ACTIONS.checkout}
      - uses: ${ACTIONS.setupDeno}
      - run: >-
          deno run -A jsr:@dispatch/sdk/cli recipes/
          --reporter console --reporter github
          --reporter html=reports/recipes.html --reporter junit=reports/recipes.xml
        # To use a real server instead of the embedded one:
        # env:
        #   DISPATCH_URL: wss://dispatch.example.com/dwp
        #   DISPATCH_TOKEN: \${{ secrets.DISPATCH_TOKEN }}
      - uses: ${ACTIONS.uploadArtifact}
        if: always()
        with:
          name: recipes
          path: reports/
          if-no-files-found: ignore
`;

/** `init`: creates a first recipe, its schema for editors, and a GitHub workflow that runs it. */
export const init: Command = {
  usage: "init [directory]",
  description: "Create an example recipe, its schema and a GitHub workflow, if they do not exist.",
  examples: (program) => [`${program} init`, `${program} init my-project`],
  options: {},
  async run({ positional }, context) {
    if (positional.length > 1) throw new UsageError("init takes one directory");
    const { out } = context;
    const program = await context.program();
    const base = positional[0] ?? ".";
    const { recipeSchema } = await import("../../recipe/json_schema.ts");
    const files = [
      ["recipes/first.yaml", firstRecipe(program)],
      ["recipes/recipe.schema.json", `${JSON.stringify(recipeSchema(), undefined, 2)}\n`],
      [".github/workflows/recipes.yml", WORKFLOW],
    ] as const;
    for (const [path] of files) {
      if (await pathKind(`${base}/${path}`) === "none") continue;
      throw new UsageError(`Cannot write '${base}/${path}': it already exists`);
    }
    for (const [path, text] of files) {
      const file = `${base}/${path}`;
      await makeDirectory(file.replace(/\/[^/]*$/, ""));
      await writeTextFile(file, text);
      out.write(`${file}\n`);
    }
    const recipe = `${base}/recipes/first.yaml`;
    out.write(`\nNext, run the recipe: ${program} ${recipe}\n`);
    return 0;
  },
};
