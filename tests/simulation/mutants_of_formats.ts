import { type Mutant, mutant } from "./mutants.ts";

/** Further mutants that the simulation must find: MessagePack, and the way back from it. */
export const FORMAT_MUTANTS: readonly Mutant[] = [
  mutant("MessagePack is asked for again after a fallback", "client/connection/connector.ts", [
    "        this.#useMsgpack = false;\n",
    "",
  ]),
  mutant("a fallback to JSON is not told", "client/connection/connector.ts", [
    "        this.#host.onFormatFallback(error);\n",
    "",
  ]),
  mutant("a fallback to JSON ends the attempt", "client/connection/connector.ts", [
    "this.#host.onFormatFallback(error);\n",
    "this.#host.onFormatFallback(error);\n        throw error;\n",
  ]),
  mutant("lanes never have MessagePack", "client/connection/connector.ts", [
    "const binary = this.#useMsgpack\n",
    "const binary = this.#useMsgpack && pings\n",
  ]),
  mutant("a client says that its frames are JSON, whatever they are", "client/connection/link.ts", [
    "return this.#codec.name;",
    'return "json";',
  ]),
  mutant("a client goes on in JSON after it was given MessagePack", "client/connection/link.ts", [
    "if (binary && format === binary.name) this.#codec = binary;",
    "void format;",
  ]),
  mutant("a connection lost before its answer is no reason for JSON", "client/connection/link.ts", [
    "binary && wasOpen ? formatError(cause) : cause",
    "binary && wasOpen && !cause ? formatError(cause) : cause",
  ]),
  mutant("any failure to connect is a reason for JSON", "client/connection/link.ts", [
    "binary && wasOpen ? formatError(cause) : cause",
    "binary ? formatError(cause) : cause",
  ]),
  mutant("the time of a frame in MessagePack stays as it was decoded", "protocol/msgpack.ts", [
    "  if (ts instanceof Date) value.ts = ts.toISOString();\n",
    "",
  ]),
  mutant("frames in MessagePack are sent without a time", "protocol/msgpack.ts", [
    "...(head.ts === undefined ? {} : { ts: new Date(head.ts) }),",
    "ts: undefined,",
  ]),
  mutant("what a frame in MessagePack holds is text in text", "protocol/msgpack.ts", [
    "new TextEncoder().encode(data)",
    "new TextEncoder().encode(JSON.stringify(data))",
  ]),
  mutant("half a frame in MessagePack is an error of another kind", "protocol/msgpack.ts", [
    "throw new FrameError(`malformed MessagePack: ${cause}`, hex(message), { cause });",
    "throw cause;",
  ]),
];
