// Reads the JUnit reports of Deno, Bun and Node. They use the same elements, but different attributes.

/**
 * @typedef {{name: string, file: string, outcome: "passed" | "failed" | "skipped", text: string}} Case
 */

/**
 * Reads the tests of a report.
 * @param {string} xml
 * @returns {Case[]}
 */
// deno-lint-ignore explicit-module-boundary-types -- JavaScript, its types are above.
export function readJunit(xml) {
  /** @type {Case[]} */
  const cases = [];
  /** @type {Case | undefined} */
  let current;
  let inFailure = false;
  let complete = false;
  for (const token of tokens(xml)) {
    if (token.kind === "text") {
      if (current && inFailure) current.text += token.text;
    } else if (token.kind === "end") {
      if (token.name === "testcase") current = undefined;
      if (token.name === "testsuites") complete = true;
      inFailure = false;
    } else if (token.name === "testcase") {
      const { name = "", file, classname = "" } = token.attributes;
      current = { name, file: file ?? classname, outcome: "passed", text: "" };
      cases.push(current);
      if (token.isEmpty) current = undefined;
    } else if (current && token.name === "skipped") {
      current.outcome = "skipped";
    } else if (current && (token.name === "failure" || token.name === "error")) {
      current.outcome = "failed";
      current.text += token.attributes.message ?? "";
      current.text += "\n";
      inFailure = !token.isEmpty;
    }
  }
  if (!complete) throw new SyntaxError("the report is incomplete");
  return withoutParents(cases);
}

/**
 * Removes tests that have steps. Deno reports them as well as their steps; Bun and Node do not. A
 * test that failed for a reason other than its steps stays.
 * @param {Case[]} cases
 */
function withoutParents(cases) {
  const parents = new Set();
  for (const { name } of cases) {
    const parts = name.split(" > ");
    for (let i = 1; i < parts.length; i++) parents.add(parts.slice(0, i).join(" > "));
  }
  return cases.filter(({ name, outcome, text }) =>
    !parents.has(name) || outcome === "failed" && !/^\d+ test steps? failed/.test(text)
  );
}

/**
 * Splits an XML document into tags and texts.
 * @param {string} xml
 * @returns {Generator<
 *   | {kind: "start", name: string, attributes: Record<string, string>, isEmpty: boolean}
 *   | {kind: "end", name: string}
 *   | {kind: "text", text: string}
 * >}
 */
function* tokens(xml) {
  let at = 0;
  while (at < xml.length) {
    if (xml[at] !== "<") {
      const end = indexOr(xml, "<", at);
      yield { kind: "text", text: unescape(xml.slice(at, end)) };
      at = end;
    } else if (xml.startsWith("<!--", at)) at = indexOr(xml, "-->", at) + 3;
    else if (xml.startsWith("<![CDATA[", at)) {
      const end = indexOr(xml, "]]>", at);
      yield { kind: "text", text: xml.slice(at + 9, end) };
      at = end + 3;
    } else if (xml.startsWith("<?", at)) at = indexOr(xml, "?>", at) + 2;
    else {
      const end = tagEnd(xml, at);
      const tag = xml.slice(at + 1, end);
      at = end + 1;
      if (tag.startsWith("/")) yield { kind: "end", name: tag.slice(1).trim() };
      else {
        const name = /^[^\s/]*/.exec(tag)?.[0] ?? "";
        const isEmpty = tag.endsWith("/");
        yield { kind: "start", name, attributes: attributesOf(tag), isEmpty };
      }
    }
  }
}

/** The index of the end of a tag. Node does not escape `>` in attributes. */
function tagEnd(xml, start) {
  let quote = "";
  for (let i = start; i < xml.length; i++) {
    const char = xml[i];
    if (quote !== "") {
      if (char === quote) quote = "";
    } else if (char === '"' || char === "'") quote = char;
    else if (char === ">") return i;
  }
  throw new SyntaxError("the report ends inside a tag");
}

function attributesOf(tag) {
  /** @type {Record<string, string>} */
  const attributes = {};
  for (const [, name, quoted] of tag.matchAll(/([\w:.-]+)\s*=\s*("[^"]*"|'[^']*')/g)) {
    attributes[name] = unescape(quoted.slice(1, -1));
  }
  return attributes;
}

function unescape(text) {
  return text.replace(/&(#x?[0-9a-f]+|\w+);/gi, (all, name) => {
    if (name.startsWith("#x")) return String.fromCodePoint(parseInt(name.slice(2), 16));
    if (name.startsWith("#")) return String.fromCodePoint(Number(name.slice(1)));
    return { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" }[name] ?? all;
  });
}

function indexOr(text, part, from) {
  const index = text.indexOf(part, from);
  return index === -1 ? text.length : index;
}
