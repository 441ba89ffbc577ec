/** Names that ids and variables must not take: expressions use them. */
export const RESERVED: ReadonlySet<string> = new Set([
  ...["vars", "env", "secrets", "matrix", "inputs", "item", "it", "event", "result", "error"],
  ...["true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function"],
  ...["if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while"],
  ...["bool", "bytes", "cel", "double", "duration", "dyn", "google", "has", "int", "list", "map"],
  ...["null_type", "optional", "string", "timestamp", "type", "uint", "size", "matches"],
  ...["uuid", "now", "random", "__proto__", "prototype"],
]);

/** Whether expressions can use a name. */
export function isIdentifier(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED.has(name);
}

/** Words that cannot even follow a dot. */
const KEYWORDS: ReadonlySet<string> = new Set(["true", "false", "null", "in"]);

/** Whether a name can be used behind a dot, as in `vars.name`. */
export function isFieldName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !KEYWORDS.has(name) && name !== "__proto__";
}
