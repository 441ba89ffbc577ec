import { GoJsonError, itemsOf, membersOf, type RawValue, scanValue, unquote } from "./scan.ts";
import { normalizeTime } from "./time.ts";

/**
 * The Go type that a JSON value is decoded into. `raw` keeps the JSON text; `any` accepts every
 * value; lists and structs decode their contents.
 */
export type GoType =
  | "string"
  | "int"
  | "float64"
  | "bool"
  | "raw"
  | "time"
  | "any"
  | "map"
  | { list: GoType }
  | GoStruct;

/** A Go struct. */
export interface GoStruct {
  /** The type as Go prints it: `dwp.Frame`, or `struct { … }` for an anonymous struct. */
  type: string;
  /** The members by their JSON names. */
  fields: Record<string, GoType>;
  /** The Go names of the members' types, such as `dwp.FrameType`, for members of a named type. */
  typeNames?: Record<string, string>;
}

/** The position of a value in a struct, for error messages. */
interface FieldPath {
  struct: string;
  keys: string[];
}

interface DecodeState {
  /** Go continues after a value of the wrong type and reports the first one at the end. */
  firstError?: GoJsonError;
}

/**
 * Decodes a JSON text as Go's `json.Unmarshal` does: unknown members are ignored, `null` leaves a
 * member unchanged, the last of duplicate members wins, and keys match regardless of case.
 *
 * @throws {GoJsonError} If the text is invalid or has a value of the wrong type; the message is
 * Go's.
 */
export function decodeGo(text: string, type: GoType): unknown {
  const state: DecodeState = {};
  const value = decodeValue(scanValue(text), type, undefined, zeroOf(type), state);
  if (state.firstError) throw state.firstError;
  return value;
}

/** Returns the zero value of a type: the value of an absent member. */
export function zeroOf(type: GoType): unknown {
  switch (type) {
    case "string":
      return "";
    case "int":
    case "float64":
      return 0;
    case "bool":
      return false;
    case "raw":
    case "time":
      return undefined;
    case "any":
    case "map":
      return null;
  }
  if ("list" in type) return null;
  let zero = zeros.get(type);
  if (!zero) {
    zero = {};
    for (const [key, field] of Object.entries(type.fields)) zero[key] = zeroOf(field);
    zeros.set(type, zero);
  }
  return { ...zero };
}

/** Caches the zero values of structs, which are decoded often. */
const zeros = new WeakMap<GoStruct, Record<string, unknown>>();

function decodeValue(
  value: RawValue,
  type: GoType,
  path: FieldPath | undefined,
  old: unknown,
  state: DecodeState,
  typeName?: string,
): unknown {
  if (type === "raw") return value.raw;
  if (type === "time") {
    if (value.kind === "null") return old;
    if (value.kind !== "string") {
      throw new GoJsonError("Time.UnmarshalJSON: input is not a JSON string");
    }
    return normalizeTime(value.raw.slice(1, -1));
  }
  if (type === "any") {
    state.firstError ??= numberProblem(value.raw);
    return JSON.parse(value.raw);
  }
  if (value.kind === "null") return old;
  const mismatch = (found: string): unknown => {
    const name = typeName ?? nameOf(type);
    const where = path ? `Go struct field ${path.struct}.${path.keys.join(".")}` : "Go value";
    state.firstError ??= new GoJsonError(
      `json: cannot unmarshal ${found} into ${where} of type ${name}`,
    );
    return old;
  };
  switch (type) {
    case "string":
      return value.kind === "string" ? unquote(value.raw) : mismatch(value.kind);
    case "bool":
      return value.kind === "bool" ? value.raw === "true" : mismatch(value.kind);
    case "int":
      if (value.kind !== "number") return mismatch(value.kind);
      return isInt64(value.raw) ? Number(value.raw) : mismatch(`number ${value.raw}`);
    case "float64":
      if (value.kind !== "number") return mismatch(value.kind);
      return Number.isFinite(Number(value.raw))
        ? Number(value.raw)
        : mismatch(`number ${value.raw}`);
    case "map":
      if (value.kind !== "object") return mismatch(value.kind);
      state.firstError ??= numberProblem(value.raw);
      return JSON.parse(value.raw);
  }
  if ("list" in type) {
    if (value.kind !== "array") return mismatch(value.kind);
    return itemsOf(value.raw).map((item) =>
      decodeValue(item, type.list, path, zeroOf(type.list), state)
    );
  }
  if (value.kind !== "object") return mismatch(value.kind);
  const result = { ...(old as Record<string, unknown> | undefined ?? {}) };
  for (const member of membersOf(value.raw)) {
    const name = matchField(type, member.key);
    if (name === undefined) continue;
    const memberPath = { struct: shortName(type.type), keys: [...(path?.keys ?? []), name] };
    const field = type.fields[name]!;
    const typeName = type.typeNames?.[name];
    result[name] = decodeValue(member, field, memberPath, result[name], state, typeName);
  }
  return result;
}

/** Finds a number that a float64 cannot hold, in the text of a value. */
function numberProblem(raw: string): GoJsonError | undefined {
  // Shorter numbers without an exponent fit.
  if (!/[eE]|\d{309}/.test(raw)) return undefined;
  for (const [token] of raw.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g)) {
    if (token.startsWith('"') || Number.isFinite(Number(token))) continue;
    return new GoJsonError(
      `json: cannot unmarshal number ${token} into Go value of type float64`,
    );
  }
}

function matchField(type: GoStruct, key: string): string | undefined {
  if (Object.hasOwn(type.fields, key)) return key;
  const folded = fold(key);
  return Object.keys(type.fields).find((name) => fold(name) === folded);
}

function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}

/** The struct's name in error messages; anonymous structs have none, so errors read `.order_id`. */
function shortName(type: string): string {
  return type.startsWith("struct ") ? "" : type.slice(type.lastIndexOf(".") + 1);
}

function nameOf(type: GoType): string {
  if (type === "map") return "map[string]interface {}";
  if (typeof type === "string") return type;
  return "list" in type ? `[]${nameOf(type.list)}` : type.type;
}

function isInt64(raw: string): boolean {
  if (!/^-?[0-9]+$/.test(raw)) return false;
  if (raw.length < 16) return true;
  const value = BigInt(raw);
  return value >= -(2n ** 63n) && value < 2n ** 63n;
}
