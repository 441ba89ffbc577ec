import { required } from "../../language/field.ts";
import { choice, text } from "../../language/value_fields.ts";
import { httpAddress } from "../../language/http_fields.ts";
import type { TargetKind } from "../target.ts";
import { addressIn, cut, JSON_HEADERS } from "./fields.ts";

const URL_OF_EVENTS = "https://events.pagerduty.com/v2/enqueue";

/** The longest summary, in characters. */
const MAX_SUMMARY = 1024;

/** PagerDuty, by its Events API v2. */
export const pagerduty: TargetKind = {
  name: "pagerduty",
  description: "PagerDuty, by its Events API v2.",
  fields: {
    routing_key: required(text("The integration key of the service.")),
    severity: choice("How bad it is; `critical` by default.", [
      "critical",
      "error",
      "warning",
      "info",
    ]),
    url: httpAddress(`The address of the API; \`${URL_OF_EVENTS}\` by default.`),
  },
  open: (settings) => {
    const url = addressIn(settings, "url", URL_OF_EVENTS);
    return {
      request: ({ notice, text, link }) => {
        const { kind, check, at, failures, failure, incident } = notice;
        const event = { routing_key: settings.routing_key, dedup_key: `dispatch-${incident}` };
        const action = kind === "resolved" ? { event_action: "resolve" } : {
          event_action: "trigger",
          payload: {
            summary: cut(text, MAX_SUMMARY),
            source: check.server,
            severity: settings.severity ?? "critical",
            timestamp: new Date(at).toISOString(),
            component: check.name,
            group: check.file,
            custom_details: { failures, failure, tags: check.tags },
          },
          client: "Dispatch recipes",
          ...(link === undefined ? {} : { client_url: link }),
        };
        return { url, headers: JSON_HEADERS, body: JSON.stringify({ ...event, ...action }) };
      },
    };
  },
};
