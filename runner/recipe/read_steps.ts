import type { Expression } from "../expression/expression.ts";
import type { CelType, RecordType } from "../expression/types.ts";
import {
  baseType,
  describeType,
  itemType,
  keptType,
  recordType,
  typeOfValue,
} from "../expression/types.ts";
import type { StepCheck, StepKind } from "../steps/kind.ts";
import { chooseKind } from "./choose_kind.ts";
import { type Fields, readFields } from "../language/field.ts";
import type { Step } from "../language/model.ts";
import type { ListNode, MapNode, Node } from "../language/node.ts";
import type { ParseContext } from "../language/parse_context.ts";
import type { Phase, StepInfo } from "../language/scope.ts";
import type { Span } from "../language/source.ts";
import { STEP_OPTIONS } from "./step_options.ts";

/** The keys of a step of each kind, made once. */
const fieldsOfKind = new WeakMap<StepKind, Fields>();

function allFields(kind: StepKind): Fields {
  let fields = fieldsOfKind.get(kind);
  if (!fields) fieldsOfKind.set(kind, fields = { ...kind.fields, ...STEP_OPTIONS });
  return fields;
}

/** Reads the steps of one recipe and keeps what is known of those that others can name. */
export class StepReader {
  /** The steps with an id. */
  readonly infos: Map<string, StepInfo> = new Map();
  /** Types made for single steps. */
  readonly records: Map<CelType, RecordType> = new Map();
  #context: ParseContext;
  #count = 0;

  /** Reads with a reading that collects what is wrong. */
  constructor(context: ParseContext) {
    this.#context = context;
    context.setStepReader((node, prefix) => this.#nested(node, prefix));
  }

  /** The number that expressions behind all steps read so far have. */
  get end(): number {
    return this.#count + 1;
  }

  /** Reads `steps` or `always`. */
  read(node: Node, phase: Phase): Step[] {
    const { diagnostics } = this.#context;
    if (node.kind !== "list") {
      this.#context.wrongType(node, `\`${phase}\``, "a list of steps");
      return [];
    }
    if (node.items.length === 0) {
      diagnostics.error("no-steps", node, `\`${phase}\` has no step`);
      return [];
    }
    return this.#list(node, phase, "");
  }

  #list(node: ListNode, phase: Phase, prefix: string): Step[] {
    return node.items.flatMap((item, i) => {
      const step = this.#step(item, phase, `${prefix}${i + 1}`);
      return step ? [step] : [];
    });
  }

