import type { Template } from "../expression/template.ts";
import { custom, type Field } from "./field.ts";
import { text } from "./value_fields.ts";

/** An address of HTTP. One that contains `${{ }}` is checked when its value is known. */
export function httpAddress(description: string): Field<Template, false> {
  const value = text(description);
  return custom(description, value.json, (node, context, what) => {
    const template = value.read(node, context, what);
    if (template?.kind !== "literal" || isHttpAddress(String(template.value))) return template;
    return void context.diagnostics.error("wrong-value", node, `${what} must be an HTTP address`, {
      label: "such as `https://example.com/hook`",
    });
  });
}

/** Whether a text is an HTTP address. */
export function isHttpAddress(text: string): boolean {
  return /^https?:/i.test(text) && URL.canParse(text) && new URL(text).hostname !== "";
}
