import type { TargetKind } from "../target.ts";
import { addressIn, cut, JSON_HEADERS, requiredAddress } from "./fields.ts";

/** The longest text, in characters; Slack cuts longer ones. */
const MAX_TEXT = 3_000;

/** Slack, by an incoming web hook. */
export const slack: TargetKind = {
  name: "slack",
  description: "Slack, by an incoming web hook.",
  fields: { url: requiredAddress("The address of the web hook.") },
  open: (settings) => {
    const url = addressIn(settings, "url");
    return {
      request: ({ notice: { kind }, text, link }) => {
        const sign = kind === "resolved" ? ":white_check_mark:" : ":rotating_light:";
        const page = link === undefined ? "" : ` <${link}|Details>`;
        const body = { text: `${sign} ${cut(escape(text), MAX_TEXT)}${page}` };
        return { url, headers: JSON_HEADERS, body: JSON.stringify(body) };
      },
    };
  },
};

/** These three characters begin links, mentions and entities. */
function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
