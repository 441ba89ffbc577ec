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
