import { goStringify } from "../go/encode.ts";

/** Creates the responses of the admin API. */
export class AdminAnswers {
  readonly #isTwice: boolean;

  /** @param isTwice Whether an entity is sent as two equal lines. */
  constructor(isTwice: boolean) {
    this.#isTwice = isTwice;
  }

  /** Sends a value as a line of JSON. */
  json(value: unknown, status: number = 200): Response {
    return this.#text(`${goStringify(value)}\n`, status);
  }

  /** Sends a job, run, dead letter or cron entry, or a list of them. */
  entity(value: unknown, status: number = 200): Response {
    return this.#text(`${goStringify(value)}\n`.repeat(this.#isTwice ? 2 : 1), status);
  }

  /** Answers that an action without a result was done. */
  done(): Response {
    return new Response(null, { status: 204 });
  }

  /** Refuses a request. */
  error(code: number, error: string): Response {
    return this.json({ code, error }, code);
  }

  #text(text: string, status: number): Response {
    return new Response(text, { status, headers: { "Content-Type": "application/json" } });
  }
}
