import type { DispatchAdmin } from "../../../client/http/dispatch_admin.ts";
import type { AdminOptions } from "../../../client/http/admin_options.ts";
import { didYouMean } from "../../../runtime/suggest.ts";
import {
  ADMIN_ACTIONS,
  ADMIN_ALIASES,
  type AdminAction,
  type ListFilter,
} from "../admin_actions.ts";
import { printResult } from "../call_output.ts";
import { helpRows, type OptionSpecs, type ParsedArgs, UsageError } from "../args.ts";
import { reportCallError } from "../calls/call_error.ts";
import { type Command, type CommandContext, COULD_NOT_RUN } from "../command.ts";
import { durationOption, numberOption } from "../options.ts";

const OPTIONS: OptionSpecs = {
  url: { value: "URL", description: "URL of the server's WebSocket. Default: DISPATCH_URL." },
  base: {
    value: "URL",
    description: "Address of the admin API, or its path. Default: beside the WebSocket.",
  },
  token: {
    value: "TOKEN",
    description:
      "Token, if an application guards the API. Default: DISPATCH_TOKEN, if --base is not a URL.",
  },
  header: { value: "NAME:VALUE", repeat: true, description: "Send another header." },
  timeout: { value: "DURATION", description: "How long a call may take. Default: 30s." },
  json: { description: "Print JSON: one line, or one line for each item of a list." },
  state: { value: "STATE", description: "For jobs and runs: list those in this state." },
  queue: { value: "QUEUE", description: "For jobs and dead letters: list those of this queue." },
  limit: { value: "N", description: "For lists: how many items. Default: 50, at most 1000." },
  offset: { value: "N", description: "For lists: how many of the oldest to leave out." },
};

/** `admin`: what operators do, over a server's admin API. */
export const admin: Command = {
  usage: "admin ACTION [id]",
  description: "Count, retry, replay and pause what is on a server.",
  words: [
    ...new Set([...Object.keys(ADMIN_ACTIONS), ...Object.keys(ADMIN_ALIASES)].join(" ").split(" ")),
  ],
  options: OPTIONS,
  examples: (program) => [
    `${program} admin stats --url wss://example.com/dwp`,
    `${program} admin retry job_01h455vb4pex5vsknk084sn02q`,
    `${program} admin dead-letters replay-all --json | jq .replayed`,
    `${program} admin stats --base https://ops.example.com/dispatch \\
  --header "X-Api-Key: $KEY"`,
  ],
  details: `
Actions:
${actionRows().join("\n")}

* Today's servers do not have these lists. The embedded server has them with
  \`dev --quirk admin-lists-missing=off\`.

Only servers that are built with upstream's forge extension have this API.
Nothing protects it there: it sees and changes the jobs of all tenants.

Exit codes: 0 done; 1 the server refused, such as for an unknown id; 2 invalid
command line, nothing was sent; 3 no answer, or no admin API; 130 interrupted.
`,
  async run(args, context) {
    const { action, id } = findAction(args);
    const filter = filterOf(args, action);
    const options = clientOptions(args, context);
    const timeout = durationOption(args, "timeout");
    const { DispatchAdmin } = await import("../../../client/http/dispatch_admin.ts");
    const limits = { signal: context.signal, ...(timeout === undefined ? {} : { timeout }) };
    let result: unknown;
    try {
      using client: DispatchAdmin = new DispatchAdmin(options);
      result = await action.call(client, limits, id, filter);
    } catch (error) {
      return failed(error, action, context);
    }
    printResult(result, args, context);
    if (!args.flags.has("json") && action.note !== undefined && !isEmpty(result)) {
      context.err.write(`${action.note}\n`);
    }
    return Object(result).errors > 0 ? 1 : 0;
  },
};

function isEmpty(result: unknown): boolean {
  return Array.isArray(result) && result.length === 0;
}

/** Prints why a call failed, and returns the exit code. */
function failed(error: unknown, action: AdminAction, context: CommandContext): number {
  const { code } = reportCallError(error, action.writes ?? false, context);
  // What the server refuses for its own reasons is a result, and a missing list is none.
  return code === 400 || (code === 404 && !action.filters) ? 1 : COULD_NOT_RUN;
}

/**
 * Finds the action that the arguments name.
 * @throws {UsageError} If there is none, or if it has too many or too few arguments.
 */
