import type { TargetKind } from "../target.ts";
import { addressIn, cut, JSON_HEADERS, requiredAddress } from "./fields.ts";

/** The longest text, in characters: a message may have 28 kB in all. */
const MAX_TEXT = 8_000;

/** Microsoft Teams, by the web hook of a workflow, which takes an adaptive card. */
export const teams: TargetKind = {
  name: "teams",
  description: "Microsoft Teams, by the web hook of a workflow.",
  fields: { url: requiredAddress("The address of the web hook.") },
  open: (settings) => {
    const url = addressIn(settings, "url");
    return {
      request: ({ notice: { kind, check, failures }, text, link }) => {
        const color = kind === "resolved" ? "good" : "attention";
        const facts = [
          { title: "File", value: check.file },
          { title: "Server", value: check.server },
          { title: "Failures", value: String(failures) },
        ];
        const content = {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.4",
          body: [
            ...[{ type: "TextBlock", text: cut(text, MAX_TEXT), wrap: true, color }],
            { type: "FactSet", facts },
          ],
          ...(link === undefined
            ? {}
            : { actions: [{ type: "Action.OpenUrl", title: "Details", url: link }] }),
        };
        const card = { contentType: "application/vnd.microsoft.card.adaptive", content };
        const body = JSON.stringify({ type: "message", attachments: [card] });
        return { url, headers: JSON_HEADERS, body };
      },
    };
  },
};
