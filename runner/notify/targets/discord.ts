import type { TargetKind } from "../target.ts";
import { addressIn, cut, JSON_HEADERS, requiredAddress } from "./fields.ts";

/** The longest content, in characters; Discord refuses longer ones. */
const MAX_CONTENT = 2_000;

/** Discord, by a web hook. */
export const discord: TargetKind = {
  name: "discord",
  description: "Discord, by a web hook.",
  fields: { url: requiredAddress("The address of the web hook.") },
  open: (settings) => {
    const url = addressIn(settings, "url");
    return {
      request: ({ notice: { kind }, text, link }) => {
        const sign = kind === "resolved" ? "✅" : "🚨";
        const shown = [`${sign} ${escape(text)}`, link].filter(Boolean).join("\n");
        const content = cut(shown, MAX_CONTENT);
        // A failure that contains @everyone must wake nobody.
        const body = { content, allowed_mentions: { parse: [] } };
        return { url, headers: JSON_HEADERS, body: JSON.stringify(body) };
      },
    };
  },
};

/** Characters that Markdown would take as formatting. */
function escape(text: string): string {
  return text.replace(/[\\*_~`|<>#[\]]/g, "\\$&");
}