  /** The steps of a `parallel`: none of them sees another. */
  #nested(node: ListNode, prefix: string): Step[] {
    const before = new Set(this.infos.keys());
    const steps = this.#list(node, this.#context.scope.phase, `${prefix}.`);
    for (const [id, info] of this.infos) {
      if (!before.has(id) && info.availableFrom !== Infinity) info.availableFrom = this.#count + 1;
    }
    return steps;
  }

  #step(node: Node, phase: Phase, number: string): Step | undefined {
    const { diagnostics } = this.#context;
    if (node.kind !== "map") {
      this.#context.wrongType(node, "a step", "a map");
      return undefined;
    }
    const order = ++this.#count;
    const { kind, map, wrong } = chooseKind(node, diagnostics);
    const outer = this.#context.scope;
    const scope = { ...outer, order, phase, step: order };
    return this.#context.within(scope, () => {
      const before = new Set(this.infos.keys());
      const retry = node.entries.find((entry) => entry.key === "retry");
      if (retry && kind.retriable === false) {
        diagnostics.error("retry-on-wait", retry.keySpan, "a wait is not retried, it waits", {
          label: "`within` gives it more time",
        });
      }
      const { step, type, broken } = this.#fields(map, kind, phase, number, order);
      if (step.forEach) {
        // What stands inside is made anew for each item, and gone with it.
        for (const [id, info] of this.infos) if (!before.has(id)) info.availableFrom = Infinity;
      }
      const written = node.entries.find((entry) => entry.key === "id")?.value;
      if (step.id === undefined) {
        if (written) this.#breaks(node, phase, order);
      } else if (!this.#isTaken(step.id, written!)) {
        this.infos.set(step.id, {
          id: step.id,
          span: written!,
          type: step.forEach && type !== undefined ? `list<${type}>` : type,
          phase,
          order,
          availableFrom: order + 1,
          ...(step.if ? { conditional: true } : {}),
          ...(wrong || broken ? { broken: true } : {}),
          waits: [],
        });
      }
      return step;
    });
  }

  #isTaken(id: string, span: Span): boolean {
    const first = this.infos.get(id);
    if (!first) return false;
    const { line } = this.#context.source.position(first.span.start);
    this.#context.diagnostics.error("duplicate-id", span, `two steps have the id \`${id}\``, {
      label: `the first is on line ${line}`,
    });
    return true;
  }

  /** Remembers the id of a step that could not be read: those that use it are not at fault. */
  #breaks(node: MapNode, phase: Phase, order: number): void {
    const span = node.entries.find(({ key }) => key === "id")?.value;
    if (span?.kind !== "scalar" || typeof span.value !== "string") return;
    const id = span.value;
    if (this.infos.has(id)) return;
    const about = { id, span, type: "dyn" as const, phase, order, availableFrom: order + 1 };
    this.infos.set(id, { ...about, broken: true, waits: [] });
  }

  #fields(node: MapNode, kind: StepKind, phase: Phase, number: string, order: number) {
    const context = this.#context;
    const fields = allFields(kind);
    // Read in an order that does not depend on the text: what `for_each` brings is seen by the rest.
    const entry = (key: string) => node.entries.find((e) => e.key === key);
    const forEach = entry("for_each");
    const item = forEach && STEP_OPTIONS.for_each.read(forEach.value, context, "`for_each`");
    const locals = { ...context.scope.locals };
    if (item) {
      locals.item = item.kind === "literal" ? itemType(typeOfValue(item.value)) ?? "dyn" : "dyn";
    }
    const later = new Set(["for_each", "outputs", ...(kind.name === "assert" ? [] : ["expect"])]);
    const now: MapNode = { ...node, entries: node.entries.filter(({ key }) => !later.has(key)) };
    // deno-lint-ignore no-explicit-any
    const read: any = context.within(
      { locals, number },
      () => readFields(now, fields, context, kind.title),
    );
    const { id, name, if: condition, within, retry, soft, ...rest } = read;
    // What could not be read is missing here, so a check that trips over it has nothing to add.
    const broken = rest[kind.name] === undefined && kind.name !== "assert";
    const check = this.#check(node, id, order);
    if (!broken) kind.check?.(rest, check);
    let type = broken ? "dyn" : kind.type?.(rest, check);
    const after = { locals: { ...locals, result: type ?? "dyn" }, order: order + 1 };
    const outputs = entry("outputs");
    const added = outputs &&
      context.within(after, () => STEP_OPTIONS.outputs.read(outputs.value, context, "`outputs`"));
    if (added) type = this.#withOutputs(type, id, added);
    after.locals = { ...locals, result: type ?? "dyn" };
    const expected = later.has("expect") ? entry("expect") : undefined;
    const expect = expected &&
      context.within(after, () => STEP_OPTIONS.expect.read(expected.value, context, "`expect`"));
    const step: Step = {
      kind: kind.name,
      fields: rest,
      number,
      phase,
      span: entry(kind.name)?.keySpan ?? node.entries[0]?.keySpan ?? node,
      soft: soft ?? false,
      ...(id === undefined ? {} : { id }),
      ...(name === undefined ? {} : { name }),
      ...(condition === undefined ? {} : { if: condition }),
      ...(within === undefined ? {} : { within }),
      ...(retry === undefined ? {} : { retry }),
      ...(item === undefined ? {} : { forEach: item }),
      ...(expect === undefined ? {} : { expect }),
      ...(added === undefined ? {} : { outputs: added }),
    };
    return { step, type, broken };
  }

  /** What a step's own checks have at hand. */
  #check(node: MapNode, id: string | undefined, order: number): StepCheck {
    return {
      context: this.#context,
      node,
      id,
      at: (key) => node.entries.find((entry) => entry.key === key)?.value,
      typeOf: (name) => {
        const type = this.infos.get(name)?.type;
        return type === undefined ? undefined : baseType(type);
      },
      waitedFor: (name, states) =>
        void this.infos.get(name)?.waits.push({ order: order + 1, states }),
      record: (name, type) => void this.records.set(name, type),
    };
  }

  /** The type of what a step leaves, with its `outputs`. */
  #withOutputs(
    type: CelType | undefined,
    id: string | undefined,
    outputs: Map<string, Expression>,
  ): CelType {
    if (id === undefined || type === "dyn") return "dyn";
    const { title, fields, optional = [] }: RecordType =
      (type === undefined ? undefined : recordType(type) ?? this.records.get(type)) ??
        { title: describeType("StepResult"), fields: {} };
    const base = type === undefined ? "StepResult" : baseType(type);
    const name = `${base}_${id}` as CelType;
    const record: RecordType = {
      title,
      fields: { ...fields },
      optional: optional.filter((field) => !outputs.has(field)),
    };
    for (const [field, expression] of outputs) {
      record.fields[field] = "dyn";
      this.#context.checkFirst(
        expression,
        (type) => void (record.fields[field] = keptType(type)),
      );
    }
    this.records.set(name, record);
    return name;
  }
}