function findAction({ positional }: ParsedArgs): { action: AdminAction; id: string } {
  const [first, second] = positional;
  if (first === undefined) throw new UsageError(`admin needs an action: ${actionNames()}`);
  const isGroup = Object.keys(ADMIN_ACTIONS).some((name) => name.startsWith(`${first} `));
  if (isGroup && second === undefined) {
    throw new UsageError(`admin ${first} needs an action: ${actionNames(`${first} `)}`);
  }
  const written = isGroup ? `${first} ${second}` : first;
  const name = Object.hasOwn(ADMIN_ALIASES, written) ? ADMIN_ALIASES[written]! : written;
  if (!Object.hasOwn(ADMIN_ACTIONS, name)) {
    const names = [...Object.keys(ADMIN_ACTIONS), ...Object.keys(ADMIN_ALIASES)];
    const suggestion = didYouMean(written, names);
    throw new UsageError(`Unknown action '${written}'${suggestion ? `; ${suggestion}` : ""}`);
  }
  const action = ADMIN_ACTIONS[name]!;
  const rest = positional.slice(isGroup ? 2 : 1);
  if (rest.length === (action.takesId ? 1 : 0)) return { action, id: rest[0] ?? "" };
  throw new UsageError(`admin ${written} takes ${action.takesId ? "one id" : "no argument"}`);
}

/**
 * Reads the filters of a list.
 * @throws {UsageError} If one is missing, has a wrong value, or does not belong to the action.
 */
function filterOf(args: ParsedArgs, { filters = [] }: AdminAction): ListFilter {
  const { values } = args;
  for (const name of ["state", "queue", "limit", "offset"]) {
    if (name in values && !filters.includes(name)) {
      throw new UsageError(`--${name} does not belong to this action`);
    }
  }
  for (const name of ["state", "queue"]) {
    if (!filters.includes(name) || name in values) continue;
    throw new UsageError(`This list needs --${name}: a server cannot list them for every ${name}`);
  }
  const { state, queue } = values;
  return {
    ...(state === undefined ? {} : { state }),
    ...(queue === undefined ? {} : { queue }),
    ...("limit" in values ? { limit: numberOption(args, "limit", 50) } : {}),
    ...("offset" in values ? { offset: numberOption(args, "offset", 0, 0) } : {}),
  };
}

/** Reads where the server is and what to send to it. Tokens and headers become secrets. */
function clientOptions(
  { values, lists }: ParsedArgs,
  { env, clock, random, mask }: CommandContext,
): AdminOptions {
  const url = values.url ?? env("DISPATCH_URL");
  const { base } = values;
  if (url === undefined && base === undefined) {
    throw new UsageError("No server: set --url, --base or DISPATCH_URL");
  }
  // The token of the environment belongs to the server of the environment, not to any other host.
  const isOwnHost = base === undefined || base.startsWith("/");
  const token = values.token ?? (isOwnHost ? env("DISPATCH_TOKEN") : undefined);
  if (token !== undefined) mask.add(token);
  const headers = Object.fromEntries((lists.header ?? []).map((header) => {
    const [, name, value] = /^([^:\s]+):\s*(.*)$/s.exec(header) ?? [];
    if (name === undefined) throw new UsageError("--header must be NAME:VALUE");
    mask.add(value!);
    // `Bearer x` and `Basic x`: the server may send back only the secret.
    mask.add(value!.replace(/^\S+\s+/, ""));
    return [name, value!];
  }));
  return {
    ...(url === undefined ? {} : { url }),
    ...(base === undefined ? {} : { base }),
    ...(token === undefined ? {} : { token }),
    headers,
    clock,
    random,
  };
}

function actionNames(prefix: string = ""): string {
  const names = Object.keys(ADMIN_ACTIONS).filter((name) => name.startsWith(prefix));
  return [...new Set(names.map((name) => name.slice(prefix.length).split(" ")[0]!))].join(", ");
}

function actionRows(): string[] {
  return helpRows(
    Object.entries(ADMIN_ACTIONS).map(([name, { takesId, description }]) => {
      const [alias] = Object.entries(ADMIN_ALIASES).find(([, full]) => full === name) ?? [];
      return [
        `${name}${takesId ? " ID" : ""}`,
        alias ? `${description} Also: ${alias}` : description,
      ];
    }),
  );
}
