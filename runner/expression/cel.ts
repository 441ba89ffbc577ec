import type { Environment, ParseResult } from "@marcbachmann/cel-js";
import { type Ast, visitAst } from "./ast.ts";
import { RESULT_TYPES } from "./types.ts";

/** A parsed expression. */
export type Parsed = ParseResult;

/** What the functions of expressions take from outside. */
export interface Ambient {
  /** Milliseconds since 1970. */
  now(): number;
  /** A number from 0 up to, not including, 1. */
  random(): number;
}

/** The expression language, loaded. */
export interface Cel {
  /** For checks: nothing in it is known but the functions and the types of results. */
  typed(): Environment;
  /** For evaluation: every name is looked up in the values that are handed in. */
  parse(text: string): Parsed;
  /** The names of all functions and macros. */
  functionNames(): readonly string[];
}

/** What is wrong with an expression, in the expression's own offsets. */
export interface CelFault {
  /** A stable word, such as `no_such_key`. */
  code: string;
  /** One line. */
  summary: string;
  /** Where it begins. */
  start: number;
  /** Where it ends. */
  end: number;
}

/** An expression may have this many operators, names and values. */
const MAX_NODES = 2000;

let loading: Promise<Cel> | undefined;
let ambient: Ambient = { now: () => Date.now(), random: () => Math.random() };

/** Sets where `now()`, `uuid()` and `random(n)` come from while the callback is evaluated. */
export function withAmbient<T>(given: Ambient, callback: () => T): T {
  const before = ambient;
  ambient = given;
  try {
    return callback();
  } finally {
    ambient = before;
  }
}

/** Loads the expression language, once. */
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
      // What is nested in a long chain is walked by recursion, and a stack has an end.
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

/** A map literal with a key `__proto__` would come out without it: `{"__proto__": 1} == {}`. */
function refusePrototypes(ast: Ast): void {
  visitAst(ast, (node) => {
    if (node.op !== "map") return;
    for (const [key] of node.args) {
      if (key.op !== "value" || key.args !== "__proto__") continue;
      const summary = "a map of an expression cannot have the key `__proto__`";
      throw Object.assign(new Error(summary), { code: "bad_key", summary, range: key });
    }
  });
}

/** What an error of the expression language says. */
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
    if (below < 1n) throw new Error(`random(n) needs at least 1, not ${below}`);
    return BigInt(Math.floor(ambient.random() * Number(below)));
  });
  environment.registerFunction(
    "string(google.protobuf.Timestamp): string",
    (time: Date) => time.toISOString(),
  );
  return environment;
}

/** A random UUID out of the injected numbers, so that a seed repeats it. */
function uuid(): string {
  const bytes = Array.from({ length: 16 }, () => Math.floor(ambient.random() * 256));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [8, 12, 16, 20].reduceRight((text, at) => `${text.slice(0, at)}-${text.slice(at)}`, hex);
}
