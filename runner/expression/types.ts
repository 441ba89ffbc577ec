/** The types of single values that recipes can have. */
export type ScalarType =
  | "string"
  | "int"
  | "uint"
  | "double"
  | "bool"
  | "null"
  | "bytes"
  | "dyn"
  | "google.protobuf.Timestamp"
  | "google.protobuf.Duration";

/** The records that steps of several kinds leave. */
export type ResultTypeName =
  | "JobResult"
  | "RunResult"
  | "CheckpointResult"
  | "EventResult"
  | "StateResult"
  | "ErrorResult";

/**
 * A type as CEL names it: a scalar, a list, a map, or a record. A record is one of
 * {@linkcode RESULT_TYPES}, or is defined for a single step: `UseResult_paid`.
 */
export type CelType =
  | ScalarType
  | `list<${string}>`
  | `map<${string}>`
  | `optional<${string}>`
  | ResultTypeName
  | `${string}Result_${string}`;

/** A map with known fields. */
export interface RecordType {
  /** The types of the fields. */
  fields: Record<string, CelType>;
  /** The fields that can be absent. */
  optional?: readonly string[];
  /**
   * Whether expressions must ask for optional fields: they would fail when nobody looks.
   * @default {false}
   */
  mustAsk?: boolean;
  /** How messages name a value of this type, such as `a job`. */
  title: string;
}

/** The records that steps leave under their ids. */
export const RESULT_TYPES: Readonly<Record<ResultTypeName, RecordType>> = {
  JobResult: {
    title: "a job",
    fields: {
      job_id: "string",
      name: "string",
      queue: "string",
      priority: "int",
      state: "string",
      payload: "dyn",
      retry_count: "int",
      max_retries: "int",
      last_error: "string",
      created_at: "string",
      started_at: "string",
      completed_at: "string",
      duration_ms: "int",
      events: "list<EventResult>",
    },
    optional: ["last_error", "started_at", "completed_at", "duration_ms"],
  },
  RunResult: {
    title: "a run",
    fields: {
      run_id: "string",
      name: "string",
      state: "string",
      input: "dyn",
      output: "dyn",
      error: "string",
      started_at: "string",
      completed_at: "string",
      duration_ms: "int",
      steps: "list<CheckpointResult>",
      events: "list<EventResult>",
    },
    optional: ["output", "error", "completed_at", "duration_ms"],
  },
  CheckpointResult: {
    title: "a checkpoint",
    fields: { step_name: "string", created_at: "string", data: "dyn" },
    optional: ["data"],
  },
  EventResult: {
    title: "an event",
    fields: { type: "string", ts: "string", topic: "string", data: "dyn" },
  },
  StateResult: {
    title: "a state",
    fields: { state: "string", at: "string" },
  },
  ErrorResult: {
    title: "an error",
    fields: { kind: "string", message: "string", code: "dyn" },
  },
};

/** The record with this name, if it is one of {@linkcode RESULT_TYPES}. */
export function recordType(name: string): RecordType | undefined {
  return Object.hasOwn(RESULT_TYPES, name) ? RESULT_TYPES[name as ResultTypeName] : undefined;
}

/**
 * A type without what a single step adds to it: a record that is defined for a step is named after
 * the record it extends and the step, so `JobResult_order` is a `JobResult`. The same goes for the
 * items of a list.
 */
export function baseType(type: CelType): CelType {
  return type.replace(/\b([A-Za-z]+Result)_\w+/, "$1") as CelType;
}

/** The type of a list's items; `undefined` for everything else. */
export function itemType(list: CelType | undefined): CelType | undefined {
  return /^list<(.*)>$/.exec(list ?? "")?.[1] as CelType | undefined;
}

/** Whether a type is a record. */
export function isRecordType(type: CelType): boolean {
  return /^[A-Za-z]+Result$/.test(baseType(type));
}

/** The type of a JSON value that is written in a recipe. */
export function typeOfValue(value: unknown): CelType {
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "number":
      return Number.isInteger(value) ? "int" : "double";
    default:
      break;
  }
  if (Array.isArray(value)) {
    const items = new Set(value.map(typeOfValue));
    return items.size === 1 ? `list<${[...items][0]}>` : "list<dyn>";
  }
  return value === null ? "dyn" : ANY_MAP;
}

/** The type of a map whose keys and values are not known. */
export const ANY_MAP: CelType = "map<string, dyn>";

/**
 * The type of a value after it has been stored as JSON, as far as it is known: a timestamp becomes
 * text, and `2.0` becomes `2`.
 */
export function keptType(type: CelType): CelType {
  if (type.startsWith("list<")) return "list<dyn>";
  if (type.startsWith("map<")) return ANY_MAP;
  return /^(string|int|bool)$/.test(type) ? type : "dyn";
}

/** The name of a type in messages. */
export function describeType(type: string): string {
  const base = baseType(type as CelType);
  const record = recordType(base);
  if (record) return record.title;
  if (type.startsWith("list")) return "a list";
  // The type of a root such as `vars` is called `$vars`.
  if (/^(map|\$)/.test(type)) return "a map";
  const optional = /^optional<(.*)>$/.exec(type);
  if (optional) return `an optional value (${describeType(optional[1]!)})`;
  const [, kind] = /^([A-Z]\w*)Result$/.exec(base) ?? [];
  const own = kind?.replace(/(?!^)[A-Z]/g, "_$&").toLowerCase();
  return TITLES[base] ?? (own === undefined ? `a ${base}` : `the result of a \`${own}\` step`);
}

const TITLES: Record<string, string> = {
  string: "text",
  int: "a whole number",
  uint: "a whole number",
  double: "a number",
  bool: "true or false",
  null: "null",
  dyn: "any value",
  "google.protobuf.Timestamp": "a time",
  "google.protobuf.Duration": "a duration",
  bytes: "bytes",
  StepResult: "a map",
};

/** Whether a value of one type can be used where another is wanted. */
export function suits(type: CelType, wanted: CelType): boolean {
  if (type === "dyn" || wanted === "dyn" || type === wanted) return true;
  return (wanted === "double" && type === "int") ||
    (wanted.startsWith("list") && type.startsWith("list")) ||
    (wanted.startsWith("map") && type.startsWith("map"));
}
