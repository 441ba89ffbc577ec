import type { Agent } from "node:http";
import type { ExportResult } from "@opentelemetry/core";
import type { Clock } from "../../../runtime/clock.ts";
import { Mask } from "../../engine/mask.ts";
import type { Target } from "./settings.ts";

/** How long the end of a run waits for a collector at most, in milliseconds. */
export const EXPORT_LIMIT = 5000;

/** A collector did not take what was exported. */
export class ExportError extends Error {
  /** Always `"export_failed"`. */
  readonly code = "export_failed";

  /** Says what did not arrive where, and why. */
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = "ExportError";
  }
}

/** What is used of an exporter. */
interface Exporter<T> {
  export(items: T, done: (result: ExportResult) => void): void;
}

/** The settings of an exporter, as its package names them. */
export interface ExporterConfig {
  /** The address. */
  url: string;
  /** The headers. */
  headers: Record<string, string>;
  /** A limit for an export with all its retries, in milliseconds. */
  timeoutMillis: number;
  /** `gzip` or `none`; the package has an enum for it. */
  // deno-lint-ignore no-explicit-any
  compression: any;
  /** Makes what holds the connections. */
  httpAgentOptions: (protocol: string) => Promise<Agent>;
}

/**
 * Hands what was collected to an exporter, one export after the other. After the first one that
 * fails there are no more: a run is not held up by a collector that is not there.
 */
export class Exporting<T> {
  #exporter: Exporter<T>;
  #target: Target;
  #what: string;
  #agent: Agent | undefined;
  #work: Promise<void> = Promise.resolve();
  #error: unknown;
  #gaveUp = false;

  /**
   * @param what What is exported, for errors: `traces`.
   * @param make Makes the exporter.
   */
  constructor(what: string, target: Target, make: (config: ExporterConfig) => Exporter<T>) {
    this.#what = what;
    this.#target = target;
    this.#exporter = make({
      url: target.url,
      headers: { ...target.headers },
      timeoutMillis: Math.min(target.timeout, EXPORT_LIMIT),
      compression: target.gzip ? "gzip" : "none",
      httpAgentOptions: (protocol) => this.#makeAgent(protocol),
    });
  }

  /** Begins an export when those before it are done. */
  send(items: T): void {
    this.#work = this.#work.then(async () => {
      if (this.#error !== undefined || this.#gaveUp) return;
      const { error } = await new Promise<ExportResult>((resolve) =>
        this.#exporter.export(items, resolve)
      );
      this.#error = error;
    }).catch((error) => {
      this.#error = error;
    });
  }

  /**
   * Waits for what was sent; a collector that takes too long is hung up on.
   * @throws {ExportError}
   */
  async end(clock: Clock): Promise<void> {
    const limit = Math.min(this.#target.timeout, EXPORT_LIMIT);
    let timer: unknown;
    const late = new Promise<void>((resolve) => {
      timer = clock.setTimeout(() => {
        this.#gaveUp = true;
        this.#error ??= new Error(`no answer within ${limit} ms`);
        resolve();
      }, limit);
    });
    await Promise.race([this.#work, late]);
    clock.clearTimeout(timer);
    this.#agent?.destroy();
    if (this.#error !== undefined) throw this.#describe(this.#error);
  }

  async #makeAgent(protocol: string): Promise<Agent> {
    if (protocol === "http:") {
      const { Agent } = await import("node:http");
      return this.#agent = new Agent();
    }
    const [{ Agent }, { readFile }] = await Promise.all([
      import("node:https"),
      import("node:fs/promises"),
    ]);
    const files = await Promise.all(
      Object.entries(this.#target.tls).map(async ([name, path]) => [name, await readFile(path)]),
    );
    return this.#agent = new Agent(Object.fromEntries(files));
  }

  #describe(error: unknown): ExportError {
    const { url, headers } = this.#target;
    const { protocol, host, pathname, username, password, search } = new URL(url);
    const mask = new Mask();
    for (const value of [...Object.values(headers), username, password, search.slice(1)]) {
      mask.add(value);
      for (const part of value.split(" ")) mask.add(part);
    }
    const { message, code } = error as { message?: string; code?: string | number };
    const status = typeof code === "number" ? `${code} ` : "";
    // Where several addresses were tried and none answered, there is a code only.
    const why = `${status}${message || code || "it failed"}`;
    return new ExportError(
      mask.text(`Cannot export ${this.#what} to '${protocol}//${host}${pathname}': ${why}`),
      error,
    );
  }
}
