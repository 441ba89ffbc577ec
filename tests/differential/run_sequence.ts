import { Connection, type RawFrame } from "../conformance/connection.ts";
import { realTime } from "../conformance/replay_time.ts";
import { EventStream, type StreamEvent } from "./event_stream.ts";
import type { HttpRequest, Message, Sequence, Step } from "./sequence.ts";
import { withValues } from "./sequence.ts";
import { type Side, TIMEOUT_MS } from "./side.ts";

/** What was sent on a connection or over HTTP, and what was answered. */
export interface Exchange {
  /** The connection's letter, or `http`. */
  readonly conn: string;
  readonly sent: readonly string[];
  readonly answers: readonly RawFrame[];
  /** Whether the server closed the connection, or the connection was closed before. */
  readonly isClosed: boolean;
}

/** The events of a connection or stream. */
export interface Received {
  readonly conn: string;
  readonly events: readonly (RawFrame | StreamEvent)[];
  /** Whether not even the last event came, because the connection has no credits. */
  readonly isSilent: boolean;
}

/** What a server did in a sequence. */
export interface Outcome {
  readonly exchanges: readonly Exchange[];
  readonly received: readonly Received[];
  /** How many jobs and runs did not end. */
  readonly unsettled: number;
}

/** After how long a connection counts as one without credits. */
const SILENCE_MS = 2_000;
/** A queue that no worker reads. */
const UNREAD = "differential";
const ORDER = { name: "order-pipeline", input: { order_id: "1" } };

/** Sends a sequence to a server. */
export async function runSequence(
  side: Side,
  sequence: Sequence,
  execution: number,
): Promise<Outcome> {
  const run = new SequenceRun(side);
  await side.begin(execution);
  try {
    for (const message of sequence.connections) await run.open(message);
    for (const step of sequence.steps) await run.step(step);
    await run.finish();
    return run;
  } finally {
    await run.close();
  }
}

class SequenceRun implements Outcome {
  readonly exchanges: Exchange[] = [];
  readonly received: Received[] = [];
  unsettled = 0;
  readonly #side: Side;
  readonly #connections: Connection[] = [];
  readonly #streams: { stream: EventStream; query: string }[] = [];
  #fences = 0;

  constructor(side: Side) {
    this.#side = side;
  }

  /** Opens a connection and sends its first message. */
  async open(message: Message): Promise<void> {
    const connection = await Connection.open(this.#side.url, realTime);
    this.#connections.push(connection);
    const sent = this.#side.resolve(message);
    connection.send(sent);
    // What is sent after a refused message may cost the answer, so nothing is.
    const answers: RawFrame[] = [];
    const answer = await next(connection);
    if (answer) answers.push(answer);
    if (answer?.type !== "response") await connection.closedByServer(TIMEOUT_MS);
    this.#note(exchangeOf(this.#connections.length - 1, [sent], answers, !connection.isOpen));
  }

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case "frames":
        this.#note(await this.#exchange(step.conn % this.#connections.length, step.messages));
        break;
      case "together": {
        const messages = step.messages.slice(0, this.#connections.length);
        const exchanges = messages.map((message, conn) => this.#exchange(conn, [message]));
        for (const exchange of await Promise.all(exchanges)) this.#note(exchange);
        break;
      }
      case "payment":
        await this.#payment(step.conn % this.#connections.length, step.payload);
        break;
      case "cancel running":
        await this.#cancelRunning(step.conn % this.#connections.length);
        break;
      case "rpc":
        await this.#request(step.request);
        break;
      case "sse":
        await this.#listen(withValues(step.query, this.#side));
        break;
      case "close":
        await this.#close(step.conn % this.#connections.length);
    }
    await this.#settle();
  }

  /** Waits for all events. */
  async finish(): Promise<void> {
    const open = [...this.#connections.entries()].filter(([, { isOpen }]) => isOpen);
    const late: RawFrame[][] = this.#connections.map(() => []);
    const silent = new Set<number>();
    for (const [, connection] of open) {
      connection.send(frame("last", "subscribe", { channel: "jobs" }));
      await until(connection, "last");
    }
    const last = await this.#side.makeNoise(UNREAD);
    const isLast = ({ data }: RawFrame) => (data as RawFrame).topic === `job:${last}`;
    for (const [index, connection] of open) {
      for (;;) {
        const event = await nextEvent(connection);
        if (event === undefined) silent.add(index);
        if (event === undefined || isLast(event)) break;
        late[index]!.push(event);
      }
      connection.send(frame("unsubscribe", "unsubscribe", { channel: "jobs" }));
      await until(connection, "unsubscribe");
    }
    let run = "";
    for (const { stream, query } of this.#streams) {
      if (stream.hasEnded) continue;
      const channel = new URLSearchParams(query).get("channel");
      if (channel === "workflows" && run === "") {
        const { data } = await this.#side.call("workflow.start", ORDER);
        run = (data as { run_id: string }).run_id;
        this.#side.noise.add(run);
      }
      const topic = channel === "workflows" ? `workflow:${run}` : `job:${last}`;
      if (!["workflows", "jobs", "firehose"].includes(channel ?? "")) continue;
      await changes(stream, () => stream.events.some(({ data }) => data.topic === topic));
    }
    this.#connections.forEach((_, index) =>
      this.received.push({
        conn: letter(index),
        events: this.#ours(late[index]!),
        isSilent: silent.has(index),
      })
    );
    this.#streams.forEach(({ stream }, index) =>
      this.received.push({
        conn: `sse${index + 1}`,
        events: this.#ours(stream.events),
        isSilent: false,
      })
    );
  }

