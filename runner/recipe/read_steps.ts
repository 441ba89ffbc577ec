import type { CelType, RecordType } from "../expression/types.ts";
import { recordType, typeOfValue } from "../expression/types.ts";
import { STEP_KINDS } from "../steps/step_kinds.ts";
import type { StepKind } from "../steps/kind.ts";
import { type Fields, readFields } from "./field.ts";
import type { Step } from "./model.ts";
import type { ListNode, MapNode, Node } from "./node.ts";
import type { Reading } from "./reading.ts";
import type { Phase, StepInfo } from "./scope.ts";
import { STEP_OPTIONS } from "./step_options.ts";
import { suggest } from "./suggest.ts";

/** Keys that choose a step's kind; `expect` alone makes an assert step. */
const KIND_KEYS = Object.keys(STEP_KINDS);

/** The keys of a step of each kind, made once. */
const fieldsOfKind = new Map<StepKind, Fields>();

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
  #reading: Reading;
  #count = 0;

  /** Reads with a reading that collects what is wrong. */
  constructor(reading: Reading) {
    this.#reading = reading;
    reading.readSteps = (node, prefix) => this.#nested(node, prefix);
  }

  /** The number that expressions behind all steps read so far have. */
  get end(): number {
    return this.#count + 1;
  }

  /** Reads `steps` or `always`. */
  read(node: Node, phase: Phase): Step[] {
    const { diagnostics } = this.#reading;
    if (node.kind !== "list") {
      this.#reading.wrongType(node, `\`${phase}\``, "a list of steps");
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
    const steps = this.#list(node, this.#reading.scope.phase, `${prefix}.`);
    for (const [id, info] of this.infos) {
      if (!before.has(id)) info.availableFrom = this.#count + 1;
    }
    return steps;
  }

  #step(node: Node, phase: Phase, number: string): Step | undefined {
    const { diagnostics } = this.#reading;
    if (node.kind !== "map") {
      this.#reading.wrongType(node, "a step", "a map");
      return undefined;
    }
    const kind = this.#kind(node);
    if (!kind) return undefined;
    const order = ++this.#count;
    const outer = this.#reading.scope;
    const scope = { ...outer, order, phase, step: order };
    return this.#reading.within(scope, () => {
      const step = this.#fields(node, kind, phase, number, order);
      const { id } = step;
      const check = {
        reading: this.#reading,
        node,
        at: (key: string) => node.entries.find((entry) => entry.key === key)?.value,
        id,
        typeOf: (name: string) => this.infos.get(name)?.type,
        waitedFor: (name: string, states: readonly string[]) =>
          void this.infos.get(name)?.waits.push({ order: order + 1, states }),
        record: (name: CelType, type: RecordType) => void this.records.set(name, type),
      };
      // What could not be read is missing here, so a check that trips over it has nothing to add.
      const retry = node.entries.find((entry) => entry.key === "retry");
      if (retry && kind.retriable === false) {
        diagnostics.error("retry-on-wait", retry.keySpan, "a wait is not retried, it waits", {
          label: "`within` gives it more time",
        });
      }
      if (step.fields[kind.name] !== undefined || kind.name === "assert") {
        kind.check?.(step.fields, check);
      }
      if (id !== undefined) {
        const span = check.at("id")!;
        const first = this.infos.get(id);
        if (first) {
          const { line } = this.#reading.source.position(first.span.start);
          diagnostics.error("duplicate-id", span, `two steps have the id \`${id}\``, {
            label: `the first is on line ${line}`,
          });
        } else {
          const info: StepInfo = {
            id,
            span,
            kind: kind.name,
            type: undefined,
            phase,
            availableFrom: order + 1,
            waits: [],
          };
          const own = step.fields[kind.name] === undefined
            ? "dyn"
            : kind.type?.(step.fields, check);
          info.type = this.#typeWith(step, own);
          this.infos.set(id, info);
        }
      }
      return step;
    });
  }

  #fields(node: MapNode, kind: StepKind, phase: Phase, number: string, order: number): Step {
    const reading = this.#reading;
    const fields = allFields(kind);
    // Read in an order that does not depend on the text: what `for_each` brings is seen by the rest.
    const entry = (key: string) => node.entries.find((e) => e.key === key);
    const forEach = entry("for_each");
    const item = forEach && STEP_OPTIONS.for_each.read(forEach.value, reading, "`for_each`");
    const locals = { ...reading.scope.locals };
    if (item) locals.item = item.kind === "literal" ? itemType(item.value) : "dyn";
    const later = new Set(["for_each", "expect", "outputs"]);
    const now: MapNode = { ...node, entries: node.entries.filter(({ key }) => !later.has(key)) };
    // deno-lint-ignore no-explicit-any
    const read: any = reading.within({ locals }, () => {
      reading.number = number;
      return readFields(now, fields, reading, kind.title);
    });
    const after = { locals: { ...locals, result: "dyn" }, order: order + 1 };
    reading.within(after, () => {
      for (const key of ["outputs", "expect"] as const) {
        const found = entry(key);
        if (found) read[key] = STEP_OPTIONS[key].read(found.value, reading, `\`${key}\``);
      }
    });
    const { id, name, if: condition, within, retry, expect, outputs, soft, ...rest } = read;
    // An assert step's `expect` is its own, not a second one behind it.
    const kindFields = kind.name === "assert" && expect ? { ...rest, expect } : rest;
    return {
      kind,
      fields: kindFields,
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
      ...(expect === undefined || kind.name === "assert" ? {} : { expect }),
      ...(outputs === undefined ? {} : { outputs }),
    };
  }

  #kind(node: MapNode): StepKind | undefined {
    const { diagnostics } = this.#reading;
    const found = node.entries.filter(({ key }) => KIND_KEYS.includes(key));
    if (found.length === 1) return STEP_KINDS[found[0]!.key];
    if (found.length > 1) {
      const names = found.map(({ key }) => `\`${key}\``);
      diagnostics.error(
        "two-kinds",
        found[1]!.keySpan,
        `a step does one thing, not ${names.join(" and ")}`,
        {
          label: "make this a step of its own",
        },
      );
      return undefined;
    }
    if (node.entries.some(({ key }) => key === "expect")) return STEP_KINDS.assert;
    for (const { key, keySpan } of node.entries) {
      if (Object.hasOwn(STEP_OPTIONS, key)) continue;
      const meant = suggest(key, KIND_KEYS);
      if (meant === undefined) continue;
      diagnostics.error("no-kind", keySpan, `unknown step kind \`${key}\``, {
        label: `did you mean \`${meant}\`?`,
      });
      return undefined;
    }
    const at = node.entries[0]?.keySpan ?? node;
    diagnostics.error("no-kind", at, "a step that does not say what it does", {
      label: `one of ${KIND_KEYS.join(", ")}`,
    });
    return undefined;
  }

  /** The type under a step's id, with its `outputs` and for all items of its `for_each`. */
  #typeWith(step: Step, own: CelType | undefined): CelType | undefined {
    let type = own;
    if (step.outputs && step.id !== undefined) {
      const base = type === undefined ? undefined : recordType(type) ?? this.records.get(type);
      const added = Object.fromEntries([...step.outputs.keys()].map((name) => [name, "dyn"]));
      const name = `Step_${step.id}`;
      this.records.set(name, {
        title: base?.title ?? "a step's result",
        fields: { ...base?.fields, ...added },
      });
      type = name;
    }
    return step.forEach && type !== undefined ? `list<${type}>` : type;
  }
}

function itemType(list: unknown): CelType {
  const type = typeOfValue(list);
  return type.startsWith("list<") ? type.slice(5, -1) : "dyn";
}
