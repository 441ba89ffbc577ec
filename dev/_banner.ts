import type { Faults } from "./faults/fault.ts";
import type { Workload } from "./options.ts";
import { DEFAULT_TOKENS, type TokenOptions } from "./tokens.ts";

const PRODUCTION = "https://github.com/xraph/dispatch";

/** The lines that {@linkcode serve} prints when the server is ready. */
export function banner(
  { url, file, workload, faults, isVirtual }: {
    url: string;
    file?: string;
    workload: Workload;
    faults: Faults;
    isVirtual: boolean;
  },
): string[] {
  const { jobs = [], workflows = [], crons = [], tokens = DEFAULT_TOKENS } = workload;
  const names = (definitions: readonly { name: string }[]) =>
    [...new Set(definitions.map(({ name }) => name))].join(", ") || "none";
  const actions = faults.list().map((fault) => fault.do);
  return [
    `Dispatch dev server: ${file ?? "the reference workload"}`,
    url,
    ...Object.entries(tokens).map(([token, options]) =>
      `  token      ${mask(token)}  ${describe(options)}`
    ),
    `  jobs       ${names(jobs)}`,
    `  workflows  ${names(workflows)}`,
    ...(crons.length === 0 ? [] : [`  crons      ${names(crons)}`]),
    ...(actions.length === 0 ? [] : [`  faults     ${actions.join(", ")}; seed ${faults.seed}`]),
    ...(isVirtual ? [`  clock      virtual; POST {"advance": "5m"} to ${httpOf(url)}/clock`] : []),
    "Jobs, runs and events are kept in memory only, and are gone when the server stops.",
    `For production use a Dispatch server: ${PRODUCTION}`,
  ];
}

function httpOf(url: string): string {
  return url.replace(/^ws/, "http");
}

/** Masks a token, except the public default ones. A long token keeps its first two characters. */
function mask(token: string): string {
  if (Object.hasOwn(DEFAULT_TOKENS, token)) return token;
  return `${token.length > 8 ? token.slice(0, 2) : ""}${"*".repeat(6)}`;
}

function describe({ scopes, app = "-", org = "-" }: TokenOptions): string {
  return `${scopes.join(" ")} (${app}/${org})`;
}
