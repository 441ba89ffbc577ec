import type { Template } from "../expression/template.ts";
import {
  custom,
  type Fields,
  type JsonSchema,
  readFields,
  recordJson,
  required,
} from "../language/field.ts";
import { httpAddress, httpHeaders } from "../language/http_fields.ts";
import type { HeartbeatPlan } from "../language/model.ts";
import type { Node } from "../language/node.ts";
import type { ParseContext } from "../language/parse_context.ts";
import { choice, text } from "../language/value_fields.ts";

const GATUS_FIELDS = {
  url: required(httpAddress("The address of gatus.")),
  key: required(text("The key of the external endpoint: `group_name`.")),
  token: required(text("The token of the external endpoint.")),
};

/** The keys of `heartbeat`: one of the first three, or addresses of any service. */
const HEARTBEAT_FIELDS: Fields = {
  healthchecks: httpAddress("The ping address of a check of healthchecks.io or its equals."),
  uptime_kuma: httpAddress("The address of a push monitor of Uptime Kuma."),
  gatus: custom<Map<string, Template>>(
    "An external endpoint of gatus.",
    () => recordJson(GATUS_FIELDS),
    (node, context, what) => {
      if (node.kind !== "map") return void context.wrongType(node, what, "a map");
      return new Map(Object.entries(readFields(node, GATUS_FIELDS, context, "`gatus`")));
    },
  ),
  start: httpAddress("The address to tell when a run starts."),
  success: httpAddress("The address to tell when a run has passed."),
  fail: httpAddress("The address to tell when a run has not passed."),
  method: choice("The method; `POST` by default.", ["POST", "GET", "PUT"]),
  headers: httpHeaders("Headers to send, by their names."),
};

const SERVICES = ["healthchecks", "uptime_kuma", "gatus"] as const;
const ADDRESSES = ["start", "success", "fail"];

/** The JSON Schema of `heartbeat`. */
export function heartbeatJson(): JsonSchema {
  return { anyOf: [{ type: "string", minLength: 1 }, recordJson(HEARTBEAT_FIELDS)] };
}

/** Reads `heartbeat`: the address of a service like healthchecks.io, or a map. */
export function readHeartbeat(node: Node, context: ParseContext): HeartbeatPlan | undefined {
  if (node.kind === "scalar") {
    const url = HEARTBEAT_FIELDS.healthchecks!.read(node, context, "`heartbeat`");
    return url && { kind: "healthchecks", settings: new Map([["url", url as Template]]) };
  }
  if (node.kind !== "map") {
    return void context.wrongType(node, "`heartbeat`", "an address or a map");
  }
  const read = readFields(node, HEARTBEAT_FIELDS, context, "`heartbeat`");
  const keys = node.entries.map(({ key }) => key).filter((key) => key in HEARTBEAT_FIELDS);
  const services = SERVICES.filter((service) => keys.includes(service));
  const hasAddresses = ADDRESSES.some((key) => keys.includes(key));
  if (services.length + (hasAddresses ? 1 : 0) !== 1 || services.length === 1 && keys.length > 1) {
    return void context.diagnostics.error(
      "missing-key",
      node.entries[0]?.keySpan ?? node,
      "`heartbeat` needs one of `healthchecks`, `uptime_kuma` and `gatus`, or addresses",
      { label: "addresses are `start`, `success` and `fail`" },
    );
  }
  const [service] = services;
  if (service === "gatus") {
    return read.gatus && { kind: service, settings: read.gatus as Map<string, Template> };
  }
  if (service) {
    const url = read[service] as Template | undefined;
    return url && { kind: service, settings: new Map([["url", url]]) };
  }
  const { method, headers, ...addresses } = read as Record<string, Template> & {
    headers?: Map<string, Template>;
  };
  return {
    kind: "addresses",
    settings: new Map([
      ...Object.entries(addresses),
      ...(method === undefined ? [] : [["method", { kind: "literal", value: method }] as const]),
      ...(headers ? [["headers", mapTemplate(headers)] as const] : []),
    ]),
  };
}

/** A template of a map. */
export function mapTemplate(map: ReadonlyMap<string, Template>): Template {
  return { kind: "map", entries: [...map] };
}
