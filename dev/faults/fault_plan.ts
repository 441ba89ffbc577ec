import { seededRandom } from "../../runtime/random.ts";
import { FaultySocket } from "./_faulty_socket.ts";
import type { ServerSocket, SocketHandler } from "../listen/socket.ts";
import type { Timers } from "../engine/timers.ts";
import {
  checkFault,
  type Fault,
  type FaultAction,
  type FaultCondition,
  type FaultConnection,
  type Faults,
} from "./fault.ts";

const MS = 100;

/** What is known of a frame on its way, or of a connection that is opened. */
export interface Passage {
  socket: FaultySocket | undefined;
  connection: number;
  direction?: "in" | "out";
  /** The frame's parts; looked at only when a fault asks. */
  frame?: () => { method?: string; type?: string; event?: string };
}

interface Planned {
  fault: Fault;
  fitted: number;
  done: number;
}

/** Decides what goes wrong, and does it. */
export class FaultPlan implements Faults {
  readonly seed: number;
  readonly #timers: Timers;
  readonly #restart: (ms: number) => Promise<void>;
  readonly #expired = new Set<string>();
  readonly #open = new Set<FaultySocket>();
  readonly #random: () => number;
  #planned: Planned[] = [];
  #connections = 0;

  constructor(
    { seed, faults, timers, restart }: {
      seed: number;
      faults: readonly Fault[];
      timers: Timers;
      restart: (ms: number) => Promise<void>;
    },
  ) {
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
    const planned = { fault: checkFault(fault), fitted: 0, done: 0 };
    this.#planned.push(planned);
    return () => {
      this.#planned = this.#planned.filter((one) => one !== planned);
    };
  }

  async inject(fault: Fault): Promise<void> {
    const { do: action, when = {}, ms = MS } = checkFault(fault);
    if (action === "restart") return await this.#restart(ms);
    for (const socket of [...this.#open]) {
      if (!this.#isAbout(when, socket.connection, socket)) continue;
      if (action === "cut") socket.cut();
      else if (action === "half-open") socket.mute();
      else if (action === "expire-token") this.#expire(socket);
      else this.#once(fault, socket);
    }
  }

  clear(): void {
    this.#planned = [];
  }

  /** Whether any fault is there: without one, frames pass unlooked at. */
  get isEmpty(): boolean {
    return this.#planned.length === 0;
  }

  /** Whether a token is refused though it is known. */
  isExpired(token: string): boolean {
    return this.#expired.has(token);
  }

  /** Whether the connection that is about to be opened is refused. */
  refusesNext(): boolean {
    const passage = { socket: undefined, connection: this.#connections + 1 };
    const fault = this.#match(passage, (action) => action === "refuse");
    if (fault) this.#connections++;
    return fault !== undefined;
  }

  /** Puts itself between a socket and who handles it. */
  wrap(socket: ServerSocket, handle: (socket: ServerSocket) => SocketHandler): SocketHandler {
    const faulty = new FaultySocket(socket, this, this.#timers, ++this.#connections);
    this.#open.add(faulty);
    return faulty.handledBy(handle(faulty), () => this.#open.delete(faulty));
  }

  /** What happens to a frame. What happens to the whole server is begun here. */
  fate(passage: Passage): { action: FaultAction; ms: number } | undefined {
    const fault = this.#match(passage, (action) => action !== "refuse");
    if (!fault) return undefined;
    const { do: action, ms = MS } = fault;
    if (action === "restart") void this.#restart(ms);
    if (action === "expire-token") this.#expire(passage.socket!);
    return { action, ms };
  }

  #once(fault: Fault, socket: FaultySocket): void {
    this.add({ ...fault, times: 1, when: { ...fault.when, connection: socket.connection } });
  }

  #expire(socket: FaultySocket): void {
    if (socket.token !== undefined) this.#expired.add(socket.token);
    socket.cut();
  }

  #match(passage: Passage, can: (action: FaultAction) => boolean): Fault | undefined {
    for (const planned of this.#planned) {
      const { fault } = planned;
      if (!can(fault.do) || planned.done >= (fault.times ?? Infinity)) continue;
      if (!this.#fits(fault.when ?? {}, passage)) continue;
      planned.fitted++;
      if (fault.when?.nth !== undefined && planned.fitted !== fault.when.nth) continue;
      const chance = fault.when?.chance;
      if (chance !== undefined && this.#random() >= chance) continue;
      planned.done++;
      return fault;
    }
  }

  #fits(when: FaultCondition, passage: Passage): boolean {
    const { socket, connection, direction } = passage;
    if (!this.#isAbout(when, connection, socket)) return false;
    if (when.direction !== undefined && when.direction !== direction) return false;
    if (when.after !== undefined && (socket?.frames ?? 0) <= when.after) return false;
    if (when.method === undefined && when.type === undefined && when.event === undefined) {
      return true;
    }
    const frame = passage.frame?.() ?? {};
    // A method is its request's, unless its answer is asked for.
    if (when.method !== undefined && (when.direction ?? "in") !== direction) return false;
    return (when.method ?? frame.method) === frame.method &&
      (when.type ?? frame.type) === frame.type && (when.event ?? frame.event) === frame.event;
  }

  #isAbout(when: FaultCondition, connection: number, socket: FaultySocket | undefined): boolean {
    if (when.token !== undefined && when.token !== socket?.token) return false;
    if (when.connection === undefined) return true;
    return when.connection === connection ||
      (socket?.sessionId !== undefined && when.connection === socket.sessionId);
  }
}
