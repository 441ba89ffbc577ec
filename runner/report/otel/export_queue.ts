import type { Agent } from "node:http";
import type { ExportResult } from "@opentelemetry/core";
import type { Clock, TimerHandle } from "../../../runtime/clock.ts";
import { Mask } from "../../engine/mask.ts";
import type { RecipeEvent } from "../../events/event.ts";
import type { Target } from "./settings.ts";

/** How long the end of a run waits for a collector, in milliseconds. */
const EXPORT_LIMIT = 5000;

/** One signal of OpenTelemetry: traces or metrics. */
export interface Signal {
  /** Receives one event. */
  report(event: RecipeEvent): void;
  /** Returns what to wait for if much has not been exported yet. */
  backlog?(): Promise<void> | undefined;
  /** Exports the rest, and waits until everything is exported. */
  finish(): Promise<void>;
}

/** How many batches may wait for their export before stored events are no longer read. */
const MAX_WAITING = 8;

/** The collector did not accept an export. */
export class ExportError extends Error {
  /** Always `"export_failed"`. */
  readonly code = "export_failed";

  /** The message names the signal, the address and the reason. */
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = "ExportError";
  }
}

/** The part of an exporter that the queue uses. */
interface Exporter<T> {
  export(items: T, done: (result: ExportResult) => void): void;
}

/** The options of an exporter, with the names of its package. */
export interface ExporterConfig {
  /** The address of the collector. */
  url: string;
  /** The headers of each request. */
  headers: Record<string, string>;
  /** The limit for an export with all its retries, in milliseconds. */
  timeoutMillis: number;
  /** `gzip` or `none`. */
  // deno-lint-ignore no-explicit-any -- The package does not export its enum.
  compression: any;
  /** Makes the agent that holds the connections. */
  httpAgentOptions: (protocol: string) => Promise<Agent>;
}

/**
 * Exports items one batch after another. It stops after the first failure, so that a collector that
 * is down does not delay the run.
 */
export class ExportQueue<T> {
  #exporter: Exporter<T>;
  #target: Target;
  #signal: string;
  #agent: Agent | undefined;
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;
  #error: unknown;
  #gaveUp = false;

  /**
   * @param signal The name of the signal in errors: `traces`.
   * @param make Makes the exporter.
   */
  constructor(signal: string, target: Target, make: (config: ExporterConfig) => Exporter<T>) {
    this.#signal = signal;
    this.#target = target;
    this.#exporter = make({
      url: target.url,
      headers: { ...target.headers },
      timeoutMillis: Math.min(target.timeout, EXPORT_LIMIT),
      compression: target.gzip ? "gzip" : "none",
      httpAgentOptions: (protocol) => this.#makeAgent(protocol),
    });
  }

  /** Exports a batch after the batches before it. */
  push(items: T): void {
    this.#waiting++;
    this.#work = this.#work.then(async () => {
      if (this.#error !== undefined || this.#gaveUp) return;
      const { error } = await new Promise<ExportResult>((resolve) =>
        this.#exporter.export(items, resolve)
      );
      this.#error = error;
    }).catch((error) => {
      this.#error = error;
    }).finally(() => {
      this.#waiting--;
    });
  }

  /** Returns what to wait for if there are many batches: that all of them have been exported. */
  backlog(): Promise<void> | undefined {
    return this.#waiting > MAX_WAITING ? this.#work : undefined;
  }

  /**
   * Waits for all batches, and disconnects from a collector that takes too long.
   * @throws {ExportError} If a batch was not exported.
   */
  async finish(clock: Clock): Promise<void> {
    const limit = Math.min(this.#target.timeout, EXPORT_LIMIT);
    let timer: TimerHandle | undefined;
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
    // After several addresses did not answer, the error has a code but no message.
    const why = `${status}${message || code || "unknown error"}`;
    return new ExportError(
      mask.text(`Cannot export ${this.#signal} to '${protocol}//${host}${pathname}': ${why}`),
      error,
    );
  }
}
