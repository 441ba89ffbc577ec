/** The words that other tools use for keys of recipes. */
const KEYS: Record<string, readonly string[]> = {
  timeout: ["within"],
  data: ["payload", "input"],
  args: ["payload", "input"],
  body: ["payload", "input"],
  params: ["payload", "input"],
  prio: ["priority"],
  when: ["if"],
  condition: ["if"],
  loop: ["for_each"],
  with_items: ["for_each"],
  foreach: ["for_each"],
  retries: ["retry"],
  max_retries: ["retry", "attempts"],
  times: ["attempts"],
  max: ["attempts"],
  max_attempts: ["attempts"],
  count: ["attempts"],
  delay: ["backoff"],
  wait: ["backoff"],
  interval: ["backoff"],
  for: ["within"],
  deadline: ["within"],
  status: ["until"],
  state: ["until"],
  cron: ["schedule"],
  tests: ["steps"],
  tasks: ["steps"],
  jobs: ["steps"],
  variables: ["vars"],
  parameters: ["vars"],
  cleanup: ["always"],
  teardown: ["always"],
  finally: ["always"],
  labels: ["tags"],
};

/** The words that other tools use for kinds of steps. */
const KINDS: Record<string, string> = {
  job: "enqueue",
  workflow: "start",
  event: "publish",
  emit: "publish",
  send: "publish",
  trigger: "publish",
  print: "log",
  echo: "log",
  delay: "sleep",
  pause: "sleep",
  include: "use",
  import: "use",
  check: "assert",
  test: "assert",
};

/** The words that other tools use for matchers. */
const MATCHERS: Record<string, string> = {
  less_than: "lt",
  at_most: "lte",
  greater_than: "gt",
  more_than: "gt",
  at_least: "gte",
  equal_to: "equals",
  not_equals: "not",
  matches_regex: "matches",
  has_length: "length",
  "<": "lt",
  "<=": "lte",
  ">": "gt",
  ">=": "gte",
  "==": "equals",
  "!=": "not",
};

/** More such words, which the keys of a payload can have too. */
const PLAIN_MATCHERS: Record<string, string> = {
  eq: "equals",
  is: "equals",
  equal: "equals",
  ne: "not",
  neq: "not",
  lessThan: "lt",
  greaterThan: "gt",
  min: "gte",
  max: "lte",
  regex: "matches",
  regexp: "matches",
  pattern: "matches",
  match: "matches",
  startsWith: "matches",
  starts_with: "matches",
  endsWith: "matches",
  ends_with: "matches",
  in: "one_of",
  any_of: "one_of",
  oneOf: "one_of",
  has: "contains",
  includes: "contains",
  include: "contains",
  size: "length",
  count: "length",
  len: "length",
};

/** Suggests a key for one that other tools use; `known` are the keys that are allowed there. */
export function keyOfOtherTools(key: string, known: readonly string[]): string | undefined {
  if (!Object.hasOwn(KEYS, key)) return undefined;
  const meant = KEYS[key]!.find((name) => known.includes(name));
  return meant === undefined ? undefined : `did you mean \`${meant}\`?`;
}

/** Suggests a matcher for one that other tools use. */
export function matcherOfOtherTools(name: string): string | undefined {
  return Object.hasOwn(MATCHERS, name) ? `did you mean \`${MATCHERS[name]}\`?` : undefined;
}

/** Suggests a matcher for the only key of a map, where the expected value cannot be a map. */
export function matcherMeantBy(name: string): string | undefined {
  if (!Object.hasOwn(PLAIN_MATCHERS, name)) return matcherOfOtherTools(name);
  return `did you mean \`${PLAIN_MATCHERS[name]}\`?`;
}

/** Suggests a kind of step for the first key that other tools use for one. */
export function kindOfOtherTools(keys: readonly string[]): string | undefined {
  const key = keys.find((one) => Object.hasOwn(KINDS, one));
  return key === undefined ? undefined : `did you mean \`${KINDS[key]}\`?`;
}
