import { seededRandom } from "../../runtime/random.ts";
import type { Timers } from "../engine/timers.ts";
import type { ServerSocket, SocketHandler } from "../listen/socket.ts";
import { type FaultInjector, type FaultTarget, FaultySocket } from "./_faulty_socket.ts";
import {
  checkFault,
  type Fault,
  type FaultAction,
  type FaultCondition,
  type FaultConnection,
  type Faults,
} from "./fault.ts";

const DEFAULT_MS = 100;

interface PlannedFault {
  fault: Fault;
  /** How many frames or connections have matched. */
  matches: number;
  /** How often the fault has happened. */
  times: number;
}

/** Settings of a {@linkcode FaultPlan}. */
export interface FaultPlanOptions {
  seed: number;
  faults: readonly Fault[];
  timers: Timers;
  /** Restarts the server after `ms`. */
  restart: (ms: number) => Promise<void>;
}

/** The faults of one server. They survive its restarts. */
export class FaultPlan implements Faults, FaultInjector {
  readonly seed: number;
  readonly #timers: Timers;
  readonly #restart: (ms: number) => Promise<void>;
  readonly #random: () => number;
  readonly #expiredTokens = new Set<string>();
  readonly #open = new Set<FaultySocket>();
  #planned: PlannedFault[] = [];
  #connections = 0;

  constructor({ seed, faults, timers, restart }: FaultPlanOptions) {
    this.seed = seed;
    this.#timers = timers;
    this.#restart = restart;
    this.#random = seededRandom(seed);
    for (const fault of faults) this.add(fault);
  }

  list(): Fault[] {
    return this.#planned.map(({ fault }) => fault);
  }

  connections(): FaultConnection[] {
    return [...this.#open].map((socket) => ({
      connection: socket.connection,
      session_id: socket.sessionId,
      frames: socket.frames,
    }));
  }

  add(fault: Fault): () => void {
    const planned = { fault: checkFault(fault), matches: 0, times: 0 };
    this.#planned.push(planned);
    return () => {
      this.#planned = this.#planned.filter((other) => other !== planned);
    };
  }

  async inject(fault: Fault): Promise<void> {
    const { do: action, when = {}, ms = DEFAULT_MS } = checkFault(fault);
    if (action === "restart") return await this.#restart(ms);
    // A token that is named expires over HTTP, too, where it has no connection.
    if (action === "expire-token" && when.token !== undefined) this.#expiredTokens.add(when.token);
    for (const socket of [...this.#open]) {
      if (!matchesConnection(when, socket.connection, socket)) continue;
      if (action === "cut") socket.cut();
      else if (action === "half-open") socket.mute();
      else if (action === "expire-token") this.#expireToken(socket);
      else this.#addOnce(fault, socket);
    }
  }

  clear(): void {
    this.#planned = [];
  }

  get isEmpty(): boolean {
    return this.#planned.length === 0;
  }

  /** Whether a fault has expired a token. */
  isExpired(token: string): boolean {
    return this.#expiredTokens.has(token);
  }

  /** Returns whether to refuse the connection that is about to open. */
  refusesNext(): boolean {
    const target = { socket: undefined, connection: this.#connections + 1 };
    const fault = this.#match(target, (action) => action === "refuse");
    if (fault) this.#connections++;
    return fault !== undefined;
  }

  /** Wraps a new connection; `handle` creates the handler of the wrapped socket. */
  wrap(socket: ServerSocket, handle: (socket: ServerSocket) => SocketHandler): SocketHandler {
    const faulty = new FaultySocket(socket, this, this.#timers, ++this.#connections);
    this.#open.add(faulty);
    return faulty.wrapHandler(handle(faulty), () => this.#open.delete(faulty));
  }

  /** Returns the fault that happens to a frame. Starts a restart, or expires the token. */
  faultFor(target: FaultTarget): { action: FaultAction; ms: number } | undefined {
    const fault = this.#match(target, (action) => action !== "refuse");
    if (!fault) return undefined;
    const { do: action, ms = DEFAULT_MS } = fault;
    if (action === "restart") void this.#restart(ms);
    if (action === "expire-token") this.#expireToken(target.socket!);
    return { action, ms };
  }

  #addOnce(fault: Fault, socket: FaultySocket): void {
    this.add({ ...fault, times: 1, when: { ...fault.when, connection: socket.connection } });
  }

  #expireToken(socket: FaultySocket): void {
    if (socket.token !== undefined) this.#expiredTokens.add(socket.token);
    socket.cut();
  }

  #match(target: FaultTarget, accepts: (action: FaultAction) => boolean): Fault | undefined {
    for (const planned of this.#planned) {
      const { fault } = planned;
      if (!accepts(fault.do) || planned.times >= (fault.times ?? Infinity)) continue;
      if (!matches(fault.when ?? {}, target)) continue;
      planned.matches++;
      if (fault.when?.nth !== undefined && planned.matches !== fault.when.nth) continue;
      const chance = fault.when?.chance;
      if (chance !== undefined && this.#random() >= chance) continue;
      planned.times++;
      return fault;
    }
  }
}

function matches(when: FaultCondition, target: FaultTarget): boolean {
  const { socket, connection, direction } = target;
  if (!matchesConnection(when, connection, socket)) return false;
  if (when.direction !== undefined && when.direction !== direction) return false;
  if (when.after !== undefined && (socket?.frames ?? 0) <= when.after) return false;
  if (when.method === undefined && when.type === undefined && when.event === undefined) return true;
  const parts = target.parts?.() ?? {};
  // A method selects requests, unless the condition has `direction: "out"`.
  if (when.method !== undefined && (when.direction ?? "in") !== direction) return false;
  return (when.method ?? parts.method) === parts.method &&
    (when.type ?? parts.type) === parts.type && (when.event ?? parts.event) === parts.event;
}

function matchesConnection(
  when: FaultCondition,
  connection: number,
  socket: FaultySocket | undefined,
): boolean {
  if (when.token !== undefined && when.token !== socket?.token) return false;
  if (when.connection === undefined) return true;
  return when.connection === connection ||
    (socket?.sessionId !== undefined && when.connection === socket.sessionId);
}
