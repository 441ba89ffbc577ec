import type { Step } from "../language/model.ts";
import type { ListNode, MapNode, Node } from "../language/node.ts";
import type { ParseContext } from "../language/parse_context.ts";
import type { Phase } from "../language/scope.ts";
import type { StepKind } from "../steps/kind.ts";
import { chooseKind } from "./choose_kind.ts";
import { readStep } from "./read_step.ts";
import { StepTable } from "./step_table.ts";

/** Reads the steps of one recipe. */
export class StepReader {
  /** The steps read so far that have an id. */
  readonly table: StepTable;
  #context: ParseContext;
  #count = 0;

  /** Reads steps in the context of a recipe. */
  constructor(context: ParseContext) {
    this.table = new StepTable(context);
    this.#context = context;
    context.setStepReader((node, prefix) => this.#readNested(node, prefix));
  }

  /** The position after all steps read so far. */
  get end(): number {
    return this.#count + 1;
  }

  /** Reads `steps` or `always`. */
  read(node: Node, phase: Phase): Step[] {
    if (node.kind !== "list") {
      this.#context.wrongType(node, `\`${phase}\``, "a list of steps");
      return [];
    }
    if (node.items.length === 0) {
      this.#context.diagnostics.error("no-steps", node, `\`${phase}\` has no step`);
      return [];
    }
    return this.#readList(node, phase, "");
  }

  #readList(node: ListNode, phase: Phase, prefix: string): Step[] {
    return node.items.flatMap((item, i) => {
      const step = this.#readOne(item, phase, `${prefix}${i + 1}`);
      return step ? [step] : [];
    });
  }

  /** Reads the steps of a `parallel`. They cannot use each other's results. */
  #readNested(node: ListNode, prefix: string): Step[] {
    return this.table.withAvailability(
      () => this.#readList(node, this.#context.scope.phase, `${prefix}.`),
      () => this.#count + 1,
    );
  }

  #readOne(node: Node, phase: Phase, number: string): Step | undefined {
    if (node.kind !== "map") {
      this.#context.wrongType(node, "a step", "a map");
      return undefined;
    }
    const order = ++this.#count;
    const { kind, map, isGuess = false } = chooseKind(node, this.#context.diagnostics);
    this.#refuseRetry(node, kind);
    return this.#context.within({ order, phase, step: order }, () => {
      const read = () => readStep(map, kind, number, this.#context, this.table);
      const isLoop = node.entries.some(({ key }) => key === "for_each");
      // The results of steps inside a `for_each` step exist only within one item.
      const { step, type, isBroken } = isLoop
        ? this.table.withAvailability(read, () => Infinity)
        : read();
      this.table.add(step, node, type, isGuess || isBroken);
      return step;
    });
  }

  #refuseRetry(node: MapNode, { noRetry }: StepKind): void {
    const retry = node.entries.find(({ key }) => key === "retry");
    if (!retry || !noRetry) return;
    const { message, advice } = noRetry;
    this.#context.diagnostics.error("retry-on-wait", retry.keySpan, message, { label: advice });
  }
}
