import { createHash } from "node:crypto";
import { toCel } from "../../expression/convert.ts";
import type { Values } from "../../expression/expression.ts";
import type { Ambient } from "../../expression/functions.ts";
import { resolveTemplate, type Template } from "../../expression/template.ts";
import type { HeartbeatPlan } from "../../language/model.ts";
import {
  addresses,
  gatus,
  healthchecks,
  type Heartbeat,
  uptimeKuma,
} from "../../notify/heartbeat.ts";
import { checkHeaders, isHttpAddress } from "../../language/http_fields.ts";
import { isMailAddress } from "../../recipe/read_alert.ts";
import type { ForMessage, Target } from "../../notify/target.ts";
import { webhook } from "../../notify/targets/webhook.ts";
import { UsageError } from "../args.ts";
import type { CommandContext } from "../command.ts";
import type { HealthSettings, TargetPlan } from "./settings.ts";

/** What resolves expressions. */
export interface ResolveOptions {
  /** The names that expressions can use, with their values. */
  scope: Values;
  /** The sources of `now()`, `uuid()` and `random(n)`. */
  ambient: Ambient;
}

/** What resolves the expressions of a schedule's settings, which can use secrets only. */
export function settingsScope(
  settings: HealthSettings | undefined,
  { env, clock, random }: Pick<CommandContext, "env" | "clock" | "random">,
): ResolveOptions {
  const secrets: Values = {};
  for (const { name } of settings?.secrets ?? []) {
    const value = env(name);
    if (value !== undefined) secrets[name] = value;
  }
  return { scope: { secrets }, ambient: { now: () => clock.now(), random } };
}

/** The targets of a schedule by their names. A URL or a mail address is its own name. */
export class Targets {
  #settings: HealthSettings | undefined;
  #options: ResolveOptions;
  #open = new Map<string, Target>();

  /** Creates targets; {@linkcode open} opens them. */
  constructor(settings: HealthSettings | undefined, options: ResolveOptions) {
    this.#settings = settings;
    this.#options = options;
  }

  /** The open targets. */
  get all(): ReadonlyMap<string, Target> {
    return this.#open;
  }

  /**
   * Opens all targets of the settings, so that a bad one is found before it is needed.
   * @throws {UsageError}
   */
  async openAll(): Promise<void> {
    for (const name of this.#settings?.targets.keys() ?? []) await this.open(name);
  }

  /**
   * Whether there is a target of a name that {@linkcode open} returned, maybe to an earlier process.
   * That of a URL does not have its path: it is known if another recipe names it, or if it has none.
   */
  async has(name: string): Promise<boolean> {
    if (this.#open.has(name)) return true;
    const [, origin] = /^(https?:\/\/[^#]+)#[\da-f]{8}$/.exec(name) ?? [];
    for (const url of origin === undefined ? [] : [origin, `${origin}/`]) {
      if (urlName(url) === name) return await this.open(url) === name;
    }
    if (!isMailAddress(name) || !this.#settings?.mail) return false;
    await this.open(name);
    return true;
  }

  /**
   * Opens a receiver, the name of a target, a URL or a mail address, and returns the name it has in the
   * history and in messages. That of a URL hides the path, which is often a secret.
   *
   * @throws {UsageError}
   */
  async open(receiver: string): Promise<string> {
    const isUrl = isHttpAddress(receiver);
    const name = isUrl ? urlName(receiver) : receiver;
    if (this.#open.has(name)) return name;
    const plan = this.#settings?.targets.get(receiver);
    if (plan) this.#open.set(name, await this.#openPlan(receiver, plan, {}));
    else if (isUrl) this.#open.set(name, await webhook.open({ url: receiver }));
    else if (isMailAddress(receiver) && this.#settings?.mail) {
      const { mail } = this.#settings;
      this.#open.set(name, await this.#openPlan("mail", mail, { to: [receiver] }));
    } else if (isMailAddress(receiver)) {
      throw new UsageError(
        `there is no mail server for \`${receiver}\`: add \`mail: {smtp, from}\` to the file that ` +
          "--health names",
      );
    } else {
      throw new UsageError(`there is no target \`${receiver}\` in the file that --health names`);
    }
    return name;
  }

  async #openPlan(
    name: string,
    { kind, values }: TargetPlan,
    more: Record<string, unknown>,
  ): Promise<Target> {
    const settings: Record<string, unknown> = { ...more };
    try {
      for (const [key, value] of Object.entries(values)) {
        settings[key] = kind.perMessage?.includes(key)
          ? this.#perMessage(value as Template)
          : resolveValue(value, this.#options);
      }
      return await kind.open(settings);
    } catch (error) {
      throw new UsageError(`Cannot use target '${name}': ${(error as Error).message}`);
    }
  }

  #perMessage(template: Template): ForMessage {
    const { scope, ambient } = this.#options;
    return (notice) => resolveTemplate(template, { ...scope, notice: toCel(notice) }, ambient);
  }
}

/**
 * Makes a heartbeat.
 * @throws {Error} If an address is none.
 */
export function openHeartbeat(
  { kind, settings }: HeartbeatPlan,
  options: ResolveOptions,
): Heartbeat {
  const values = Object.fromEntries(
    [...settings].map(([key, template]) => [key, resolveValue(template, options)]),
  ) as Record<string, string>;
  for (const key of ["url", "start", "success", "fail"]) {
    const value = values[key];
    if (value === undefined || isHttpAddress(value)) continue;
    throw new Error(`\`${key === "url" ? "heartbeat" : key}\` must be an HTTP address`);
  }
  const { token, headers = {} } = values as { token?: string; headers?: Record<string, string> };
  checkHeaders({ ...(token === undefined ? {} : { token }), ...headers });
  switch (kind) {
    case "healthchecks":
      return healthchecks(values.url!);
    case "uptime_kuma":
      return uptimeKuma(values.url!);
    case "gatus":
      return gatus(values.url!, values.key!, values.token!);
    case "addresses":
      return addresses(values, headers, values.method);
  }
}

/** Resolves the value of a key: a template, a list or a map of them, or a word. */
function resolveValue(value: unknown, options: ResolveOptions): unknown {
  if (Array.isArray(value)) return value.map((one) => resolveValue(one, options));
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, one]) => [key, resolveValue(one, options)]));
  }
  if (typeof value !== "object" || value === null) return value;
  try {
    return resolveTemplate(value as Template, options.scope, options.ambient);
  } catch (error) {
    // It is declared, so that only its value can be absent.
    const [, secret] = /^`secrets\.(\w+)` is absent$/.exec((error as Error).message) ?? [];
    if (secret === undefined) throw error;
    throw new Error(`Cannot find secret ${secret} in the environment`, { cause: error });
  }
}

/** The name of a URL: without its path, but so that addresses with other paths have other names. */
function urlName(url: string): string {
  const hash = createHash("sha256").update(url).digest("hex").slice(0, 8);
  return `${new URL(url).origin}#${hash}`;
}
