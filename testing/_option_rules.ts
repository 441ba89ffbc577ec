import { SERVER_RULES } from "../dev/server_options.ts";
import { isRecord } from "../protocol/mod.ts";
import {
  aClock,
  aFunction,
  numberFrom,
  oneOf,
  optional,
  type OptionRule,
  type OptionRules,
  someText,
  trueOrFalse,
  wholeNumberFrom,
} from "../runtime/check_options.ts";

const { listen: _, ...serverRules } = SERVER_RULES;

/** The options of `createTestDispatch`. The client checks those in `client`. */
export const TEST_DISPATCH_RULES: OptionRules = {
  ...serverRules,
  token: optional(someText),
  transport: optional(oneOf("socket", "memory")),
  client: optional((value) => isRecord(value) ? undefined : "an object of client options"),
};

const { allowOrigins: _a, clock: _c, hostname: _h, port: _p, store: _s, ...nodeRules } =
  serverRules;

/** The options of `createWorld`. */
export const WORLD_RULES: OptionRules = {
  ...nodeRules,
  seed: numberFrom(-Number.MAX_VALUE),
  nodes: optional(wholeNumberFrom(1)),
  latency: optional(latencyRange),
  networkFaults: optional(aFunction),
  observer: optional(aFunction),
  start: optional(aTime),
};

/** The options of `createFaultProxy`. */
export const PROXY_RULES: OptionRules = {
  target: proxyTarget,
  onConnection: optional(aFunction),
  clock: optional(aClock),
};

/** The address of a server that a proxy can forward to. */
export function proxyTarget(value: unknown): string | undefined {
  const url = value instanceof URL || typeof value === "string" ? `${value}` : "";
  const isValid = URL.canParse(url) && /^(?:ws|http):$/.test(new URL(url).protocol);
  return isValid ? undefined : "a ws: or http: address";
}

/** A direction through a proxy. */
export const aDirection: OptionRule = oneOf("toServer", "toClient");

/** How to cut a connection. */
export const cutKind: OptionRule = oneOf("fin", "reset");

/** When to cut a connection. */
export const CUT_LIMIT_RULES: OptionRules = {
  bytes: optional(wholeNumberFrom(0)),
  frames: optional(wholeNumberFrom(0)),
  direction: optional(aDirection),
  how: optional(cutKind),
};

/** A delay in milliseconds. */
export const delayMs: OptionRule = numberFrom(0);

/** The options of `createScriptedServer`. */
export const SCRIPTED_SERVER_RULES: OptionRules = { manual: optional(trueOrFalse) };

/** The shortest and the longest time that a frame takes. */
function latencyRange(value: unknown): string | undefined {
  const isRange = Array.isArray(value) && value.length === 2 &&
    value.every((ms) => wholeNumberFrom(0)(ms) === undefined) && value[0] <= value[1];
  return isRange ? undefined : "two whole numbers of milliseconds, the smaller one first";
}

function aTime(value: unknown): string | undefined {
  const isTime = typeof value === "string" && !Number.isNaN(Date.parse(value));
  return isTime ? undefined : 'a time, such as "2026-01-01T00:00:00Z"';
}
