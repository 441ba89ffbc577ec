import { isRecord } from "../protocol/mod.ts";
import {
  aClock,
  aFunction,
  listOf,
  numberFrom,
  objectWith,
  optional,
  type OptionRule,
  type OptionRules,
  optionsProblem,
  someText,
  trueOrFalse,
  wholeNumberFrom,
} from "../runtime/check_options.ts";
import { isOrigin } from "./listen/access.ts";
import { aText } from "./option_rules.ts";
import type { Workload } from "./options.ts";
import { checkOptions, OptionsError } from "./options_error.ts";

const port = wholeNumberFrom(0, 65535);
const signal = objectWith("an AbortSignal", "addEventListener", "throwIfAborted");
const names = listOf("names", someText);
const origins = listOf(
  'origins such as "https://app.example.com", or "*"',
  (value) => typeof value === "string" && isOrigin(value) ? undefined : "an origin",
);

/** Queues: their names, or an object that limits how many jobs run in each. */
function queues(value: unknown): string | undefined {
  const isValid = Array.isArray(value)
    ? names(value) === undefined
    : isRecord(value) && Object.values(value).every((limit) =>
      limit === Infinity || wholeNumberFrom(0)(limit) === undefined
    );
  return isValid ? undefined : "a list of names, or an object of limits by name";
}

const TOKEN_RULES: OptionRules = {
  scopes: listOf("scopes", someText),
  app: optional(aText),
  org: optional(aText),
};

function definitions(kind: "job" | "workflow" | "cron", define: string): OptionRule {
  return listOf(`definitions made by ${define}`, (value) => {
    const isValid = isRecord(value) && value.kind === kind && typeof value.name === "string";
    return isValid ? undefined : "a definition";
  });
}

/** The options of a workload. */
export const WORKLOAD_RULES: OptionRules = {
  jobs: optional(definitions("job", "defineJob")),
  workflows: optional(definitions("workflow", "defineWorkflow")),
  crons: optional(definitions("cron", "defineCron")),
  // Checked separately, because messages must not show a token.
  tokens: () => undefined,
  queues: optional(queues),
  concurrency: optional(wholeNumberFrom(0)),
  backoff: optional(aFunction),
};

function path(value: unknown): string | undefined {
  return typeof value === "string" && /^(?:\/|(?:\/[^/?#\s]+)+)$/.test(value)
    ? undefined
    : 'a path such as "/dwp"';
}

function quirks(value: unknown): string | undefined {
  if (value === "default" || value === "none") return undefined;
  return isRecord(value) &&
      Object.values(value).every((on) => on === undefined || typeof on === "boolean")
    ? undefined
    : "'default', 'none', or an object whose values are true or false";
}

function clock(value: unknown): string | undefined {
  const problem = value === "virtual" ? undefined : aClock(value);
  return problem && `'virtual' or ${problem}`;
}

// The server checks each fault.
const faults = listOf("faults", () => undefined);
const store = objectWith("a store made by createStore", "job", "run", "jobs", "runs", "publish");

/** The options of `createDevServer`. */
export const SERVER_RULES: OptionRules = {
  ...WORKLOAD_RULES,
  port: optional(port),
  hostname: optional(someText),
  path: optional(path),
  allowOrigins: optional(origins),
  store: optional(store),
  quirks: optional(quirks),
  clock: optional(clock),
  random: optional(aFunction),
  log: optional(aFunction),
  faults: optional(faults),
  aroundWork: optional(aFunction),
  seed: optional(numberFrom(-Number.MAX_VALUE)),
  listen: optional(trueOrFalse),
};

/** The callbacks of an observer. */
export const OBSERVER_RULES: OptionRules = {
  request: optional(aFunction),
  event: optional(aFunction),
  cancelled: optional(aFunction),
  published: optional(aFunction),
};

/** The options of `serve`. */
export const SERVE_RULES: OptionRules = {
  file: optional(someText),
  port: optional(port),
  host: optional(someText),
  allowOrigins: optional(origins),
  quirks: optional(quirks),
  watch: optional(trueOrFalse),
  faults: optional(faults),
  seed: SERVER_RULES.seed!,
  clock: optional(clock),
  signal,
  print: aFunction,
};

/**
 * Validates the options of a server, or its new workload.
 * @throws {OptionsError} If one is not valid.
 */
export function checkServerOptions(action: string, options: Workload, rules: OptionRules): void {
  checkOptions(action, options, rules);
  const { tokens = {} } = options;
  if (!isRecord(tokens)) {
    const example = '{ "my-token": { scopes: ["*"] } }';
    throw new OptionsError(action, `option 'tokens' must be an object such as ${example}`);
  }
  for (const [index, token] of Object.values(tokens).entries()) {
    const problem = optionsProblem(token, TOKEN_RULES);
    if (problem !== undefined) throw new OptionsError(action, `token ${index + 1}: ${problem}`);
  }
}
