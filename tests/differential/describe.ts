import { Template } from "./compare.ts";
import type { Outcome } from "./run_sequence.ts";
import type { Found } from "./search.ts";

/** The longest line that is shown in full. */
const LONGEST = 600;

/** Shows a sequence in which the servers differ: what both sent, and where they differ. */
export function describe(
  { outcomes, difference }: Omit<Found, "path">,
  names: readonly string[],
): string {
  const width = Math.max(...names.map((name) => name.length));
  const lines: string[] = [];
  const templates = [new Template(), new Template()] as const;
  const show = (side: number, what: string) =>
    lines.push(`  ${names[side]!.padEnd(width)} ${cut(what)}`);
  const both = (first: readonly string[], second: readonly string[]) => {
    for (let at = 0; at < Math.max(first.length, second.length); at++) {
      const [a, b] = [first[at] ?? "nothing", second[at] ?? "nothing"];
      if (a === b) lines.push(`  ${"both".padEnd(width)} ${cut(a)}`);
      else [a, b].forEach((text, side) => show(side, text));
    }
  };
  const texts = (side: 0 | 1, { answers, isClosed }: Outcome["exchanges"][number]) => [
    ...answers.map((answer) => `← ${JSON.stringify(templates[side].of(answer))}`),
    ...isClosed ? ["← closed"] : [],
  ];
  for (const [index, exchange] of outcomes[0].exchanges.entries()) {
    const other = outcomes[1].exchanges[index];
    for (const sent of exchange.sent) lines.push(`${exchange.conn} → ${cut(sent)}`);
    both(texts(0, exchange), other ? texts(1, other) : []);
    if (difference.exchange === index) break;
  }
  if (difference.exchange === undefined) {
    for (const [index, { conn, events }] of outcomes[0].received.entries()) {
      lines.push(`${conn}, events by time`);
      const ofSide = (side: 0 | 1) => (event: unknown) =>
        `← ${JSON.stringify(templates[side].of(event))}`;
      both(events.map(ofSide(0)), outcomes[1].received[index]!.events.map(ofSide(1)));
    }
  }
  return [...lines, "", difference.text].join("\n");
}

function cut(text: string): string {
  if (text.length <= LONGEST) return text;
  return `${text.slice(0, LONGEST)}… (${text.length} characters)`;
}
