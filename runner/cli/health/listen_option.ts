import { type ParsedArgs, UsageError } from "../args.ts";
import type { CommandContext } from "../command.ts";

/** Where and for whom the page is served. */
export interface ListenOptions {
  /** The address to listen on. */
  hostname: string;
  /** The port to listen on; 0 for any that is free. */
  port: number;
  /** Whether everybody may see the page, without details. */
  isPublic: boolean;
  /** The token that shows everything. */
  token: string | undefined;
  /** The names that the page may be asked for by. */
  hosts: readonly string[] | "any";
  /** Where the page is served behind a proxy. */
  origin: string | undefined;
  /** The address of a check's page. */
  linkTo(check: string): string;
}

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Reads `--listen`, `--public`, `--public-url` and the token of the page.
 * @throws {UsageError}
 */
export function listenOption(
  { values, flags }: ParsedArgs,
  env: CommandContext["env"],
): ListenOptions | undefined {
  // A port alone is one of this machine, like every other address that needs no token.
  const listen = values.listen?.replace(/^(?=\d+$)/, "127.0.0.1:");
  const publicUrl = publicUrlOption({ values });
  const isPublic = flags.has("public");
  if (listen === undefined) {
    if (!isPublic && publicUrl === undefined) return undefined;
    throw new UsageError(`--${isPublic ? "public" : "public-url"} needs --listen`);
  }
  const [, host, portText] = /^(\[[\da-f:]+\]|[^:[\]]*):(\d{1,5})$/i.exec(listen) ?? [];
  const port = Number(portText);
  if (host === undefined || port > 65_535) {
    throw new UsageError(
      `--listen must be an address and a port such as 127.0.0.1:9600, not '${values.listen}'`,
    );
  }
  const token = env("DISPATCH_PAGE_TOKEN") || undefined;
  const isLocal = LOOPBACK.includes(host.toLowerCase());
  if (!isLocal && !isPublic && token === undefined) {
    throw new UsageError(
      `--listen ${listen} can be reached from elsewhere: set DISPATCH_PAGE_TOKEN, or use --public`,
    );
  }
  const named = publicUrl === undefined ? [] : [new URL(publicUrl).hostname];
  const base = (publicUrl ?? `http://${listen}`).replace(/\/$/, "");
  return {
    ...{ hostname: host.replace(/^\[|\]$/g, ""), port, isPublic, token },
    // Whoever reaches a local page by another name was led there by a foreign page. One that others
    // can reach has a token, or no details; probes and scrapers ask for it by its address.
    hosts: isLocal ? [...LOOPBACK, ...named] : "any",
    origin: publicUrl === undefined ? undefined : new URL(publicUrl).origin,
    linkTo: (check) => `${base}/checks/${encodeURIComponent(check)}`,
  };
}

/**
 * Reads `--public-url`.
 * @throws {UsageError}
 */
export function publicUrlOption({ values }: Pick<ParsedArgs, "values">): string | undefined {
  const url = values["public-url"];
  if (url !== undefined && !/^https?:\/\/[^/?#]+\/?$/.test(url)) {
    throw new UsageError(`--public-url must be an address without a path, not '${url}'`);
  }
  return url;
}
