const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\t": "&#9;",
  "\n": "&#10;",
};

/** Text between tags. `>` is written as well: `]]>` is forbidden there. */
export function xmlText(text: string): string {
  return text.replace(/[&<>]/g, (char) => ENTITIES[char]!);
}

/** Attributes as they stand in a tag; line feeds and tabs would be read as blanks. */
export function xmlAttributes(attributes: Readonly<Record<string, string | number>>): string {
  return Object.entries(attributes).map(([name, value]) =>
    ` ${name}="${String(value).replace(/[&<>"\t\n]/g, (char) => ENTITIES[char]!)}"`
  ).join("");
}
