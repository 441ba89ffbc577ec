import {
  baseType,
  type CelType,
  describeType,
  keptType,
  type RecordType,
  recordType,
} from "../expression/types.ts";
import type { Expression } from "../expression/expression.ts";
import type { Step } from "../language/model.ts";
import type { MapNode } from "../language/node.ts";
import type { ParseContext } from "../language/parse_context.ts";
import type { StepInfo } from "../language/scope.ts";
import type { Span } from "../language/source.ts";

/** The steps of a recipe that have an id, and the types of their results. */
export class StepTable {
  /** The steps by their ids. */
  readonly infos: Map<string, StepInfo> = new Map();
  /** The record types that belong to single steps. */
  readonly records: Map<CelType, RecordType> = new Map();
  #context: ParseContext;

  /** Creates an empty table; duplicate ids are reported to `context`. */
  constructor(context: ParseContext) {
    this.#context = context;
  }

  /**
   * Adds a step under its id.
   *
   * @param isBroken Whether the step has errors, so that uses of its id report none.
   */
  add(step: Step, node: MapNode, type: CelType | undefined, isBroken: boolean): void {
    const written = node.entries.find(({ key }) => key === "id")?.value;
    if (!written) return;
    const { order } = this.#context.scope;
    const { id, phase, forEach } = step;
    if (id === undefined) {
      if (written.kind !== "scalar" || typeof written.value !== "string") return;
      // The id is not valid. Steps that use it report no further error.
      if (this.infos.has(written.value)) return;
      const about = { id: written.value, span: written, type: "dyn" as const, phase, order };
      this.#set({ ...about, availableFrom: order + 1, broken: true, waits: [] });
    } else if (!this.#reportDuplicate(id, written)) {
      this.#set({
        id,
        span: written,
        type: forEach && type !== undefined ? `list<${type}>` : type,
        phase,
        order,
        availableFrom: order + 1,
        ...(step.if ? { conditional: true } : {}),
        ...(isBroken ? { broken: true } : {}),
        waits: [],
      });
    }
  }

  /** Calls `read`, and makes the steps that it adds available from `position()` on. */
  withAvailability<T>(read: () => T, position: () => number): T {
    const before = new Set(this.infos.keys());
    const result = read();
    for (const [id, info] of this.infos) {
      if (!before.has(id) && info.availableFrom !== Infinity) info.availableFrom = position();
    }
    return result;
  }

  /** Returns the type of a step's result, without the fields of its `outputs`. */
  typeOf(id: string): CelType | undefined {
    const type = this.infos.get(id)?.type;
    return type === undefined ? undefined : baseType(type);
  }

  /** Records that the job or run of a step has one of these states from a position on. */
  addWait(id: string, order: number, states: readonly string[]): void {
    this.infos.get(id)?.waits.push({ order, states });
  }

  /** Defines a type for the result of a step, and returns the type's name. */
  define(kind: string, key: string | number, type: RecordType): CelType {
    const words = kind.split("_").map((word) => word[0]!.toUpperCase() + word.slice(1));
    const name: CelType = `${words.join("")}Result_${key}`;
    this.records.set(name, type);
    return name;
  }

  /** Returns the type of a step's result with the fields of its `outputs` added. */
  extend(
    type: CelType | undefined,
    id: string | undefined,
    outputs: ReadonlyMap<string, Expression>,
  ): CelType {
    if (id === undefined || type === "dyn") return "dyn";
    const base = type === undefined
      ? { title: describeType("StepResult"), fields: {} }
      : recordType(type) ?? this.records.get(type)!;
    const record: RecordType = {
      title: base.title,
      fields: { ...base.fields },
      optional: (base.optional ?? []).filter((field) => !outputs.has(field)),
    };
    for (const [field, expression] of outputs) {
      record.fields[field] = "dyn";
      this.#context.checkFirst(
        expression,
        (type) => void (record.fields[field] = keptType(type)),
      );
    }
    const name = `${type === undefined ? "StepResult" : baseType(type)}_${id}` as CelType;
    this.records.set(name, record);
    return name;
  }

  #set(info: StepInfo): void {
    this.infos.set(info.id, info);
  }

  #reportDuplicate(id: string, span: Span): boolean {
    const first = this.infos.get(id);
    if (!first) return false;
    const { line } = this.#context.source.position(first.span.start);
    this.#context.diagnostics.error("duplicate-id", span, `two steps have the id \`${id}\``, {
      label: `the first one is on line ${line}`,
    });
    return true;
  }
}
