import { required } from "../../language/field.ts";
import { integer, text } from "../../language/value_fields.ts";
import { checkHeaders, httpAddress } from "../../language/http_fields.ts";
import type { TargetKind } from "../target.ts";
import { addressIn, cut, JSON_HEADERS } from "./fields.ts";

const URL_OF_SERVER = "https://ntfy.sh";

/** The longest message, in bytes; a longer one becomes an attachment. */
const MAX_MESSAGE = 4_096;

/** ntfy, by its JSON API. */
export const ntfy: TargetKind = {
  name: "ntfy",
  description: "ntfy, by its JSON API.",
  fields: {
    topic: required(text("The topic.")),
    url: httpAddress(`The address of the server; \`${URL_OF_SERVER}\` by default.`),
    token: text("The access token."),
    priority: integer("How bad it is, from 1 to 5; 4 by default.", { minimum: 1, maximum: 5 }),
  },
  open: (settings) => {
    const url = addressIn(settings, "url", URL_OF_SERVER);
    const { topic, token } = settings;
    const headers: Record<string, string> = { ...JSON_HEADERS };
    if (token !== undefined) {
      checkHeaders({ token });
      headers.authorization = `Bearer ${token}`;
    }
    return {
      request: ({ notice: { kind, check }, text, link }) => {
        const isOver = kind === "resolved";
        const body = {
          topic,
          title: check.name,
          // A character has at most four bytes.
          message: cut(text, MAX_MESSAGE / 4),
          priority: isOver ? 3 : settings.priority ?? 4,
          tags: [isOver ? "white_check_mark" : "rotating_light"],
          ...(link === undefined ? {} : { click: link }),
        };
        return { url, headers, body: JSON.stringify(body) };
      },
    };
  },
};
