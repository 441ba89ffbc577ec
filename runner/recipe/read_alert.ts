import { parseDuration } from "../language/duration.ts";
import { custom, type Field, oneOrMore, readFields } from "../language/field.ts";
import type { AlertPlan, CountIn, Receiver } from "../language/model.ts";
import type { Node } from "../language/node.ts";
import type { ParseContext } from "../language/parse_context.ts";
import { duration, fixedText, integer, text } from "../language/value_fields.ts";

const receiverText = text("The receiver: the name of a target, an HTTP URL or a mail address.");

/** A receiver. One that contains `${{ }}` is checked when the schedule starts. */
const receiver = custom<Receiver>(
  receiverText.description,
  receiverText.json,
  (node, context, what) => {
    const name = receiverText.read(node, context, what);
    if (name === undefined) return undefined;
    if (name.kind !== "literal" || isReceiver(String(name.value))) return { name, span: node };
    return void context.diagnostics.error(
      "wrong-value",
      node,
      `\`${name.value}\` is not the name of a target, a URL or a mail address`,
      { label: "such as `ops`, `https://example.com/hook` or `ops@example.com`" },
    );
  },
);

/** Whether a text is the name of a target, an HTTP URL, or looks like a mail address. */
export function isReceiver(text: string): boolean {
  if (/^https?:/i.test(text)) return URL.canParse(text) && new URL(text).hostname !== "";
  return /^[^\s@:/]+@[^\s@:/]+$/.test(text) || isTargetName(text);
}

/** Whether a receiver is a mail address: an HTTP URL may contain an `@`, too. */
export function isMailAddress(receiver: string): boolean {
  return receiver.includes("@") && !/^https?:/i.test(receiver);
}

/** Whether a text can be the name of a target. */
export function isTargetName(text: string): boolean {
  return /^[A-Za-z][\w-]*$/.test(text);
}

/** How often in how long: `5 of 10m`. */
function countIn(description: string): Field<CountIn, false> {
  const json = { type: "string", pattern: "^\\s*\\d+\\s+of\\s+(\\d+(\\.\\d+)?(ms|s|m|h|d))+\\s*$" };
  return custom(description, json, (node, context, what) => {
    const written = fixedText("").read(node, context, what);
    if (written === undefined) return undefined;
    const [, count = "", period = ""] = /^\s*(\d+)\s+of\s+(\S+)\s*$/.exec(written) ?? [];
    const ms = parseDuration(period);
    if (ms !== undefined && ms > 0 && Number(count) >= 2) return { count: Number(count), ms };
    const message = `${what} must be a number of at least 2 and a period, not \`${written}\``;
    return void context.diagnostics.error("wrong-value", node, message, {
      label: "such as `5 of 10m`",
    });
  });
}

/** The keys of `alert`. */
export const ALERT_FIELDS = {
  after: integer("How many failures in a row raise the alert; 1 by default.", { minimum: 1 }),
  within: countIn("How many failures in which period raise the alert, instead of `after`."),
  resolve_after: integer("How many passes in a row resolve the alert; 1 by default.", {
    minimum: 1,
  }),
  remind: duration(
    "How often to send a reminder while the alert is raised, at least 1 s; never by default.",
    1,
  ),
  flapping: countIn(
    "An alert that is raised and resolved so often stays raised until the recipe is stable.",
  ),
  to: oneOrMore(receiver),
};

/** Reads `alert`. */
export function readAlert(node: Node, context: ParseContext): AlertPlan | undefined {
  if (node.kind !== "map") return void context.wrongType(node, "`alert`", "a map");
  const read = readFields(node, ALERT_FIELDS, context, "`alert`");
  const { after, within, resolve_after: resolveAfter, remind, flapping, to } = read;
  if (after !== undefined && within !== undefined) {
    const at = node.entries.find(({ key }) => key === "within")!.keySpan;
    context.diagnostics.error("wrong-value", at, "`alert` has both `after` and `within`");
  }
  return {
    ...(after === undefined ? {} : { after }),
    ...(within === undefined ? {} : { within }),
    ...(resolveAfter === undefined ? {} : { resolveAfter }),
    ...(remind === undefined ? {} : { remind }),
    ...(flapping === undefined ? {} : { flapping }),
    ...(to === undefined ? {} : { to }),
  };
}
