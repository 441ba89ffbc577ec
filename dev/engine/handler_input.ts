import { decodeGo, type GoType, zeroOf } from "../go/decode.ts";
import type { StandardSchema, StandardSchemaIssue, StandardSchemaResult } from "../schema.ts";
import { errorText } from "./errors.ts";
import type { JobRow } from "./store_rows.ts";

/** Marks schemas made by {@linkcode goSchema}, which decode the JSON text itself. */
const GO_TYPE: unique symbol = Symbol("go type");

interface GoSchema<Output> extends StandardSchema<Output> {
  readonly [GO_TYPE]: GoType;
}

/**
 * Creates a schema that decodes as Go does: missing input becomes the type's zero value, and errors
 * have Go's messages.
 */
export function goSchema<Output>(type: GoType): StandardSchema<Output> {
  const schema: GoSchema<Output> = {
    [GO_TYPE]: type,
    "~standard": {
      version: 1,
      vendor: "dispatch",
      validate: (value) => {
        try {
          return { value: decodeGo(JSON.stringify(value) ?? "null", type) as Output };
        } catch (error) {
          const message = errorText(error);
          const [, field] = /Go struct field \S*?\.(\S+) of type/.exec(message) ?? [];
          return { issues: [{ message, ...(field ? { path: field.split(".") } : {}) }] };
        }
      },
    },
  };
  return schema;
}

/**
 * Decodes the JSON text of a payload or input and validates it for a handler.
 * @throws {Error} If the schema rejects the value; the message is the schema's.
 */
export function decodeInput(text: string | undefined, schema: StandardSchema | undefined): unknown {
  const isMissing = text === undefined || text === "";
  if (schema && GO_TYPE in schema) {
    const type = (schema as GoSchema<unknown>)[GO_TYPE];
    return isMissing ? zeroOf(type) : decodeGo(text, type);
  }
  const value = isMissing ? undefined : JSON.parse(text);
  if (!schema) return value;
  const result = schema["~standard"].validate(value);
  return result instanceof Promise ? result.then(unwrap) : unwrap(result);
}

function unwrap(result: StandardSchemaResult<unknown>): unknown {
  if (result.issues) throw new Error(result.issues.map(issueText).join("; "));
  return result.value;
}

function issueText({ message, path }: StandardSchemaIssue): string {
  if (!path || path.length === 0) return message;
  const where = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  return `${where}: ${message}`;
}

/**
 * Decodes the payload of a job.
 * @throws {Error} If it does not match the schema of the job's definition.
 */
export async function decodePayload(
  { name, payload }: JobRow,
  schema: StandardSchema | undefined,
): Promise<unknown> {
  try {
    return await decodeInput(payload, schema);
  } catch (cause) {
    throw new Error(`unmarshal payload for job "${name}": ${errorText(cause)}`, { cause });
  }
}
