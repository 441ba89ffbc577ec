import type { Environment, ParseResult } from "@marcbachmann/cel-js";
import { type Ast, visitAst } from "./ast.ts";
import type { Span } from "./span.ts";
import { RESULT_TYPES } from "./types.ts";

/** A parsed expression, which evaluates itself when called with values. */
export type Parsed = ParseResult;

/** The clock and random numbers that the functions of expressions use. */
export interface Ambient {
  /** The current time in milliseconds since 1970. */
  now(): number;
  /** A random number, at least 0 and less than 1. */
  random(): number;
}

/** The expression language once it has been loaded. */
export interface Cel {
  /** A new environment for checks, which knows only the functions and the types of results. */
  typed(): Environment;
  /** Parses an expression for evaluation. Names are looked up in the values given to it. */
  parse(text: string): Parsed;
  /** The names of all functions and macros. */
  functionNames(): readonly string[];
}

/** An error of the expression language, with the range of the expression it is about. */
export interface CelFault extends Span {
  /** A stable code, such as `no_such_key`. */
  code: string;
  /** The message, in one line. */
  summary: string;
}

/** The most operators, names and values an expression may have. */
const MAX_NODES = 2000;

let loading: Promise<Cel> | undefined;
let ambient: Ambient = { now: () => Date.now(), random: () => Math.random() };

/** Uses a clock and random numbers for `now()`, `uuid()` and `random(n)` while the callback runs. */
export function withAmbient<T>(given: Ambient, callback: () => T): T {
  const before = ambient;
  ambient = given;
  try {
    return callback();
  } finally {
    ambient = before;
  }
}

/** Loads the expression language on the first call. */
export function loadCel(): Promise<Cel> {
  return loading ??= load();
}

async function load(): Promise<Cel> {
  const { Environment } = await import("@marcbachmann/cel-js/evaluator");
  const dynamic = addFunctions(
    new Environment({
      homogeneousAggregateLiterals: false,
      enableOptionalTypes: true,
      unlistedVariablesAreDyn: true,
      // A long chain of operators is a deep tree, and is walked by recursion.
      limits: { maxAstNodes: MAX_NODES },
    }),
  );
  let typed: Environment | undefined;
  const parsed = new Map<string, Parsed>();
  return {
    typed() {
      if (!typed) {
        typed = dynamic.clone({ unlistedVariablesAreDyn: false });
        for (const [name, { fields }] of Object.entries(RESULT_TYPES).reverse()) {
          typed.registerType(name, { fields: { ...fields } });
        }
      }
      return typed.clone();
    },
    parse(text) {
      let result = parsed.get(text);
      if (!result) {
        result = dynamic.parse(text);
        refusePrototypes(result.ast);
        parsed.set(text, result);
      }
      return result;
    },
    functionNames() {
      return [...new Set(dynamic.getDefinitions().functions.map(({ name }) => name))];
    },
  };
}

/** Refuses map literals with a key `__proto__`, which the library would drop. */
function refusePrototypes(ast: Ast): void {
  visitAst(ast, (node) => {
    if (node.op !== "map") return;
    for (const [key] of node.args) {
      if (key.op !== "value" || key.args !== "__proto__") continue;
      const summary = "a map literal cannot have the key `__proto__`";
      throw Object.assign(new Error(summary), { code: "bad_key", summary, range: key });
    }
  });
}

/** Reads the code, message and range of an error that the expression language threw. */
export function faultOf(error: unknown, length: number): CelFault {
  const { code, summary, range } = error as {
    code?: string;
    summary?: string;
    range?: { start: number; end: number };
  };
  return {
    code: code ?? "unknown",
    summary: summary ?? (error instanceof Error ? error.message : String(error)),
    start: range?.start ?? 0,
    end: range?.end ?? length,
  };
}

function addFunctions(environment: Environment): Environment {
  environment.registerFunction("uuid(): string", uuid);
  environment.registerFunction("now(): google.protobuf.Timestamp", () => new Date(ambient.now()));
  environment.registerFunction("random(int): int", (below: bigint) => {
    if (below < 1n) throw new Error(`random(n) needs an n of at least 1, not ${below}`);
    return BigInt(Math.floor(ambient.random() * Number(below)));
  });
  environment.registerFunction(
    "string(google.protobuf.Timestamp): string",
    (time: Date) => time.toISOString(),
  );
  return environment;
}

/** A UUID made of the injected random numbers, so that a seed reproduces it. */
function uuid(): string {
  const bytes = Array.from({ length: 16 }, () => Math.floor(ambient.random() * 256));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [8, 12, 16, 20].reduceRight((text, at) => `${text.slice(0, at)}-${text.slice(at)}`, hex);
}
