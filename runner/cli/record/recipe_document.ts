import { Document, isScalar, type Node, Scalar, visit } from "yaml";
import { UNSAFE_CHARACTERS } from "../../language/render_diagnostic.ts";
import { makeJsonSafe } from "../../report/safe_text.ts";

/** A step of a recorded recipe. */
export interface RecordedStep {
  step: Record<string, unknown>;
  /** Lines to write above it. */
  comments?: string[];
}

/** A recorded recipe. */
export interface RecordedRecipe {
  /** The lines at the head of the file. */
  head: string[];
  /** Its keys before `steps`. */
  settings: Record<string, unknown>;
  steps: RecordedStep[];
}

/** Texts that some YAML readers, a terminal or a CI system would take for something else. */
const ODD = /^(?:<<|y|yes|n|no|on|off|\d+:\d\d(?::\d\d)?)$|^[“”„‘’‚«»‹›]|::|##|[\n\ufffd-\uffff]/iu;

/** Writes a recipe as YAML that can be printed: it has no invisible characters. */
export function recipeDocument({ head, settings, steps }: RecordedRecipe): string {
  const document = new Document({ ...settings, steps: [] }, { version: "1.2" });
  document.commentBefore = head.map((line) => ` ${line}`).join("\n");
  document.set(
    "steps",
    document.createNode(steps.map(({ step }) => step), { aliasDuplicateObjects: false }),
  );
  const list = document.get("steps") as { items: Node[] };
  steps.forEach(({ comments = [] }, i) => {
    const node = list.items[i]!;
    if (i > 0) node.spaceBefore = true;
    if (comments.length > 0) node.commentBefore = comments.map((line) => ` ${line}`).join("\n");
  });
  visit(document, { Scalar: (_key, node) => writePlainly(node) });
  const text = document.toString({
    lineWidth: 0,
    blockQuote: false,
    doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
  });
  return makeJsonSafe(text);
}

function writePlainly(node: Scalar): void {
  if (!isScalar(node)) return;
  const { value } = node;
  if (typeof value === "string" && (ODD.test(value) || value.search(UNSAFE_CHARACTERS) >= 0)) {
    node.type = Scalar.QUOTE_DOUBLE;
  }
  if (typeof value !== "number") return;
  if (value === 0) node.value = 0;
  // Written out, the recipe would be refused: its digits are not those that the server sent.
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) node.format = "EXP";
}
