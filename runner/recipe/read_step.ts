import type { Expression } from "../expression/expression.ts";
import { type CelType, itemType, typeOfValue } from "../expression/types.ts";
import { type Field, type Fields, readFields } from "../language/field.ts";
import type { Step } from "../language/model.ts";
import type { MapNode } from "../language/node.ts";
import type { ParseContext } from "../language/parse_context.ts";
import type { Scope } from "../language/scope.ts";
import type { StepCheck, StepKind } from "../steps/kind.ts";
import { STEP_OPTIONS } from "./step_options.ts";
import type { StepTable } from "./step_table.ts";

/** A step as it was read. */
export interface ReadStep {
  /** The step. */
  step: Step;
  /** The type of its result, or `undefined` for no result. */
  type: CelType | undefined;
  /** Whether the value of the key that names its kind is invalid. */
  isBroken: boolean;
}

/** Reads the keys of a step, in an order that does not depend on the order they are written in. */
export function readStep(
  map: MapNode,
  kind: StepKind,
  number: string,
  context: ParseContext,
  table: StepTable,
): ReadStep {
  const entry = (key: string) => map.entries.find((one) => one.key === key);
  const read = <T>(key: string, field: Field<T>, scope: Partial<Scope> = {}): T | undefined => {
    const found = entry(key);
    if (!found) return undefined;
    return context.within(scope, () => field.read(found.value, context, `\`${key}\``));
  };

  // `for_each` comes first, because the other keys see its `item`.
  const forEach = read("for_each", STEP_OPTIONS.for_each);
  const locals = { ...context.scope.locals };
  if (forEach) {
    const { items } = forEach;
    const type = items.kind === "literal" ? typeOfValue(items.value) : undefined;
    locals.item = itemType(type) ?? "dyn";
  }

  const later = new Set(["for_each", "outputs"]);
  // Unless the kind has a key `expect` itself, `expect` sees the result of the step.
  const hasOwnExpect = Object.hasOwn(kind.fields, "expect");
  if (!hasOwnExpect) later.add("expect");
  const early = { ...map, entries: map.entries.filter(({ key }) => !later.has(key)) };
  const { id, name, if: condition, within, retry, soft, ...fields } = context.within(
    { locals, number },
    // deno-lint-ignore no-explicit-any
    () => readFields(early, allFields(kind), context, kind.title) as any,
  );

  const isBroken = fields[kind.name] === undefined && (kind.fields[kind.name]?.required ?? true);
  const check = checkOf(map, kind, id, context, table);
  if (!isBroken) kind.check?.(fields, check);
  let type = isBroken ? "dyn" as const : kind.result.typeOf(fields, check);

  const after = () => ({
    locals: { ...locals, result: type ?? "dyn" as const },
    order: context.scope.order + 1,
  });
  const outputs = read<Map<string, Expression>>("outputs", STEP_OPTIONS.outputs, after());
  if (outputs) type = table.extend(type, id, outputs);
  const expect = hasOwnExpect ? undefined : read("expect", STEP_OPTIONS.expect, after());

  const step: Step = {
    kind: kind.name,
    fields,
    number,
    phase: context.scope.phase,
    span: entry(kind.name)?.keySpan ?? map.entries[0]?.keySpan ?? map,
    soft: soft ?? false,
    ...(id === undefined ? {} : { id }),
    ...(name === undefined ? {} : { name }),
    ...(condition === undefined ? {} : { if: condition }),
    ...(within === undefined ? {} : { within }),
    ...(retry === undefined ? {} : { retry }),
    ...(forEach === undefined ? {} : { forEach: forEach.items }),
    ...(forEach?.parallel === undefined ? {} : { forEachParallel: forEach.parallel }),
    ...(expect === undefined ? {} : { expect }),
    ...(outputs === undefined ? {} : { outputs }),
  };
  return { step, type, isBroken };
}

const fieldsOfKind = new WeakMap<StepKind, Fields>();

/** Returns the keys that a step of a kind can have. They are put together once for each kind. */
function allFields(kind: StepKind): Fields {
  let fields = fieldsOfKind.get(kind);
  if (!fields) fieldsOfKind.set(kind, fields = { ...kind.fields, ...STEP_OPTIONS });
  return fields;
}

function checkOf(
  node: MapNode,
  kind: StepKind,
  id: string | undefined,
  context: ParseContext,
  table: StepTable,
): StepCheck {
  const { order } = context.scope;
  return {
    context,
    node,
    id,
    at: (key) => node.entries.find((entry) => entry.key === key)?.value,
    typeOf: (other) => table.typeOf(other),
    waitedFor: (other, states) => table.addWait(other, order + 1, states),
    defineType: (type) => table.define(kind.name, id ?? order, type),
  };
}
