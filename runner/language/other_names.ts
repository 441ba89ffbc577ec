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
  max_retries: ["retry"],
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
