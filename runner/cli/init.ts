import { makeDirectory, pathKind, writeTextFile } from "../../runtime/file.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./usage_error.ts";

const RECIPE = `# yaml-language-server: $schema=./recipe.schema.json
# Run it: deno run -A jsr:@dispatch/sdk/cli recipes/first.yaml
# Without DISPATCH_URL it runs against a server that is started inside the runner.
name: First
tags: [smoke]
timeout: 1m                      # of the whole recipe

vars:
  order_id: ORD-\${{ uuid() }}    # --var order_id=ORD-7 gives it another value

steps:
  # A step with an id leaves what it did under that id.
  - id: order
    start: order-payment
    input: { order_id: "\${{ vars.order_id }}" }

  # A wait reads the state first, then follows events: it cannot miss what already happened.
  - wait: order
    until_step: reserve
    within: 10s

  - publish: payment-received
    payload: { order_id: "\${{ vars.order_id }}" }

  - wait: order
    until: completed
    within: 30s

  # Expressions are CEL. What is misspelt is found before anything is sent.
  - assert:
      - order.steps.exists(s, s.step_name == "ship")
    expect:
      order.state: completed
      order.duration_ms: { lt: 30000 }
`;

const WORKFLOW = `name: recipes
on: [push, pull_request]
jobs:
  recipes:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - uses: denoland/setup-deno@v2
      - run: deno run -A jsr:@dispatch/sdk/cli recipes/
        # A real server instead of the embedded one:
        # env:
        #   DISPATCH_URL: wss://dispatch.example.com/dwp
        #   DISPATCH_TOKEN: \${{ secrets.DISPATCH_TOKEN }}
`;

/** Writes a first recipe, the schema that helps an editor with it, and a workflow for GitHub. */
export const init: Command = {
  usage: "init [directory]",
  description:
    "Writes a commented recipe, its schema and a GitHub workflow; never over what is there.",
  options: { help: { short: "h", description: "Shows this." } },
  async run({ positional }, { out }) {
    if (positional.length > 1) throw new UsageError("init takes one directory");
    const base = positional[0] ?? ".";
    const { recipeSchema } = await import("../recipe/json_schema.ts");
    const files = [
      ["recipes/first.yaml", RECIPE],
      ["recipes/recipe.schema.json", `${JSON.stringify(recipeSchema(), undefined, 2)}\n`],
      [".github/workflows/recipes.yml", WORKFLOW],
    ] as const;
    for (const [path] of files) {
      if (await pathKind(`${base}/${path}`) === "none") continue;
      throw new UsageError(`Cannot write '${base}/${path}': it is there already`);
    }
    for (const [path, text] of files) {
      const file = `${base}/${path}`;
      await makeDirectory(file.replace(/\/[^/]*$/, ""));
      await writeTextFile(file, text);
      out.write(`${file}\n`);
    }
    return 0;
  },
};
