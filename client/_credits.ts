/** What a server grants a new connection. */
const INITIAL = 1_000;

/**
 * At how many credits left the first grant is sent. Not at once: a frame without an answer, sent
 * right before a request, holds that back by the 40 ms a peer's kernel may take to acknowledge it,
 * where the runtime leaves Nagle's algorithm on, as Deno does.
 */
const FIRST_TOP_UP = 950;

/** A grant that the server has not been seen to have read. */
interface Grant {
  /** The ping behind it: its pong shows that the grant was read. */
  pingId: string;
  credits: number;
  since: number;
}

/** How many events a server may still send over a connection. */
export class Credits {
  readonly #full: number;
  #left = INITIAL;
  #topUpAt = FIRST_TOP_UP;
  /** The credits that the server certainly had, and what of them has not come as events. */
  #certain = INITIAL;
  readonly #grants: Grant[] = [];

  /** @param credits How many a grant fills up to, on top of the first. */
  constructor(credits: number) {
    this.#full = INITIAL + credits;
  }

  /** An event came: is it time for a grant? */
  spend(): boolean {
    this.#certain--;
    return --this.#left <= this.#topUpAt;
  }

  /** How many to grant, so that the server has as many as it may have. */
  topUp(): number {
    const credits = this.#full - Math.max(0, this.#left);
    this.#left += credits;
    this.#topUpAt = this.#full * 0.6;
    return credits;
  }

  /** A grant was sent, and a ping right behind it. */
  granted(credits: number, pingId: string, since: number): void {
    this.#grants.push({ credits, pingId, since });
  }

  /**
   * A pong came. Requests are served in order: where it answers the ping behind a grant, that was
   * read.
   * @returns Since when the server may have been out of credits, if it was.
   */
  onPong(pingId: string | undefined): number | undefined {
    const [grant] = this.#grants;
    if (grant?.pingId !== pingId || !grant) return undefined;
    this.#grants.shift();
    const since = this.#certain <= 0 ? grant.since : undefined;
    this.#certain += grant.credits;
    return since;
  }
}
