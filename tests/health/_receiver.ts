import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that a receiver has got. */
export interface Received {
  method: string;
  /** The path with the query. */
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** An answer: a status code, none at all, a redirect, or a body of a length. */
export type Answer =
  | number
  | "hang"
  | { redirect: string }
  | { bytes: number }
  | { status: number; retryAfter: string };

/** A server that receives requests and gives answers in turn: the last one again and again. */
export class Receiver {
  readonly received: Received[] = [];
  readonly url: string;
  #server: ReturnType<typeof createServer>;

  private constructor(server: ReturnType<typeof createServer>, received: Received[]) {
    this.#server = server;
    this.received = received;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /**
   * Starts a server on a free port.
   *
   * @param answers What it answers in turn.
   */
  static async start(...answers: Answer[]): Promise<Receiver> {
    const received: Received[] = [];
    const server = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request.setEncoding("utf8")) body += chunk;
      const { method = "", url: path = "", headers } = request;
      received.push({ method, path, headers, body });
      const answer = answers.length > 1 ? answers.shift()! : answers[0] ?? 200;
      if (answer === "hang") return;
      if (typeof answer === "number") return void response.writeHead(answer).end();
      if ("redirect" in answer) {
        return void response.writeHead(307, { location: answer.redirect }).end();
      }
      if ("status" in answer) {
        const { status, retryAfter } = answer;
        return void response.writeHead(status, { "retry-after": retryAfter }).end();
      }
      // A client that has left must not end the test.
      response.on("error", () => {});
      response.writeHead(200).end("x".repeat(answer.bytes));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Receiver(server, received);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
