import { Composer, type Document, Lexer, Parser } from "yaml";
import { NodeBuilder, NOT_A_TAG } from "./_yaml_nodes.ts";
import type { DiagnosticDetails, Diagnostics } from "./diagnostic.ts";
import type { Node } from "./node.ts";

/** The most tokens a recipe may have. A key with a value is about eight. */
const MAX_TOKENS = 120_000;

/**
 * Parses YAML with the `yaml` package and turns its document into nodes.
 * @param scale How many times as large as a recipe the file may be.
 */
export function parseYaml(diagnostics: Diagnostics, scale: number): Node | undefined {
  const { text } = diagnostics.source;
  const documents = parseDocuments(text, MAX_TOKENS * scale);
  if (documents === undefined) {
    diagnostics.error("too-large", { start: 0, end: 0 }, "the file has too many values");
    return undefined;
  }
  const [document, second] = documents;
  if (document === undefined) return undefined;
  if (second !== undefined) {
    const start = second.range[0];
    diagnostics.error("yaml", { start, end: start + 1 }, "a file must contain a single recipe", {
      label: "a second YAML document starts here",
    });
  }
  if (/^%[A-Z]/m.test(text) && document.directives?.docStart) {
    const start = text.search(/^%[A-Z]/m);
    diagnostics.error("yaml-tag", { start, end: start + 1 }, "YAML directives are not allowed");
  }
  // The errors after the first one are mostly its consequences.
  const [error] = document.errors;
  // The depth at which the parser runs out of stack differs between runtimes. The limit for nodes is
  // lower, so this error is reported below only if that limit was not reached.
  if (error !== undefined && error.code !== "RESOURCE_EXHAUSTION") {
    const span = { start: error.pos[0], end: error.pos[1] };
    const code = error.code === "TAG_RESOLVE_FAILED" ? "yaml-tag" : "yaml";
    diagnostics.error(code, span, messageOf(error), hintFor(error.code, text, error.pos[0]));
    return undefined;
  }
  const root = new NodeBuilder(diagnostics, scale).build(document.contents);
  if (error === undefined || diagnostics.failed) return root;
  diagnostics.error("too-large", { start: error.pos[0], end: error.pos[1] }, "nested too deep");
  return undefined;
}

/** The documents of a text; `undefined` if it has so many tokens that reading it takes too long. */
function parseDocuments(text: string, maximum: number): Document.Parsed[] | undefined {
  const parser = new Parser();
  const composer = new Composer({
    uniqueKeys: false,
    prettyErrors: false,
    version: "1.2",
    logLevel: "silent",
  });
  const documents: Document.Parsed[] = [];
  const compose = (tokens: ReturnType<Parser["next"]>) => {
    for (const token of tokens) documents.push(...composer.next(token));
  };
  let tokens = 0;
  for (const token of new Lexer().lex(text)) {
    if (++tokens > maximum) return undefined;
    compose(parser.next(token));
  }
  compose(parser.end());
  documents.push(...composer.end());
  return documents;
}

/** The parser's message, or a plainer one where it talks about tokens. */
function messageOf({ code, message }: { code: string; message: string }): string {
  if (code === "UNEXPECTED_TOKEN" || code === "BAD_INDENT") {
    return /flow (sequence|map)/i.test(message)
      ? "this list or map in brackets is not closed or not indented enough"
      : "unexpected text: check the indentation and the quotes above";
  }
  if (code === "TAG_RESOLVE_FAILED") return "YAML tags are not allowed";
  if (code === "BLOCK_AS_IMPLICIT_KEY") return "unexpected `:` in a value without quotes";
  return message.charAt(0).toLowerCase() + message.slice(1);
}

/** Help with the most common mistakes. */
function hintFor(code: string, text: string, at: number): DiagnosticDetails {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, text.indexOf("\n", at) >>> 0);
  if (code === "TAG_RESOLVE_FAILED") return { label: NOT_A_TAG };
  if (line.includes("${{")) {
    return {
      notes: ["quote a value with `${{ }}` if it contains `: ` or ` #`, or is inside { }"],
    };
  }
  if (code === "TAB_AS_INDENT") return { label: "use spaces" };
  const next = text.slice(text.indexOf("\n", at) + 1).split("\n", 1)[0]!;
  // The next line has a key that is indented further than the key on this line.
  const indent = (one: string) =>
    one.replace(/^(\s*-\s+)/, (dash) => " ".repeat(dash.length)).search(/\S/);
  if (
    code === "BLOCK_AS_IMPLICIT_KEY" && /^\s*[\w-]+:(\s|$)/.test(next) &&
    indent(next) > indent(line)
  ) {
    return {
      label: `is \`${/[\w-]+/.exec(next)![0]}\` on the next line indented too far?`,
    };
  }
  if (code === "BLOCK_AS_IMPLICIT_KEY") return { label: "a value that contains `: ` needs quotes" };
  return {};
}
