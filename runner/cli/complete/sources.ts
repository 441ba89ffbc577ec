import type { OptionSpec } from "../args.ts";
import { type Completion, type Place, withPrefix } from "./candidates.ts";
import { paths } from "./paths.ts";
import { recipeTexts } from "./recipe_texts.ts";
import { workloadNames } from "./workload_names.ts";

type Source = (place: Place) => Promise<Completion> | Completion;

const NONE: Completion = { candidates: [] };
const RECIPES = /\.ya?ml$|\.recipe\.[cm]?[jt]s$/;
const SCRIPTS = /\.[cm]?[jt]s$/;

const recipes: Source = ({ current }) => paths(current, RECIPES);
const jobs: Source = (place) => firstOrFile(place, "jobs");
const workflows: Source = (place) => firstOrFile(place, "workflows");
const events: Source = (place) => firstOrFile(place, "events");
const steps: Source = async (place) => listed((await recipeTexts(place.positional)).ids);

/** What the arguments of each command are; those of the others are not listed. */
const ARGUMENTS: Readonly<Record<string, Source>> = {
  run: recipes,
  check: recipes,
  list: recipes,
  schedule: recipes,
  explore: recipes,
  history: recipes,
  report: ({ current }) => paths(current, /\.jsonl?$/),
  manifest: (place) => place.positional.length > 0 ? recipes(place) : NONE,
  merge: ({ current }) => paths(current, /\.jsonl?$/),
  dev: ({ current }) => paths(current, SCRIPTS),
  init: ({ current }) => paths(current, /$^/),
  explain: codes,
  completion: ({ positional }) => positional.length > 0 ? NONE : listed(["bash", "zsh", "fish"]),
  enqueue: jobs,
  start: workflows,
  publish: events,
  record: (place) => place.values.dev ? workflows(place) : NONE,
  call: ({ positional, current }) => positional.length === 1 ? jsonFile(current) : NONE,
  tail: async (place) => {
    const { queues } = await workloadNames(place);
    return listed(queues.map((name) => `queue:${name}`));
  },
};

/** What the values of options are, if neither their choices nor their placeholder say it. */
const VALUES: Readonly<Record<string, Source>> = {
  dev: ({ current }) => paths(current, SCRIPTS),
  vars: ({ current }) => paths(current, /\.(?:ya?ml|json)$/),
  from: (place) => place.command === "enqueue" ? paths(place.current, ROWS) : steps(place),
  only: steps,
  tag: tags,
  var: async ({ positional }) =>
    listed((await recipeTexts(positional)).variables.map((name) => `${name}=`)),
  queue: async (place) => listed((await workloadNames(place)).queues),
  publish: async (place) => listed((await workloadNames(place)).events.map((name) => `${name}=`)),
  quirk: quirks,
  fault: faults,
  reporter: reporters,
  shard: () => listed(["auto"]),
};

const ROWS = /\.(?:csv|jsonl|ndjson)$/i;

/** Returns what the arguments of a command can be. */
export async function argumentValues(place: Place): Promise<Completion> {
  return Object.hasOwn(ARGUMENTS, place.command) ? await ARGUMENTS[place.command]!(place) : NONE;
}

/** Returns what the value of an option can be. */
export async function optionValues(
  name: string,
  { value, choices }: OptionSpec,
  place: Place,
): Promise<Completion> {
  if (Object.hasOwn(VALUES, name)) return await VALUES[name]!(place);
  if (choices) return listed(choices);
  return value === "FILE" || value === "DIR" ? await paths(place.current) : NONE;
}

function listed(values: readonly string[], description?: string): Completion {
  const about = description === undefined ? {} : { description };
  return { candidates: [...new Set(values)].sort().map((value) => ({ value, ...about })) };
}

/** The name of a job, workflow or event, and then its payload. */
async function firstOrFile(
  place: Place,
  kind: "jobs" | "workflows" | "events",
): Promise<Completion> {
  if (place.positional.length === 0) return listed((await workloadNames(place))[kind]);
  return place.positional.length === 1 ? jsonFile(place.current) : NONE;
}

/** `@FILE`, from which JSON is read. */
async function jsonFile(current: string): Promise<Completion> {
  return current.startsWith("@") ? withPrefix("@", await paths(current.slice(1), /\.json$/)) : NONE;
}

async function codes(): Promise<Completion> {
  const { DIAGNOSTIC_CODES } = await import("../../language/codes.ts");
  return {
    candidates: Object.entries(DIAGNOSTIC_CODES)
      .map(([value, { title }]) => ({ value, description: title })),
  };
}

async function tags({ positional, current }: Place): Promise<Completion> {
  const found = listed((await recipeTexts(positional)).tags);
  return current.startsWith("!") ? withPrefix("!", found) : found;
}

async function quirks({ current }: Place): Promise<Completion> {
  const { QUIRKS } = await import("../../../dev/quirks.ts");
  const [, name] = /^([\w-]+)=/.exec(current) ?? [];
  if (name !== undefined) return withPrefix(`${name}=`, listed(["on", "off"]));
  const all = Object.entries(QUIRKS).map(([key, { on }]) => ({
    value: `${key}=`,
    description: on,
  }));
  return { candidates: [...all, ...listed(["default", "none"]).candidates] };
}

async function faults(): Promise<Completion> {
  const { FAULT_ACTIONS } = await import("../../../dev/faults/fault.ts");
  return listed(Object.keys(FAULT_ACTIONS));
}

async function reporters({ current }: Place): Promise<Completion> {
  const [, name] = /^(\w+)=/.exec(current) ?? [];
  if (name !== undefined) {
    return withPrefix(`${name}=`, await paths(current.slice(name.length + 1)));
  }
  const { REPORTERS } = await import("../../report/registry.ts");
  return {
    candidates: Object.entries(REPORTERS)
      .map(([value, { description }]) => ({ value, description })),
  };
}
