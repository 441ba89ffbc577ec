import type { Faults } from "./faults/fault.ts";
import type { Workload } from "./options.ts";
import { DEFAULT_TOKENS, type TokenOptions } from "./tokens.ts";

const PRODUCTION = "https://github.com/xraph/dispatch";

/** What a served server says of itself. */
export function banner(
  { url, file, workload, faults }: {
    url: string;
    file?: string;
    workload: Workload;
    faults: Faults;
  },
): string[] {
  const { jobs = [], workflows = [], crons = [], tokens = DEFAULT_TOKENS } = workload;
  const names = (definitions: readonly { name: string }[]) =>
    [...new Set(definitions.map(({ name }) => name))].join(", ") || "none";
  return [
    `Dispatch dev server: ${file ?? "the reference workload"}`,
    url,
    ...Object.entries(tokens).map(([token, options]) =>
      `  token      ${shown(token)}  ${describe(options)}`
    ),
    `  jobs       ${names(jobs)}`,
    `  workflows  ${names(workflows)}`,
    ...(crons.length === 0 ? [] : [`  crons      ${names(crons)}`]),
    ...(faults.list().length === 0
      ? []
      : [`  faults     ${
        faults.list().map(({ do: action }) => action).join(", ")
      }; seed ${faults.seed}`]),
    "Nothing is kept: jobs, runs and events go with this process.",
    `Production is a Dispatch server: ${PRODUCTION}`,
  ];
}

/** A token everybody knows is shown; of any other no more than tells it from its neighbours. */
function shown(token: string): string {
  if (Object.hasOwn(DEFAULT_TOKENS, token)) return token;
  return `${token.length > 8 ? token.slice(0, 2) : ""}${"*".repeat(6)}`;
}

function describe({ scopes, app = "-", org = "-" }: TokenOptions): string {
  return `${scopes.join(" ")} (${app}/${org})`;
}
