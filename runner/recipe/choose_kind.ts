import type { StepKind } from "../steps/kind.ts";
import { STEP_KINDS } from "../steps/step_kinds.ts";
import type { Diagnostics } from "../language/diagnostic.ts";
import type { Fields } from "../language/field.ts";
import type { MapNode } from "../language/node.ts";
import { STEP_OPTIONS } from "./step_options.ts";
import { suggest } from "../language/suggest.ts";

/** Keys that choose a step's kind; `expect` alone makes an assert step. */
const KIND_KEYS = Object.keys(STEP_KINDS);

/** What a step is read as. */
export interface ChosenKind {
  /** The kind. */
  kind: StepKind;
  /** The step's map, with the keys of that kind. */
  map: MapNode;
  /** Whether it does not say so itself. */
  wrong?: boolean;
}

/**
 * The kind of a step. One that says nothing, two things or something misspelt is read as what it most
 * likely is: what else is wrong with it is shown at the same time.
 */
export function chooseKind(map: MapNode, diagnostics: Diagnostics): ChosenKind {
  const found = map.entries.filter(({ key }) => KIND_KEYS.includes(key));
  const [kind, ...others] = found.map(({ key }) => STEP_KINDS[key]!);
  if (kind && others.length === 0) return { kind, map };
  if (kind) {
    const names = found.map(({ key }) => `\`${key}\``).join(" and ");
    diagnostics.error("two-kinds", found[1]!.keySpan, `a step does one thing, not ${names}`, {
      label: "make this a step of its own",
    });
    // The keys of the others are no mistakes of their own.
    const fields: Fields = Object.assign({}, ...others.map(({ fields }) => fields), kind.fields);
    return { kind: { ...kind, fields }, map, wrong: true };
  }
  const misspelt = misspeltKind(map);
  if (misspelt) {
    const { index, meant } = misspelt;
    const { key, keySpan, value } = map.entries[index]!;
    diagnostics.error("no-kind", keySpan, `unknown step kind \`${key}\``, {
      label: `did you mean \`${meant}\`?`,
    });
    const entries = map.entries.with(index, { key: meant, keySpan, value });
    return { kind: STEP_KINDS[meant]!, map: { ...map, entries }, wrong: true };
  }
  if (map.entries.some(({ key }) => key === "expect")) return { kind: STEP_KINDS.assert!, map };
  const at = map.entries[0]?.keySpan ?? map;
  diagnostics.error("no-kind", at, "a step that does not say what it does", {
    label: `one of ${KIND_KEYS.join(", ")}`,
  });
  const fields = optionalFields();
  const entries = map.entries.filter(({ key }) =>
    Object.hasOwn(fields, key) || Object.hasOwn(STEP_OPTIONS, key)
  );
  return { kind: { ...STEP_KINDS.log!, fields }, map: { ...map, entries }, wrong: true };
}

function misspeltKind({ entries }: MapNode): { index: number; meant: string } | undefined {
  const known = [...Object.keys(STEP_OPTIONS), ...KIND_KEYS];
  for (const [index, { key }] of entries.entries()) {
    const meant = suggest(key, known);
    if (meant === undefined || Object.hasOwn(STEP_OPTIONS, key)) continue;
    if (KIND_KEYS.includes(meant)) return { index, meant };
  }
  return undefined;
}

/** What steps of any kind can have. */
function optionalFields(): Fields {
  const all = Object.values(STEP_KINDS).flatMap((kind) => Object.entries(kind.fields as Fields));
  return Object.fromEntries(all.filter(([, { required }]) => !required));
}
