import type { Diagnostics } from "../language/diagnostic.ts";
import type { Fields } from "../language/field.ts";
import type { MapNode } from "../language/node.ts";
import { kindOfOtherTools } from "../language/other_names.ts";
import { suggest } from "../../runtime/suggest.ts";
import type { StepKind } from "../steps/kind.ts";
import { NO_RESULT } from "../steps/result_types.ts";
import { STEP_KINDS } from "../steps/step_kinds.ts";
import { STEP_OPTIONS } from "./step_options.ts";

/** The kind of a step, or a guess if the step has an error. */
export interface ChosenKind {
  /** The kind. */
  kind: StepKind;
  /** The step's map, with the keys of that kind. */
  map: MapNode;
  /** Whether the kind is only a guess, because the step has an error. */
  isGuess?: boolean;
}

/**
 * Returns the kind of a step. If the step names no kind, two kinds, or a misspelt one, that is
 * reported, and the likeliest kind is returned so that its other errors are found as well.
 */
export function chooseKind(map: MapNode, diagnostics: Diagnostics): ChosenKind {
  const keys = map.entries.filter(({ key }) => Object.hasOwn(STEP_KINDS, key));
  if (keys.length > 1) {
    const names = keys.map(({ key }) => `\`${key}\``).join(" and ");
    diagnostics.error("two-kinds", keys[1]!.keySpan, `a step does one thing, not ${names}`, {
      label: "make this a separate step",
    });
    const [kind, ...others] = keys.map(({ key }) => STEP_KINDS[key]!);
    // The keys of the other kinds are not unknown keys.
    const fields: Fields = Object.assign({}, ...others.map(({ fields }) => fields), kind!.fields);
    return { kind: { ...kind!, fields }, map, isGuess: true };
  }
  const [only] = keys;
  if (only) return { kind: STEP_KINDS[only.key]!, map };
  const misspelt = findMisspeltKind(map);
  if (misspelt) {
    const { index, meant } = misspelt;
    const { key, keySpan, value } = map.entries[index]!;
    diagnostics.error("no-kind", keySpan, `unknown step kind \`${key}\``, {
      label: `did you mean \`${meant}\`?`,
    });
    const entries = map.entries.with(index, { key: meant, keySpan, value });
    return { kind: STEP_KINDS[meant]!, map: { ...map, entries }, isGuess: true };
  }
  const implied = Object.values(STEP_KINDS).find(({ impliedBy }) =>
    impliedBy !== undefined && map.entries.some(({ key }) => key === impliedBy)
  );
  if (implied) return { kind: implied, map };
  diagnostics.error("no-kind", map.entries[0]?.keySpan ?? map, "the step does not say what to do", {
    label: kindOfOtherTools(map.entries.map(({ key }) => key)) ??
      `it needs one of ${Object.keys(STEP_KINDS).join(", ")}`,
  });
  const fields = optionalFields();
  const entries = map.entries.filter(({ key }) =>
    Object.hasOwn(fields, key) || Object.hasOwn(STEP_OPTIONS, key)
  );
  return { kind: { ...UNKNOWN, fields }, map: { ...map, entries }, isGuess: true };
}

/** The kind of a step that does not name any. It is checked and never runs. */
const UNKNOWN: StepKind = {
  name: "",
  title: "a step",
  description: "",
  usage: "",
  fields: {},
  writes: false,
  result: NO_RESULT,
  label: () => "",
  run: () => Promise.resolve({}),
};

function findMisspeltKind({ entries }: MapNode): { index: number; meant: string } | undefined {
  const known = [...Object.keys(STEP_OPTIONS), ...Object.keys(STEP_KINDS)];
  for (const [index, { key }] of entries.entries()) {
    const meant = suggest(key, known);
    if (meant === undefined || Object.hasOwn(STEP_OPTIONS, key)) continue;
    if (Object.hasOwn(STEP_KINDS, meant)) return { index, meant };
  }
  return undefined;
}

/** Returns the optional keys of all kinds. */
function optionalFields(): Fields {
  const all = Object.values(STEP_KINDS).flatMap((kind) => Object.entries(kind.fields as Fields));
  return Object.fromEntries(all.filter(([, { required }]) => !required));
}
