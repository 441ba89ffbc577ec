import type { ParsedArgs } from "../args.ts";
import { type Command, INTERRUPTED } from "../command.ts";
import { EXPLORE_OPTIONS, exploreSettings } from "../explore/options.ts";

/** `explore`: runs recipes again and again, each time with other faults. */
export const explore: Command = {
  usage: "explore [file | directory]…",
  description: "Run recipes with many seeds, each with other faults and orders of events.",
  examples: (program) => [
    `${program} explore order.yaml --dev orders.ts`,
    `${program} explore order.yaml --dev orders.ts --seeds 50 --faults crash`,
  ],
  options: EXPLORE_OPTIONS,
  details: `
A server in this process runs the jobs and workflows of --dev in virtual time.
Each run begins with new state: the file is loaded anew, or its export
\`reset\` is called.

Exit codes: 0 no seed failed; 1 one did, or the recipe fails without faults;
2 invalid recipe or command line; 3 could not run; 4 nothing was checked;
130 interrupted.
`,
  async run(args: ParsedArgs, context) {
    const settings = exploreSettings(args);
    const { exploreRecipes } = await import("../explore/explore_recipes.ts");
    const exitCode = await exploreRecipes(args, settings, context);
    return context.signal.aborted ? INTERRUPTED : exitCode;
  },
};
