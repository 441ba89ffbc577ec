import { type Dispatch, type DispatchEvent, DispatchRpc, DispatchSse } from "../../mod.ts";
import type { DispatchOptions, Gap, Hooks, Job, JobRecord, Run, Status } from "../../mod.ts";
import type { WorkflowRun } from "../../mod.ts";
import { isTerminal, wireChannel } from "../../protocol/mod.ts";
import type { Clock } from "../../runtime/mod.ts";
import type { World } from "../../testing/mod.ts";
import type { WorldSocket } from "../../testing/world/socket.ts";
import { frameText } from "../../testing/world/trace.ts";
import { CountingSignal } from "../helpers/counting_signal.ts";
import { type Kept, tie } from "./memory.ts";
import { asOperator, operate, Operator } from "./operator.ts";
import { freshTokens, ownToken } from "./workload.ts";
import { NEVER } from "./program.ts";
import type { CallStep, ClientPlan, Moment, Operation, ValueKind } from "./program.ts";

/** A call of a client, from its beginning to its end. */
export interface Outcome {
  readonly step: number;
  /** Its position among the calls of the client. */
  readonly order: number;
  /** Whether its timeout is long enough for a server that answers. */
  readonly isPatient: boolean;
  readonly client: string;
  readonly op: Operation;
  /** What an `enqueue`, `start` or `publish` sends. */
  readonly value?: unknown;
  /** When it began, on the client's monotonic clock. */
  readonly begin: number;
  /** When it must have settled, on the client's monotonic clock. */
  deadline: number;
  isSettled: boolean;
  /** When it settled, on the client's monotonic clock. */
  end: number;
  result?: unknown;
  error?: unknown;
  signal?: CountingSignal;
  /** Whether its signal aborts between two turns. */
  readonly abortsInTurn: boolean;
  /** Whether its signal had aborted before. */
  readonly isAborted: boolean;
  /** The id of the job or run that it waits for. */
  target?: string;
  /** The id of the job or run that it is about. */
  asked?: string;
  /** The record of that job or run when the call began, and when it settled. */
  before?: JobRecord | WorkflowRun;
  after?: JobRecord | WorkflowRun;
  /** When it began and settled, on the clock of the world. */
  readonly worldBegin: number;
  worldEnd: number;
  /** Whether the client had been closed before it began. */
  readonly isAfterClose: boolean;
  /** What the handle on a job or run said when the call had settled. */
  handle?: { readonly name?: string; readonly queue?: string; readonly state: string };
  /** How many timers the client had when it was closed, and a little later. */
  timers?: number;
  lateTimers?: number;
  /** How many jobs were enqueued, each time that the caller was told. */
  readonly progress: number[];
}

/** What a contradiction says of a call. */
export function callName({ client, step, op }: Outcome): string {
  return `${client}: step ${step} (${op.do})`;
}

/** What a reader received from a stream, in order. */
export interface Reading {
  readonly outcome: Outcome;
  /** The channel as the server knows it; the id of the job or run for a watch. */
  readonly channel: string;
  /** The channel as the caller named it. */
  readonly name: string;
  /** When it began, on the clock of the world. */
  readonly at: number;
  /** How many events were published before it began. */
  readonly from: number;
  readonly items: (DispatchEvent | Gap)[];
  /** When each item was read, on the clock of the world. */
  readonly times: number[];
  /** Whether it ended, and with which error. */
  ended?: { error?: unknown };
  /** Whether the caller ended it. */
  isLeft: boolean;
  /** When the caller unsubscribed, on the clock of the world. */
  leftAt?: number;
  /** When it ended, on the clock of the world. */
  endedAt?: number;
  /** Whether a slow reader is still busy with an item. */
  isBusy?: boolean;
  readonly subscription?: Leavable;
  /** The same once the server has confirmed it. */
  confirmed?: Leavable & { readonly buffered: number };
  /** The most that it has held after a frame had arrived. */
  mostBuffered: number;
}

/** A grant of credits, as the client sent it. */
export interface SentGrant {
  readonly at: number;
  /** How many credits the client has granted on this connection, with this grant and before. */
  readonly granted: number;
  readonly before: number;
  /** How many events had arrived on it. */
  readonly arrived: number;
}

