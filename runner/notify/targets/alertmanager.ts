import { mapOf } from "../../language/field.ts";
import { text } from "../../language/value_fields.ts";
import { formatTime } from "../message.ts";
import type { Message, TargetKind } from "../target.ts";
import { addressIn, below, headers, headersIn, JSON_HEADERS, requiredAddress } from "./fields.ts";

/**
 * How long an alert is raised if nothing more is heard of it, in milliseconds. Alertmanager would
 * resolve one without an end after its own `resolve_timeout`.
 */
const LASTS = 7 * 86_400_000;

/** Prometheus Alertmanager, by its API v2. */
export const alertmanager: TargetKind = {
  name: "alertmanager",
  description: "Prometheus Alertmanager, by its API v2.",
  fields: {
    url: requiredAddress("The address of Alertmanager, such as `http://alertmanager:9093`."),
    labels: mapOf(
      text("Labels to add, such as `severity`."),
      (key) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(key),
    ),
    headers,
  },
  open: (settings) => {
    const url = below(addressIn(settings, "url"), "/api/v2/alerts");
    const own = headersIn(settings);
    const added = settings.labels as Record<string, string> | undefined;
    const alertOf = ({ notice: { kind, check, at, since, failure }, text, link }: Message) => ({
      // An alert is the same one as long as its labels are.
      labels: {
        alertname: "DispatchCheckFailed",
        ...{ check: check.id, recipe: check.name, file: check.file, server: check.server },
        ...added,
      },
      annotations: { summary: text, ...(failure === undefined ? {} : { description: failure }) },
      startsAt: formatTime(since),
      endsAt: formatTime(kind === "resolved" ? at : at + LASTS),
      ...(link === undefined ? {} : { generatorURL: link }),
    });
    const tell = (messages: readonly Message[]) => ({
      url,
      headers: { ...JSON_HEADERS, ...own },
      body: JSON.stringify(messages.map(alertOf)),
    });
    return { request: (message) => tell([message]), repeat: tell };
  },
};
