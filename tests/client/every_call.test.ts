// Each call that sends one request, over both transports: what it sends, and how it can end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Dispatch, DispatchCalls, DispatchError, DispatchRpc, type Hooks } from "../../mod.ts";
import { isRead } from "../../client/connection/requests.ts";
import { abortable } from "../../runtime/abortable.ts";
import { METHOD_SCOPES } from "../../protocol/mod.ts";
import { createScriptedServer, type Frame } from "../../testing/mod.ts";
import { type AnyClient, type CallExample, REQUEST_CALLS } from "../helpers/calls.ts";
import { within } from "../helpers/eventually.ts";

type Answer = Pick<Frame, "data" | "error"> | "none";

/** A client whose server answers every request in one way. */
interface Fixture extends AsyncDisposable {
  client: AnyClient;
  /** The requests that arrived, without the authentication. */
  requests: Frame[];
  close(): void | Promise<void>;
}

type Connect = (answer: Answer, hooks?: Hooks) => Promise<Fixture>;

const overWebSocket: Connect = async (answer, hooks) => {
  const requests: Frame[] = [];
  const server = await createScriptedServer(async (peer) => {
    for (;;) {
      const request = await peer.next();
      requests.push(request);
      if (answer === "none") continue;
      if (answer.error) peer.refuse(request, answer.error.code, answer.error.message);
      else peer.answer(request, answer.data);
    }
  });
  const client = await Dispatch.connect({ url: server.url, token: "t", hooks });
  return {
    client,
    requests,
    close: () => client.close(),
    async [Symbol.asyncDispose]() {
      await client.close();
      await server.close();
    },
  };
};

const overHttp: Connect = async (answer, hooks) => {
  const requests: Frame[] = [];
  const client = await DispatchRpc.connect({
    url: "http://server.test/dwp",
    token: "t",
    hooks,
    fetch: (_url, init) => {
      const request = JSON.parse(init!.body as string) as Frame;
      requests.push(request);
      if (answer !== "none") {
        const type = answer.error ? "error" : "response";
        const frame = { id: "1", type, correl_id: request.id, ...answer };
        return Promise.resolve(new Response(JSON.stringify(frame)));
      }
      return abortable(new Promise(() => {}), init!.signal!);
    },
  });
  return {
    client,
    requests,
    close: () => client.close(),
    [Symbol.asyncDispose]: () => Promise.resolve(client.close()),
  };
};

/** Returns the part of a result that the example describes: of a handle, some properties. */
function comparable(result: unknown, { result: expected }: CallExample): unknown {
  const isHandle = typeof result === "object" && result !== null &&
    ![Object.prototype, Array.prototype].includes(Object.getPrototypeOf(result));
  if (!isHandle) return result;
  const handle = result as Record<string, unknown>;
  return Object.fromEntries(Object.keys(expected as object).map((key) => [key, handle[key]]));
}

const TRANSPORTS = { "a WebSocket": overWebSocket, "HTTP": overHttp };

for (const [transport, connect] of Object.entries(TRANSPORTS)) {
  for (const [name, example] of Object.entries(REQUEST_CALLS)) {
    test(`${name} over ${transport} sends its request and decodes the answer`, async () => {
      const seen: unknown[] = [];
      await using it = await connect({ data: example.answer }, {
        request: (info) => {
          seen.push(info);
          return (error) => seen.push(error);
        },
      });
      const result = await within(example.send(it.client), name);
      assert.deepEqual(comparable(result, example), example.result);
      assert.deepEqual(
        it.requests.map(({ type, method, data }) => ({ type, method, data })),
        [{ type: "request", method: example.method, data: example.data }],
      );
      assert.deepEqual(seen, [{ method: example.method, subject: example.subject }, undefined]);
    });

    test(`${name} over ${transport} rejects with the server's code and message`, async () => {
      await using it = await connect({ error: { code: 409, message: "conflict" } });
      await assert.rejects(within(example.send(it.client), name), {
        name: "DispatchError",
        code: 409,
        message: `Cannot ${example.what}: the server answered 409 conflict`,
      });
    });

    test(`${name} over ${transport} rejects when its timeout has passed`, async () => {
      await using it = await connect("none");
      await assert.rejects(within(example.send(it.client, { timeout: 5 }), name), {
        code: "timeout",
        message: `Cannot ${example.what}: no answer within 5 ms`,
        delivery: "unknown",
      });
    });

    test(`${name} over ${transport} rejects with the reason of its signal`, async () => {
      await using it = await connect("none");
      const stop = new AbortController();
      const reason = new Error("no longer needed");
      const call = example.send(it.client, { signal: stop.signal });
      stop.abort(reason);
      await assert.rejects(within(call, name), (error) => error === reason);
    });

    test(`${name} over ${transport} rejects on a closed client`, async () => {
      await using it = await connect("none");
      await it.close();
      await assert.rejects(within(example.send(it.client), name), {
        name: "ConnectionError",
        code: "closed",
        message: `Cannot ${example.what}: the client is closed`,
        delivery: "not-sent",
      });
      assert.deepEqual(it.requests, []);
    });

    const { malformed } = example;
    if (!malformed) continue;
    test(`${name} over ${transport} rejects a malformed answer`, async () => {
      await using it = await connect({ data: malformed.answer });
      await assert.rejects(within(example.send(it.client), name), (error) => {
        return error instanceof DispatchError && error.code === malformed.code;
      });
    });
  }
}

test("every call of `DispatchCalls` has an example", () => {
  const methods = Object.getOwnPropertyNames(DispatchCalls.prototype);
  const makesHandle = ["job", "run"];
  assert.deepEqual(
    methods.filter((name) => name !== "constructor" && !makesHandle.includes(name)).toSorted(),
    Object.keys(REQUEST_CALLS).toSorted(),
  );
});

test("the protocol knows the method of every call", () => {
  const methods = Object.values(REQUEST_CALLS).map(({ method }) => method);
  assert.deepEqual(methods.filter((method) => !Object.hasOwn(METHOD_SCOPES, method)), []);
});

test("a method counts as a read exactly if its scope only allows reading", () => {
  for (const [method, scope] of Object.entries(METHOD_SCOPES)) {
    assert.equal(isRead(method), scope?.endsWith(":read") === true, method);
  }
});

test("call refuses `workflow.start` over HTTP", async () => {
  await using it = await overHttp({ data: {} });
  await assert.rejects(it.client.call("workflow.start", { name: "noop" }), (error) => {
    return error instanceof DispatchError && error.code === "not_possible";
  });
  assert.deepEqual(it.requests, []);
});