/** What a reader leaves. */
type Leavable = AsyncDisposable & { unsubscribe(): Promise<void> };

/** What an actor uses of its world: a simulated one, or one with real sockets. */
export interface Stage
  extends Pick<World, "url" | "now" | "httpOptions" | "clientOptions" | "client" | "record"> {
  readonly nodes: readonly { readonly url: string }[];
  /** What the servers have, where that can be seen. */
  readonly store?: Pick<World["store"], "job" | "run"> & Partial<World["store"]>;
  clock(name: string): StageClock;
}

/** A clock that counts its timers. */
export interface StageClock extends Clock {
  /** How many timers have neither fired nor been cleared. */
  readonly pending: number;
  monotonic(): number;
}

/** The jobs and runs that the clients of a world know of. */
export interface Known {
  jobs: string[];
  runs: string[];
}

/** One for all, since an error holds what was on the stack where it was created. */
export const ABORTED = new Error("aborted");

/** A token that no server accepts. */
export const WRONG_TOKEN = "wrong";

/** With what a function for a token fails. */
const NO_TOKEN = new Error("no token");

/** Whether an error comes from a function for a token, and so from no server. */
export function isTokenMissing(error: unknown): boolean {
  return error instanceof Error && (error === NO_TOKEN || isTokenMissing(error.cause));
}

const NO_JOB = "job_00000000000000000000000000";
const NO_RUN = "wfrun_00000000000000000000000000";

/** The operations that have an option `timeout`. */
const TIMED = [
  "enqueue",
  "enqueueMany",
  "getJob",
  "cancel",
  "start",
  "getRun",
  "timeline",
  "publish",
  "stats",
  "call",
  "operate",
];

/** What a client over HTTP cannot do. */
const NOT_POSSIBLE: Record<ClientPlan["transport"], Operation["do"][]> = {
  socket: ["operate"],
  rpc: [
    "connect",
    "enqueueMany",
    "start",
    "subscribe",
    "unsubscribe",
    "watch",
    "follow",
    "operate",
  ],
  sse: ["connect", "enqueueMany", "start", "operate"],
  admin: ["connect", "unsubscribe"],
};

const CLIENTS = { rpc: DispatchRpc, sse: DispatchSse, admin: Operator };

/** One client of a simulation and what it did. */
export class Actor {
  readonly name: string;
  readonly clock: StageClock;
  readonly client: Dispatch;
  readonly plan: ClientPlan;
  readonly outcomes: Outcome[] = [];
  readonly subscriptions: Reading[] = [];
  readonly watches: Reading[] = [];
  readonly statuses: { at: number; worldAt: number; status: Status }[] = [];
  readonly #world: Stage;
  readonly #known: Known;
  readonly #published: () => number;
  readonly #jobs = new Map<string, Job>();
  readonly #runs = new Map<string, Run>();
  /** How many requests the hooks of the client have seen, and which errors. */
  readonly hooked = {
    begun: 0,
    ended: 0,
    errors: new WeakSet<object>(),
    /** The method and the subject of each. */
    requests: [] as string[],
  };
  /** The grants of the client, on all its connections. */
  readonly grants: SentGrant[] = [];
  /** The requests over HTTP that have no answer yet. */
  readonly exchanges = new Set<Promise<Response>>();
  /** The random numbers that the client has used. */
  readonly randoms: number[] = [];
  /** What to do when so many more frames have arrived. */
  readonly #onFrames = new Set<{ frames: number; act: () => void }>();
  /** Cuts the client off from its world. */
  readonly #release: () => void;
  /** Returns how many timers of the client have neither fired nor been cleared. */
  readonly timers: () => number;
  /** The clock that the client itself has. */
  readonly clientClock: unknown;
  /** A frame that was sent without the time of the clock. */
  mistimed?: string;
  isClosed = false;
  /** The token that the client has, if it may expire. */
  token?: string;
  /** What a reader was told that began with the third call. */
  readonly lateStatuses: Status[] = [];
  /** How many loops over its status go on. */
  statusLoops = 0;
  /** When the client was closed, on its monotonic clock. */
  closedAt = Infinity;
  hasSlept = false;

