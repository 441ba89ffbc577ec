/**
 * A type as CEL names it: `string`, `int`, `double`, `bool`, `dyn`, `list<…>`, `map<…>`, or a name
 * of {@linkcode RESULT_TYPES}.
 */
export type CelType = string;

/** The fields of a type, and which of them can be absent. */
export interface RecordType {
  /** What the fields hold. */
  fields: Record<string, CelType>;
  /** Fields that are not always there. */
  optional?: readonly string[];
  /** How messages name a value of the type. */
  title: string;
}

/** What steps leave under their ids. */
export const RESULT_TYPES = {
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
  PublishResult: {
    title: "a published event",
    fields: { event_id: "string", name: "string" },
  },
  StateResult: {
    title: "a state that was seen",
    fields: { state: "string", at: "string" },
  },
  ErrorResult: {
    title: "an error",
    fields: { kind: "string", message: "string", code: "dyn" },
  },
  WaitResult: {
    title: "a wait",
    fields: { outcome: "string", waited_ms: "int", states: "list<StateResult>" },
  },
  ChannelWaitResult: {
    title: "a wait on a channel",
    fields: { outcome: "string", waited_ms: "int", events: "list<EventResult>" },
  },
} as const satisfies Record<string, RecordType>;

/** A name of {@linkcode RESULT_TYPES}. */
export type ResultTypeName = keyof typeof RESULT_TYPES;

/** What a type of {@linkcode RESULT_TYPES} is made of. */
export function recordType(name: CelType): RecordType | undefined {
  return Object.hasOwn(RESULT_TYPES, name) ? RESULT_TYPES[name as ResultTypeName] : undefined;
}

/**
 * A type without what a single step adds to it: a step's own type is named after the one it builds
 * on and the step, so `JobResult_order` is a `JobResult`. A list's items are treated the same way.
 */
export function baseType(type: CelType): CelType {
  return type.replace(/\b([A-Za-z]+Result)_\w+/, "$1");
}

/** Whether a type is one of {@linkcode RESULT_TYPES}, or a step's own. */
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

/** The type of a map of which no more is known. */
export const ANY_MAP: CelType = "map<string, dyn>";

/**
 * The type that an expression's value has once it was kept as JSON, as far as that is known: a time
 * is text then, and a `2.0` is not told from a `2`.
 */
export function keptType(type: CelType): CelType {
  if (type.startsWith("list<")) return "list<dyn>";
  if (type.startsWith("map<")) return ANY_MAP;
  return /^(string|int|bool)$/.test(type) ? type : "dyn";
}

/** How messages name a type. */
export function describeType(type: CelType): string {
  const base = baseType(type);
  const record = recordType(base);
  if (record) return record.title;
  if (type.startsWith("list")) return "a list";
  // A root such as `vars` has a type of its own, `$vars`.
  if (/^(map|\$)/.test(type)) return "a map";
  const optional = /^optional<(.*)>$/.exec(type);
  if (optional) return `${describeType(optional[1]!)}, if it is there`;
  const names: Record<string, string> = {
    string: "text",
    int: "a whole number",
    uint: "a whole number",
    double: "a number",
    bool: "true or false",
    null: "nothing",
    dyn: "any value",
    "google.protobuf.Timestamp": "a time",
    "google.protobuf.Duration": "a duration",
    bytes: "bytes",
    UseResult: "what a used recipe gives",
    StepResult: "a map",
  };
  return names[base] ?? `a ${base}`;
}

/** Whether a value of one type can stand where another is wanted. */
export function suits(type: CelType, wanted: CelType): boolean {
  if (type === "dyn" || wanted === "dyn" || type === wanted) return true;
  return (wanted === "double" && type === "int") ||
    (wanted.startsWith("list") && type.startsWith("list")) ||
    (wanted.startsWith("map") && type.startsWith("map"));
}
