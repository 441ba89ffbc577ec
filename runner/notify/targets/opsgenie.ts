import { required } from "../../language/field.ts";
import { choice, text } from "../../language/value_fields.ts";
import { checkHeaders, httpAddress } from "../../language/http_fields.ts";
import type { TargetKind } from "../target.ts";
import { addressIn, below, cut, JSON_HEADERS } from "./fields.ts";

const URL_OF_API = "https://api.opsgenie.com";

/** The most characters of a message and of a description. */
const [MAX_MESSAGE, MAX_DESCRIPTION] = [130, 15_000];

/** Opsgenie, by its Alert API v2. */
export const opsgenie: TargetKind = {
  name: "opsgenie",
  description: "Opsgenie, by its Alert API v2.",
  fields: {
    api_key: required(text("The key of an API integration.")),
    priority: choice("How bad it is; `P3` by default.", ["P1", "P2", "P3", "P4", "P5"]),
    url: httpAddress(`The address of the API; \`${URL_OF_API}\` by default.`),
  },
  open: (settings) => {
    const base = addressIn(settings, "url", URL_OF_API);
    const { api_key } = settings;
    checkHeaders({ api_key });
    const headers = { ...JSON_HEADERS, authorization: `GenieKey ${api_key}` };
    return {
      request: ({ notice: { kind, check, failures, failure, incident }, text, link }) => {
        const alias = `dispatch-${incident}`;
        if (kind === "resolved") {
          const url = new URL(below(base, `/v2/alerts/${encodeURIComponent(alias)}/close`));
          url.searchParams.set("identifierType", "alias");
          return {
            url: url.href,
            headers,
            body: JSON.stringify({ source: "Dispatch", note: text }),
          };
        }
        const body = {
          message: cut(text, MAX_MESSAGE),
          alias,
          description: cut([text, link].filter(Boolean).join("\n"), MAX_DESCRIPTION),
          tags: check.tags,
          details: {
            ...{ recipe: check.name, file: check.file, server: check.server },
            ...{ failures: String(failures), ...(failure === undefined ? {} : { failure }) },
          },
          entity: check.name,
          source: "Dispatch",
          priority: settings.priority ?? "P3",
        };
        return { url: below(base, "/v2/alerts"), headers, body: JSON.stringify(body) };
      },
    };
  },
};