  constructor(
    world: Stage,
    index: number,
    plan: ClientPlan,
    known: Known,
    published: () => number,
  ) {
    this.#world = world;
    this.#known = known;
    this.#published = published;
    this.plan = plan;
    this.name = `client-${index + 1}`;
    this.clock = world.clock(this.name);
    const { reconnect, maxRetries, timeout, isBalanced, hasFreshTokens, credits } = plan;
    const { random, webSocket } = world.clientOptions(this.name) as Required<DispatchOptions>;
    const noted = () => {
      this.randoms.push(random());
      return this.randoms.at(-1)!;
    };
    let tokens = 0;
    const fresh = freshTokens(index);
    const token = hasFreshTokens
      ? () => {
        const token = fresh[tokens++ % fresh.length]!;
        if (plan.tokenFails?.includes(tokens)) throw NO_TOKEN;
        if (plan.wrongTokens?.includes(tokens)) return WRONG_TOKEN;
        return this.token = token;
      }
      : plan.hasOwnToken
      ? ownToken(index)
      : "demo-token";
    if (token === ownToken(index)) this.token = token;
    const url = isBalanced ? world.url : world.nodes[index % world.nodes.length]!.url;
    if (plan.transport !== "socket") {
      const Client = CLIENTS[plan.transport];
      const http = world.httpOptions(this.name);
      const exchange = http.fetch ?? fetch;
      const { options, release, timers } = tie({
        ...http,
        fetch: (...request: Parameters<typeof fetch>) => this.#watchExchange(exchange(...request)),
        random: noted,
        token,
        timeout,
        maxRetries: plan.httpRetries,
        hooks: plan.hasHooks ? createHooks(this.hooked) : undefined,
      });
      // The methods that the class lacks are left out below.
      this.client = new Client(options) as unknown as Dispatch;
      this.#release = release;
      this.timers = timers;
      this.clientClock = options.clock;
      return;
    }
    const { options, release, timers } = tie({
      url,
      reconnect,
      maxRetries,
      timeout,
      token,
      credits,
      maxQueue: plan.maxQueue ?? 1_000,
      pingInterval: plan.pingInterval ?? 15_000,
      pingTimeout: plan.pingTimeout,
      connectTimeout: plan.connectTimeout,
      backoff: plan.backoff,
      format: plan.format,
      clock: this.clock,
      hooks: plan.hasHooks ? createHooks(this.hooked) : undefined,
      webSocket: (address: string) => this.#watchFrames(webSocket(address)),
      random: noted,
    });
    this.client = world.client(this.name, options);
    this.#release = release;
    this.timers = timers;
    this.clientClock = options.clock;
    void this.#readStatus((status) => {
      const worldAt = this.#world.now;
      this.statuses.push({ at: this.clock.monotonic(), worldAt, status });
      if (status.type === "closed") this.closedAt = this.clock.monotonic();
      this.#world.record(this.name, `is ${status.type}`);
    });
  }

  /** Whether the client sends each call as an HTTP request. */
  get isHttp(): boolean {
    return this.plan.transport !== "socket";
  }

  /** The state of the connection that the client reported last. */
  get status(): Status {
    if (this.isHttp) return { type: this.isClosed ? "closed" : "idle" };
    return this.statuses.findLast(({ status }) => isState(status))!.status;
  }

  /** Whether it enqueues many jobs, so that calls wait for their turn. */
  get hasBursts(): boolean {
    return this.outcomes.some(({ op }) => op.do === "enqueueMany");
  }

  get #isFollowing(): boolean {
    return this.watches.some(({ ended }) => !ended) ||
      this.outcomes.some(({ target, isSettled }) => target && !isSettled);
  }

  /** Cuts the closed client off from its world; returns what a caller may keep. */
  release(): Kept {
    this.#release();
    return { client: this.client, signals: this.outcomes.flatMap((it) => it.signal?.signal ?? []) };
  }

  /** Begins an operation; the promise resolves when it has settled. */
  begin(step: number, { op: planned, abort, timeout }: CallStep, time = 0): Promise<void> {
    const tag = step + 1 + time * 1_000;
    const op = this.plan.transport === "admin" ? asOperator(planned) : planned;
    if (NOT_POSSIBLE[this.plan.transport].includes(op.do)) return Promise.resolve();
    if (this.outcomes.length === 2 && !this.isHttp) {
      void this.#readStatus((status) => void this.lateStatuses.push(status));
    }
    const start = this.clock.monotonic();
    const limit = "timeout" in op && op.timeout !== undefined
      ? op.timeout
      : TIMED.includes(op.do)
      ? timeout ?? this.plan.timeout
      : this.plan.timeout;
    const signal = abort === undefined ? undefined : new CountingSignal();
    const isAborted = typeof abort === "object" && abort.frames + abort.turns === 0;
    if (isAborted) signal!.abort(ABORTED);
    const outcome: Outcome = {
      step,
      order: this.outcomes.length,
      isPatient: limit >= 30_000 && abort === undefined && op.do !== "start" && op.do !== "call",
      client: this.name,
      op,
      begin: start,
      deadline: limit === 0 ? Infinity : start + limit,
      isSettled: false,
      end: NaN,
      worldBegin: this.#world.now,
      worldEnd: NaN,
      isAfterClose: this.isClosed,
      signal,
      abortsInTurn: typeof abort === "object",
      isAborted,
      progress: [],
      ...("value" in op ? { value: makeValue(op.value, "same" in op && op.same ? 0 : tag) } : {}),
      ...(op.do === "enqueueMany" || op.do === "publish" ? { value: tag } : {}),
    };
    this.outcomes.push(outcome);
    this.#world.record(this.name, `begins ${step} ${JSON.stringify(op)}`);
    const settle = (what: "result" | "error") => (value: unknown) => {
      outcome.isSettled = true;
      outcome.end = this.clock.monotonic();
      outcome.worldEnd = this.#world.now;
      outcome.after = this.#recordOf(outcome.asked);
      outcome[what] = value;
      const text = what === "error" ? describeError(value) : describe(value);
      this.#world.record(this.name, `ends ${step}: ${text}`);
    };
    const done = this.#perform(op, outcome, { signal: signal?.signal, timeout }).then(
      settle("result"),
      settle("error"),
    );
    const act = () => {
      const hasSignal = op.do !== "close" && op.do !== "unsubscribe";
      if (hasSignal) outcome.deadline = Math.min(outcome.deadline, this.clock.monotonic());
      signal!.abort(ABORTED);
    };
    if (isAborted) act();
    else if (typeof abort === "object") this.actAt(abort, act);
    else if (signal && abort !== NEVER) this.clock.setTimeout(act, abort!);
    return done;
  }

  /** Calls back when frames have arrived and turns of the queue of microtasks have passed. */
  actAt({ frames, turns }: Moment, act: () => void): void {
    // How many turns a request over HTTP takes depends on the runtime.
    if (this.isHttp) return;
    const later = async () => {
      for (let turn = 0; turn < turns; turn++) await undefined;
      act();
    };
    if (frames === 0) void later();
    else this.#onFrames.add({ frames, act: later });
  }

  #watchExchange(response: Promise<Response>): Promise<Response> {
    const end = () => void this.exchanges.delete(response);
    this.exchanges.add(response);
    response.then(end, end);
    return response;
  }

  #watchFrames(socket: WebSocket): WebSocket {
    const watched = socket as unknown as WorldSocket;
    if (!watched.receive) {
      socket.addEventListener("message", () => this.#onFrame());
      return socket;
    }
    const receive = watched.receive.bind(watched);
    const send = watched.send.bind(watched);
    let arrived = 0;
    let granted = 0;
    watched.receive = (message) => {
      if (isWholeEvent(message)) arrived++;
      receive(message);
      this.#onFrame();
    };
    watched.send = (message) => {
      const text = frameText(message);
      const ts = /"ts":"(.*?)"/.exec(text)?.[1];
      if (!ts || Math.abs(Date.parse(ts) - this.clock.now()) >= 1) this.mistimed ??= text;
      const credits = /"credits":(\d+)/.exec(text)?.[1];
      if (credits) {
        const before = granted;
        granted += Number(credits);
        this.grants.push({ at: this.#world.now, granted, before, arrived });
      }
      send(message);
    };
    return socket;
  }

  #onFrame(): void {
    for (const reading of this.subscriptions) {
      reading.mostBuffered = Math.max(reading.mostBuffered, reading.confirmed?.buffered ?? 0);
    }
    for (const entry of this.#onFrames) {
      if (--entry.frames > 0) continue;
      this.#onFrames.delete(entry);
      entry.act();
    }
  }

  async #perform(
    op: Operation,
    outcome: Outcome,
    options: { signal?: AbortSignal; timeout?: number },
  ): Promise<unknown> {
    const { client } = this;
    const { signal } = options;
    const known = this.#known;
    switch (op.do) {
      case "connect":
        // A client that reconnects has no deadline, but gives up in the end.
        outcome.deadline += 900_000;
        return await client.connect({ signal });
      case "enqueue": {
        const { retry, queue, priority } = op;
        const own = { ...options, retry, queue, priority };
        const job = await client.enqueue(op.name, outcome.value, own);
        this.#jobs.set(job.job_id, job);
        known.jobs.push(job.job_id);
        outcome.handle = { queue: job.queue, state: job.state };
        return job.job_id;
      }
      case "enqueueMany": {
        outcome.deadline += op.count * (options.timeout ?? this.plan.timeout);
        const payloads = Array.from({ length: op.count }, (_, index) => [outcome.value, index]);
        const onProgress = (enqueued: number) => void outcome.progress.push(enqueued);
        const own = { ...options, window: op.window, queue: op.queue, onProgress };
        const jobs = await client.enqueueMany(op.name, payloads, own);
        for (const job of jobs.slice(0, 3)) known.jobs.push(job.job_id);
        return jobs.map(({ job_id }) => job_id);
      }
      case "getJob": {
        const id = this.#ask(outcome, chosen(known.jobs, op.pick) ?? NO_JOB);
        return await (this.#jobs.get(id)?.get(options) ?? client.getJob(id, options));
      }
      case "cancel": {
        const id = this.#ask(outcome, chosen(known.jobs, op.pick) ?? NO_JOB);
        return await (this.#jobs.get(id)?.cancel(options) ?? client.cancelJob(id, options));
      }
      case "start": {
        const run = await client.startWorkflow(op.name, outcome.value, options);
        this.#runs.set(run.run_id, run);
        known.runs.push(run.run_id);
        outcome.handle = { name: run.name, state: run.state };
        return run.run_id;
      }
      case "getRun": {
        const id = this.#ask(outcome, chosen(known.runs, op.pick) ?? NO_RUN);
        return await (this.#runs.get(id)?.get(options) ?? client.getWorkflow(id, options));
      }
      case "timeline": {
        const id = this.#ask(outcome, chosen(known.runs, op.pick) ?? NO_RUN);
        const run = this.#runs.get(id);
        const entries = await (run?.timeline(options) ?? client.workflowTimeline(id, options));
        return entries.map(({ step_name }) => step_name);
      }
      case "publish":
        return (await client.publishEvent(op.name, outcome.value, options)).event_id;
      case "stats":
        if (this.plan.transport === "admin") return await client.stats(options);
        return typeof (await client.stats(options)).broker.topic_count;
      case "call":
        return await this.#call(op, outcome, options);
      case "operate": {
        const admin = client as unknown as Operator;
        if (op.what === "retry") this.#ask(outcome, chosen(known.jobs, op.pick) ?? NO_JOB);
        return await operate(admin, op, outcome.asked, this.#world.store ?? {}, options);
      }
      case "subscribe":
        return await this.#subscribe(op, outcome, signal);
      case "unsubscribe": {
        const reading = chosen(this.subscriptions, op.pick);
        if (!reading) return;
        reading.isLeft = true;
        reading.leftAt ??= this.#world.now;
        const { confirmed, subscription } = reading;
        const leavable = op.pick % 2 === 1 && confirmed || subscription!;
        if (!op.using) return await leavable.unsubscribe();
        await using _subscription = leavable;
        return;
      }
      case "watch": {
        const id = chosen(known.runs, op.pick) ?? NO_RUN;
        return this.#follow(outcome, id, client.watch(id, { signal }), op.take);
      }
      case "follow": {
        const id = chosen(known.jobs, op.pick) ?? NO_JOB;
        const job = this.#jobs.get(id) ?? client.job(id);
        return this.#follow(outcome, id, job.events({ signal }), op.take);
      }
      case "waitJob": {
        const id = outcome.target = this.#ask(outcome, chosen(known.jobs, op.pick) ?? NO_JOB);
        if (op.timeout === undefined || op.timeout === 0) outcome.deadline = Infinity;
        const job = this.#jobs.get(id) ?? client.job(id);
        return await job.wait({ signal, timeout: op.timeout }).finally(() => {
          outcome.handle = { state: job.state };
        });
      }
      case "waitRun": {
        const id = outcome.target = this.#ask(outcome, chosen(known.runs, op.pick) ?? NO_RUN);
        if (op.timeout === undefined || op.timeout === 0) outcome.deadline = Infinity;
        const run = this.#runs.get(id) ?? client.run(id);
        return await run.wait({ signal, timeout: op.timeout }).finally(() => {
          outcome.handle = { state: run.state };
        });
      }
      case "close":
        outcome.deadline = this.clock.monotonic() + (op.drain ? 120_000 : 1_000);
        // Without a connection those who follow ask again and again, and a drain waits for them.
        if (op.drain && this.#isFollowing) outcome.deadline += 600_000;
        this.isClosed ||= !op.drain;
        if (this.isHttp) this.closedAt = Math.min(this.closedAt, this.clock.monotonic());
        for (const reading of this.subscriptions) reading.isLeft = true;
        if (op.using && !this.isHttp) {
          await using _client = client;
        } else await client.close({ drain: op.drain });
        void turns(SETTLING).then(() => outcome.timers = this.timers());
        this.clock.setTimeout(() => outcome.lateTimers = this.timers(), LATER);
        this.isClosed = true;
        return;
    }
  }

  async #call(
    { method, name, pick }: Operation & { do: "call" },
    outcome: Outcome,
    options: { signal?: AbortSignal; timeout?: number },
  ): Promise<unknown> {
    const job_id = chosen(this.#known.jobs, pick) ?? NO_JOB;
    if (method === "job.get") this.#ask(outcome, job_id);
    const data = method === "workflow.start"
      ? { name, input: outcome.value === undefined ? {} : outcome.value }
      : { job_id };
    const answer = await this.client.call(method, method === "stats" ? undefined : data, options);
    const { run_id } = Object(answer);
    if (run_id !== undefined) this.#known.runs.push(run_id);
    return answer;
  }

  /** Notes which job or run a call is about, and its record. */
  #ask(outcome: Outcome, id: string): string {
    outcome.before = this.#recordOf(outcome.asked = id);
    return id;
  }

  #recordOf(id: string | undefined): JobRecord | WorkflowRun | undefined {
    const { store } = this.#world;
    return id?.startsWith("job_") ? store?.job(id) : id && store?.run(id) || undefined;
  }

  async #subscribe(
    op: Operation & { do: "subscribe" },
    outcome: Outcome,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const name = this.#channel(op);
    const { buffer, overflow } = op;
    // Over HTTP a request to subscribe goes before the stream.
    if (this.isHttp) outcome.deadline += this.plan.timeout;
    const pending = this.client.subscribe(name, { buffer, overflow, signal });
    const reading = this.#createReading(outcome, name, pending);
    this.subscriptions.push(reading);
    void this.#read(reading, pending, op);
    reading.confirmed = await pending;
  }

  #follow(
    outcome: Outcome,
    id: string,
    items: AsyncIterable<DispatchEvent | Gap>,
    take?: number,
  ): void {
    const reading = this.#createReading(outcome, id);
    this.watches.push(reading);
    void this.#read(reading, items, { take });
  }

  #createReading(
    outcome: Outcome,
    name: string,
    subscription?: Leavable,
  ): Reading {
    const channel = name.includes(":") ? wireChannel(name) : name;
    const from = this.#published();
    const at = this.#world.now;
    return {
      ...{ outcome, channel, name, at, from, subscription },
      ...{ items: [], times: [], isLeft: false, mostBuffered: 0 },
    };
  }

  async #read(
    reading: Reading,
    items: AsyncIterable<DispatchEvent | Gap>,
    { slow, take }: { slow?: number; take?: number },
  ): Promise<void> {
    const { step } = reading.outcome;
    try {
      for await (const item of items) {
        reading.items.push(item);
        reading.times.push(this.#world.now);
        const what = item.type === "gap" ? `gap ${item.reason} ${item.missed ?? ""}` : item.type;
        this.#world.record(this.name, `reads ${step}: ${what}`);
        if (reading.items.length === take) {
          reading.isLeft = true;
          break;
        }
        if (!slow) continue;
        reading.isBusy = true;
        await new Promise<void>((resolve) => this.clock.setTimeout(resolve, slow));
        reading.isBusy = false;
      }
      reading.ended = {};
    } catch (error) {
      reading.ended = { error };
    }
    reading.endedAt = this.#world.now;
    const text = "error" in reading.ended ? describeError(reading.ended.error) : "";
    this.#world.record(this.name, `stops reading ${step} ${text}`);
  }

  #channel({ channel, pick }: Operation & { do: "subscribe" }): string {
    if (channel === "job") return `job:${chosen(this.#known.jobs, pick) ?? NO_JOB}`;
    if (channel === "run") return `workflow:${chosen(this.#known.runs, pick) ?? NO_RUN}`;
    if (channel === "otherQueue") return "queue:other";
    return channel === "queue" ? "queue:default" : channel;
  }

  async #readStatus(onStatus: (status: Status) => void): Promise<void> {
    this.statusLoops++;
    for await (const status of this.client.status()) onStatus(status);
    this.statusLoops--;
  }
}

