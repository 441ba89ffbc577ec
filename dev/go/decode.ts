import { GoJsonError, itemsOf, membersOf, type RawValue, scanValue, unquote } from "./scan.ts";
import { checkGoTime } from "./time.ts";

/**
 * The type a member is decoded into. `raw` keeps the JSON text; `any` takes every value; a list and
 * a struct decode what is inside them.
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

/** A struct: the name Go shows for it and its members by their JSON names. */
export interface GoStruct {
  /** As Go prints the type: `dwp.Frame`, or `struct { … }` for one that has no name. */
  type: string;
  /** Its members. */
  fields: Record<string, GoType>;
  /** The Go type's name of a member that is more than its kind, like `dwp.FrameType`. */
  typeNames?: Record<string, string>;
}

/** Where in a struct a value stands, for errors. */
interface Place {
  struct: string;
  path: string[];
}

interface Decoding {
  /** Go goes on after a value of a wrong type and reports the first one at the end. */
  firstError?: GoJsonError;
}

/**
 * Decodes a JSON text into a struct as Go does: unknown members ignored, `null` leaves a member as
 * it was, the last of two members of one name wins, keys match whatever their case.
 *
 * @throws {GoJsonError} With Go's words.
 */
export function decodeGo(text: string, type: GoType): unknown {
  const decoding: Decoding = {};
  const value = decodeValue(scanValue(text), type, undefined, zeroOf(type), decoding);
  if (decoding.firstError) throw decoding.firstError;
  return value;
}

/** The value a member has that is absent. */
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

/** A struct's zero value, for one that is decoded more than once. */
const zeros = new WeakMap<GoStruct, Record<string, unknown>>();

function decodeValue(
  value: RawValue,
  type: GoType,
  place: Place | undefined,
  old: unknown,
  decoding: Decoding,
  typeName?: string,
): unknown {
  if (type === "raw") return value.raw;
  if (type === "time") {
    if (value.kind === "null") return old;
    if (value.kind !== "string") {
      throw new GoJsonError("Time.UnmarshalJSON: input is not a JSON string");
    }
    return checkGoTime(value.raw.slice(1, -1));
  }
  if (type === "any") return JSON.parse(value.raw);
  if (value.kind === "null") return old;
  const mismatch = (what: string): unknown => {
    const name = typeName ?? nameOf(type);
    const where = place ? `Go struct field ${place.struct}.${place.path.join(".")}` : "Go value";
    decoding.firstError ??= new GoJsonError(
      `json: cannot unmarshal ${what} into ${where} of type ${name}`,
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
      return value.kind === "object" ? JSON.parse(value.raw) : mismatch(value.kind);
  }
  if ("list" in type) {
    if (value.kind !== "array") return mismatch(value.kind);
    return itemsOf(value.raw).map((item) =>
      decodeValue(item, type.list, place, zeroOf(type.list), decoding)
    );
  }
  if (value.kind !== "object") return mismatch(value.kind);
  const result = { ...(old as Record<string, unknown> | undefined ?? {}) };
  for (const member of membersOf(value.raw)) {
    const name = fieldFor(type, member.key);
    if (name === undefined) continue;
    const inside = { struct: shortName(type.type), path: [...(place?.path ?? []), name] };
    const field = type.fields[name]!;
    const before = result[name];
    result[name] = decodeValue(member, field, inside, before, decoding, type.typeNames?.[name]);
  }
  return result;
}

function fieldFor(type: GoStruct, key: string): string | undefined {
  if (Object.hasOwn(type.fields, key)) return key;
  const folded = fold(key);
  return Object.keys(type.fields).find((name) => fold(name) === folded);
}

function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}

/** A struct without a name has none in errors either: `.order_id`. */
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
