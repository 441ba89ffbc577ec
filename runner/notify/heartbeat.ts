import { pause } from "../../runtime/clock.ts";
import { attempt, post, type SendOptions } from "./send.ts";
import type { NoticeRequest, Problem } from "./target.ts";
import { below } from "./targets/fields.ts";

/** What a heartbeat tells. */
export type Beat =
  | { kind: "start" }
  | {
    kind: "success" | "fail";
    /** The exit code that `run` would have. */
    exitCode: number;
    /** How long the run took, in milliseconds. */
    duration_ms: number;
    /** What to tell about it: why it failed, or what the console showed. */
    log: string;
  };

/** A service that expects to be told that something still runs. */
export interface Heartbeat {
  /** Makes the request that tells a beat, if the service takes it. */
  request(beat: Beat): NoticeRequest | undefined;
}

/** How often a beat is tried, with pauses of 1 and 4 seconds. */
const ATTEMPTS = 3;

/** The most characters of a log; healthchecks.io keeps 100 kB. */
const MAX_LOG = 50_000;

/** The beats of one heartbeat. */
interface Line {
  /** Tells one beat after another. */
  sending: Promise<void>;
  /** The beat to tell next. */
  next?: { request: NoticeRequest; kind: Beat["kind"] };
}

/**
 * Tells heartbeats to services. A beat never holds up a check. Those of one heartbeat are told in their
 * order, so that no service hears of a start after its end; a beat that cannot be told is replaced by
 * the next one.
 */
export class HeartbeatSender {
  #options: SendOptions & { warn(text: string): void };
  #lines = new Map<Heartbeat, Line>();
  /** What has been warned of and does not work yet. */
  #failing = new Set<Heartbeat>();

  /** Creates a sender. */
  constructor(options: SendOptions & { warn(text: string): void }) {
    this.#options = options;
  }

  /** Tells a beat. */
  send(heartbeat: Heartbeat, beat: Beat, name: string): void {
    const request = heartbeat.request(beat);
    if (!request) return;
    const next = { request, kind: beat.kind };
    const line = this.#lines.get(heartbeat);
    if (!line) {
      const own: Line = { sending: Promise.resolve(), next };
      this.#lines.set(heartbeat, own);
      own.sending = this.#tellAll(heartbeat, own, name);
    } else if (beat.kind !== "start" || line.next === undefined) {
      // Without the end of a run that waits, a service would take the run for one that hangs.
      line.next = next;
    }
  }

  /** Resolves when all beats are told or given up. */
  async idle(): Promise<void> {
    await Promise.all([...this.#lines.values()].map(({ sending }) => sending));
  }

  async #tellAll(heartbeat: Heartbeat, line: Line, name: string): Promise<void> {
    while (line.next && !this.#options.signal.aborted) {
      const { request } = line.next;
      delete line.next;
      await this.#deliver(request, heartbeat, line, name);
    }
    this.#lines.delete(heartbeat);
  }

  async #deliver(
    request: NoticeRequest,
    heartbeat: Heartbeat,
    line: Line,
    name: string,
  ): Promise<void> {
    const { clock, signal, warn } = this.#options;
    for (let attempt = 1;; attempt++) {
      const problem = await this.#attempt(request);
      if (signal.aborted) return;
      if (!problem) return void this.#failing.delete(heartbeat);
      if (problem.final || attempt === ATTEMPTS || line.next) {
        // One warning is enough until it works again.
        if (this.#failing.has(heartbeat)) return;
        this.#failing.add(heartbeat);
        const { origin } = new URL(request.url);
        return warn(`cannot tell the heartbeat of ${name} to ${origin}: ${problem.text}`);
      }
      if (!await pause(1_000 * 4 ** (attempt - 1), { signal, clock })) return;
    }
  }

  #attempt(request: NoticeRequest): Promise<Problem | undefined> {
    return attempt((signal) => post(request, this.#options.fetch, signal), this.#options);
  }
}

/** healthchecks.io and its equals: the address for success; `/start` and the exit code follow it. */
export function healthchecks(url: string): Heartbeat {
  const headers = { "content-type": "text/plain" };
  return {
    request: (beat) =>
      beat.kind === "start"
        ? { url: below(url, "/start"), headers, body: "" }
        : { url: below(url, `/${beat.exitCode}`), headers, body: beat.log.slice(-MAX_LOG) },
  };
}

/** A push monitor of Uptime Kuma. */
export function uptimeKuma(url: string): Heartbeat {
  return {
    request: (beat) => {
      if (beat.kind === "start") return undefined;
      const address = new URL(url);
      address.searchParams.set("status", beat.kind === "success" ? "up" : "down");
      address.searchParams.set("msg", beat.kind === "success" ? "OK" : beat.log.slice(0, 200));
      address.searchParams.set("ping", String(Math.round(beat.duration_ms)));
      return { url: address.href, method: "GET", headers: {}, body: "" };
    },
  };
}

/** An external endpoint of gatus. */
export function gatus(url: string, key: string, token: string): Heartbeat {
  return {
    request: (beat) => {
      if (beat.kind === "start") return undefined;
      const path = `/api/v1/endpoints/${encodeURIComponent(key)}/external`;
      const address = new URL(below(url, path));
      address.searchParams.set("success", String(beat.kind === "success"));
      if (beat.kind === "fail") address.searchParams.set("error", beat.log.slice(0, 200));
      address.searchParams.set("duration", `${Math.round(beat.duration_ms)}ms`);
      return { url: address.href, headers: { authorization: `Bearer ${token}` }, body: "" };
    },
  };
}

/** Addresses of any service, by the kind of beat. */
export function addresses(
  urls: { start?: string; success?: string; fail?: string },
  headers: Record<string, string> = {},
  method = "POST",
): Heartbeat {
  return {
    request: (beat) => {
      const url = urls[beat.kind];
      if (url === undefined) return undefined;
      return { url, method, headers, body: beat.kind === "start" ? "" : beat.log.slice(-MAX_LOG) };
    },
  };
}