/** In how many turns everything that a closed client has to end has ended. */
const SETTLING = 50;

/** How many milliseconds later also the connections of a closed client have ended. */
const LATER = 1_500;

/** Waits until turns of the queue of microtasks have passed. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await undefined;
}

/** Whether a status says how the connection is; the others are remarks. */
export function isState({ type }: Status): boolean {
  return !["anomaly", "gap", "lane_lost", "format_fallback"].includes(type);
}

/** Whether a frame is an event, and all of it. */
function isWholeEvent(message: string | Uint8Array): boolean {
  const text = frameText(message);
  return text.includes('"type":"event"') && text.endsWith("}");
}

/** Creates hooks that count, and hold nothing of an actor. */
function createHooks(counts: Actor["hooked"]): Hooks {
  return {
    request: ({ method, subject }) => {
      counts.begun++;
      counts.requests.push(`${method} ${subject}`);
      return (error) => {
        counts.ended++;
        if (Object(error) === error) counts.errors.add(error as object);
      };
    },
  };
}

function chosen<T>(list: readonly T[], pick: number): T | undefined {
  return list.length === 0 ? undefined : list[list.length - 1 - pick % list.length];
}

/** Makes a value that no other step sends, where that is possible. */
export function makeValue(kind: ValueKind, tag: number): unknown {
  switch (kind) {
    case "object":
      // The handlers of the reference workload read the other fields.
      return { tag, ms: 150, key: `${tag}`, order_id: `${tag}` };
    case "array":
      return [tag, "array"];
    case "text":
      return `${tag} is the "tag" of a text\\with\troom for a märk 😀, which needs some space`;
    case "short":
      return `${tag}`;
    case "number":
      return tag;
    case "null":
      return null;
    case "none":
      return undefined;
  }
}

function describe(value: unknown): string {
  const { id, state } = Object(value);
  if (typeof state === "string") return `${id} ${state}${isTerminal(state) ? "" : "!"}`;
  return String(JSON.stringify(value));
}

/** Describes an error without its text, which may differ between runtimes. */
export function describeError(error: unknown): string {
  const { name, code, delivery } = Object(error);
  return `${name} ${code ?? ""} ${delivery ?? ""}`;
}