  /** Closes everything, and waits until the server has noticed. */
  async close(): Promise<void> {
    await this.#side.end();
    for (const connection of this.#connections) connection.close();
    for (const { stream } of this.#streams) stream.close();
    const end = performance.now() + TIMEOUT_MS;
    while (
      await this.#side.subscribers() > this.#side.subscribersBefore && performance.now() < end
    ) await realTime.pass(1);
  }

  /** Sends messages and a ping behind them, whose answer shows that all others have come. */
  async #exchange(index: number, messages: readonly Message[]): Promise<Exchange> {
    const connection = this.#connections[index]!;
    const sent = messages.map((message) => this.#side.resolve(message));
    if (!connection.isOpen) return exchangeOf(index, sent, [], true);
    for (const each of sent) connection.send(each);
    const fence = `fence-${++this.#fences}`;
    connection.send(JSON.stringify({ id: fence, type: "ping" }));
    const answers = await until(connection, fence);
    return exchangeOf(index, sent, answers, !connection.isOpen);
  }

  async #payment(index: number, payload: string): Promise<void> {
    const start = frame("1", "workflow.start", { name: "order-payment", input: { order_id: "1" } });
    const exchange = this.#exchange(index, [{ text: start }]);
    const body = `{"id":"2","type":"request","method":"workflow.event","token":"demo-token",` +
      `"data":{"name":"payment-received","payload":${payload}}}`;
    // If the connection's token does not allow it, the event would stay for a later run.
    if (await this.#side.runStarts(exchange)) {
      await this.#request({ method: "POST", path: "/dwp/rpc", type: "application/json", body });
    }
    this.#note(await exchange);
  }

  async #cancelRunning(index: number): Promise<void> {
    const before = this.#side.job.length;
    // Long enough for two requests on a busy machine.
    const data = { name: "sleep", payload: { ms: 300 } };
    this.#note(await this.#exchange(index, [{ text: frame("1", "job.enqueue", data) }]));
    if (this.#side.job.length === before) return;
    await this.#side.lastStarted();
    const text = frame("2", "job.cancel", { job_id: this.#side.job.at(-1) });
    const get = frame("3", "job.get", { job_id: this.#side.job.at(-1) });
    this.#note(await this.#exchange(index, [{ text }, { text: get }]));
  }

  async #request({ method, path, type, authorization, body }: HttpRequest): Promise<void> {
    const headers = new Headers();
    if (type !== undefined) headers.set("content-type", type);
    if (authorization !== undefined) headers.set("authorization", authorization);
    const sent = body === undefined ? undefined : withValues(body, this.#side);
    // A body of bytes, because `fetch` gives one of text a content type.
    const bytes = sent === undefined ? undefined : new TextEncoder().encode(sent);
    const response = await fetch(this.#side.http + path, { method, headers, body: bytes });
    const text = await response.text();
    const answer = parse(text);
    this.exchanges.push({
      conn: "http",
      sent: [`${method} ${path} ${JSON.stringify({ type, authorization })} ${sent ?? ""}`],
      answers: [{
        status: response.status,
        type: response.headers.get("content-type"),
        body: answer,
      }],
      isClosed: false,
    });
    this.#side.learn(answer);
  }

  async #listen(query: string): Promise<void> {
    const before = await this.#side.subscribers();
    const stream = await EventStream.open(`${this.#side.http}/dwp/sse?${query}`);
    this.#streams.push({ stream, query });
    await changes(stream, () => stream.hasEnded || stream.head.includes("retry"));
    const end = performance.now() + TIMEOUT_MS;
    while (!stream.hasEnded && await this.#side.subscribers() === before) {
      if (performance.now() > end) throw new Error(`the stream ${query} neither ends nor begins`);
      await realTime.pass(1);
    }
    const { status, type, head, hasEnded } = stream;
    this.exchanges.push({
      conn: "http",
      sent: [`GET /dwp/sse?${query}`],
      answers: [{ status, type, head, hasEnded }],
      isClosed: false,
    });
  }

  async #close(index: number): Promise<void> {
    const connection = this.#connections[index]!;
    if (!connection.isOpen) return;
    const before = await this.#side.subscribers();
    connection.close();
    const end = performance.now() + TIMEOUT_MS;
    while (await this.#side.subscribers() === before && performance.now() < end) {
      await realTime.pass(1);
    }
  }

  async #settle(): Promise<void> {
    this.unsettled += (await this.#side.settle()).length;
  }

  #note(exchange: Exchange): void {
    for (const answer of exchange.answers) this.#side.learn(answer);
    this.exchanges.push(exchange);
  }

  #ours<T extends RawFrame | StreamEvent>(events: readonly T[]): T[] {
    return events.filter(({ data }) => {
      const id = String((data as RawFrame).topic).replace(/^\w+:/, "");
      return !this.#side.noise.has(id) && !this.#side.isEarlier(id);
    });
  }
}

function exchangeOf(
  index: number,
  sent: readonly (string | Uint8Array)[],
  answers: readonly RawFrame[],
  isClosed: boolean,
): Exchange {
  const texts = sent.map((each) => typeof each === "string" ? each : `bytes ${each.join(" ")}`);
  return { conn: letter(index), sent: texts, answers, isClosed };
}

function letter(index: number): string {
  return "abc"[index]!;
}

function frame(id: string, method: string, data: unknown): string {
  return JSON.stringify({ id, type: "request", method, data });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Takes the next event, or `undefined` if none comes. */
async function nextEvent(connection: Connection): Promise<RawFrame | undefined> {
  try {
    return await connection.next("event", SILENCE_MS);
  } catch {
    return undefined;
  }
}

/** Takes the next answer, or `undefined` if the connection closed. */
async function next(connection: Connection): Promise<RawFrame | undefined> {
  try {
    return await connection.next("response", TIMEOUT_MS);
  } catch (error) {
    if (connection.isOpen) throw error;
    return undefined;
  }
}

/** Takes the answers before the one to a request. */
async function until(connection: Connection, correlId: string): Promise<RawFrame[]> {
  const answers: RawFrame[] = [];
  for (;;) {
    const answer = await next(connection);
    if (answer === undefined || answer.correl_id === correlId) return answers;
    answers.push(answer);
  }
}

/** Waits until a condition holds that depends on a stream. */
async function changes(stream: EventStream, condition: () => boolean): Promise<void> {
  if (!await realTime.until(condition, TIMEOUT_MS, () => stream.changed())) {
    throw new Error(`the stream only sent ${stream.head}`);
  }
}
